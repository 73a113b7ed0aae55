"""Reading declarations: YAML files, wholly validated before anything is sent (rules 4.1.1)."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from schemas.declarations import Declarations
from shared.commands.console import told

STDIN = "-"


class Invalid(Exception):
    """Files that cannot be applied; `lines` says each fault with its file and its place in it."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = tuple(lines)


class _Loader(yaml.SafeLoader):
    """YAML as its version 1.2 has it, where `on` and `no` are words; a key given twice is an error."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping.

        :raises yaml.constructor.ConstructorError: a key is given twice.
        """
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag != "tag:yaml.org,2002:merge":
                key = self.construct_object(key_node, deep=True)
                if key in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key!r} is given twice", key_node.start_mark
                    )
                seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"true|True|TRUE|false|False|FALSE"), list("tTfF"))


def read(files: Sequence[str]) -> Declarations:
    """The declarations of all files together; `-` is standard input.

    :raises Invalid: a file cannot be read, is no YAML, or declares something wrong; or two declare the same.
    """
    faults: list[str] = []
    seen: dict[tuple[str, str], str] = {}
    valid: list[Declarations] = []
    for file in files:
        name = "standard input" if file == STDIN else file
        try:
            declared = _declared(file, name)
        except Invalid as invalid:
            faults += invalid.lines
            continue
        valid.append(declared)
        for section, ids in declared.ids().items():
            key = {"vouchers": "/{}/code", "accountNumbers": ""}.get(section, "/{}/id")
            for index, id_ in enumerate(ids):
                if (section, id_) in seen:
                    faults.append(f"{name}: /{section}{key.format(index)}: declared in {seen[section, id_]} too")
                seen[section, id_] = name
    if faults:
        raise Invalid(faults)
    try:
        return Declarations(
            vouchers=tuple(voucher for each in valid for voucher in each.vouchers),
            programmes=tuple(programme for each in valid for programme in each.programmes),
            tier_sets=tuple(tier_set for each in valid for tier_set in each.tier_sets),
            account_numbers=next((each.account_numbers for each in valid if each.account_numbers is not None), None),
        )
    except ValidationError as error:
        raise Invalid([f"all files together: {fault}" for fault in told(error)]) from error


def _declared(file: str, name: str) -> Declarations:
    try:
        raw = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
        document = yaml.load(raw.decode("utf-8-sig"), _Loader)
    except OSError as error:
        raise Invalid([f"{name}: {error.strerror}"]) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise Invalid([f"{place}: {error.problem or 'no YAML'}"]) from error
    except UnicodeDecodeError as error:
        raise Invalid([f"{name}: is not UTF-8"]) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Invalid([f"{name}: no YAML: {' '.join(str(error).split())}"]) from error
    if document is None:
        raise Invalid([f"{name}: declares nothing"])
    try:
        return Declarations.model_validate(document)
    except ValidationError as error:
        raise Invalid([f"{name}: {fault}" for fault in told(error)]) from error

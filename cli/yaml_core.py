"""YAML 1.2 by its core schema, with the line and column of every value.

PyYAML reads the syntax; its own types are those of YAML 1.1, where `0100` is 64, `1:30` is 90 and `on` is true. Types
here are those of YAML 1.2.2, section 10.3, and keys are texts: a document has what JSON can have and nothing else.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import yaml
from yaml.composer import Composer, ComposerError
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from shared.errors import FealtyError

BYTES_MAX = 4 * 1024 * 1024
DEPTH_MAX = 32
VALUES_MAX = 200_000
"""The values of a document; what an alias stands for is counted at every use."""

DIGITS_MAX = 100

Path = Sequence[str | int]
Place = tuple[int, int]
"""Line and column, both from 1."""

_TAG = "tag:yaml.org,2002:"


class NotYaml(FealtyError):
    """A text is not valid YAML document that can be used; `place` says where, if anywhere."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(message)
        self.place = place


@dataclass(slots=True)
class Document:
    """What a text holds, as dicts, lists, texts, ints, Decimals, booleans and None.

    `oddities` are numbers that are written in another way than they are read.
    """

    value: Any = None
    root: yaml.Node | None = None
    oddities: list[tuple[Place, str]] = field(default_factory=list)

    def place(self, path: Path) -> Place:
        """Where the value at `path` begins; of one that is not there, where the value around it does."""
        node = self.root
        for step in path:
            below = _below(node, step)
            if below is None:
                break
            node = below
        return (1, 1) if node is None else _at(node.start_mark)

    def key_place(self, path: Path) -> Place:
        """Where the key at the end of `path` stands, or its value where it has none."""
        around = self._node(path[:-1])
        if isinstance(around, yaml.MappingNode):
            for key, _ in around.value:
                if key.value == path[-1]:
                    return _at(key.start_mark)
        return self.place(path)

    def is_plain(self, path: Path) -> bool:
        """Whether the value at `path` is a scalar without quotes."""
        node = self._node(path)
        return isinstance(node, yaml.ScalarNode) and node.style is None

    def _node(self, path: Path) -> yaml.Node | None:
        node = self.root
        for step in path:
            node = _below(node, step)
        return node


def load(raw: bytes) -> Document:
    """The one document of a text in UTF-8; an empty text has the value None.

    :raises NotYaml: it is none, or too large or too deep, or has a key twice.
    """
    if len(raw) > BYTES_MAX:
        raise NotYaml(f"has more than {BYTES_MAX:,} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise NotYaml("is not UTF-8", _place_in(raw[: error.start].decode())) from error
    try:
        root = _Composer(text).get_single_node()
    except ReaderError as error:
        message = f"the character U+{ord(text[error.position]):04X} is not allowed in YAML"
        raise NotYaml(message, _place_in(text[: error.position])) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotYaml(error.problem or error.context or "is not valid YAML", _at(mark) if mark else None) from error
    document = Document(root=root)
    if root is not None:
        document.value = _Values(document.oddities).of(root)
    return document


class _Composer(Reader, Scanner, Parser, Composer, BaseResolver):
    """From a text to nodes whose tags are those of the core schema."""

    def __init__(self, text: str) -> None:
        self._depth = 0
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """One node with all below it.

        :raises ComposerError: it is nested too deep.
        """
        self._depth += 1
        if self._depth > DEPTH_MAX:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise ComposerError(None, None, f"nested deeper than {DEPTH_MAX}", mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


for _name, _pattern, _first in (
    ("null", r"(~|null|Null|NULL|)\Z", "~nN"),
    ("bool", r"(true|True|TRUE|false|False|FALSE)\Z", "tTfF"),
    ("int", r"([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z", "-+.0123456789"),
    ("float", r"([-+]?(\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN)\Z", "-+."),
):
    _Composer.add_implicit_resolver(f"{_TAG}{_name}", re.compile(_pattern), [*_first, *([""] if "~" in _first else [])])


class _Values:
    """Nodes as values; `oddities` collects what is said of numbers."""

    def __init__(self, oddities: list[tuple[Place, str]]) -> None:
        self._oddities = oddities
        self._count = 0
        self._around: set[yaml.Node] = set()

    def of(self, node: yaml.Node) -> Any:
        """The value of a node.

        :raises NotYaml: it has none here.
        """
        self._count += 1
        if self._count > VALUES_MAX:
            raise NotYaml(f"has more than {VALUES_MAX:,} values, aliases counted", _at(node.start_mark))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        wanted = "map" if isinstance(node, yaml.MappingNode) else "seq"
        if node.tag != f"{_TAG}{wanted}":
            raise _unknown(node)
        if node in self._around:
            raise NotYaml("contains itself through an alias", _at(node.start_mark))
        self._around.add(node)
        value = self._mapping(node) if isinstance(node, yaml.MappingNode) else [self.of(each) for each in node.value]
        self._around.remove(node)
        return value

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for key, below in node.value:
            name = self.of(key) if isinstance(key, yaml.ScalarNode) else None
            if not isinstance(name, str):
                raise NotYaml("a key must be a text; if it is one, put it in quotes", _at(key.start_mark))
            if name in value:
                raise NotYaml(f"the key {name!r} is given twice", _at(key.start_mark))
            value[name] = self.of(below)
        return value

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        make = _SCALARS.get(node.tag)
        if make is None:
            raise _unknown(node)
        text, place = node.value, _at(node.start_mark)
        try:
            value = make(text)
        except (ValueError, ArithmeticError, KeyError) as error:
            raise NotYaml(f"{node.value[:40]!r} is not a valid {node.tag.removeprefix(_TAG)}", place) from error
        if isinstance(value, int) and not isinstance(value, bool) and text.lstrip("+") != str(value):
            self._oddities.append((place, f"{text} is read as {value}; write {value}"))
        return value


def _int(text: str) -> int:
    if len(text) > DIGITS_MAX:
        raise ValueError("too many digits")
    return int(text[2:], {"0o": 8, "0x": 16}[text[:2]]) if text[:2] in ("0o", "0x") else int(text)


def _float(text: str) -> Decimal:
    if len(text) > DIGITS_MAX:
        raise ValueError("too many digits")
    return Decimal(text.replace(".", "") if text[-1:].isalpha() else text)


_SCALARS: dict[str, Callable[[str], Any]] = {
    f"{_TAG}str": str,
    f"{_TAG}null": lambda _: None,
    f"{_TAG}bool": lambda text: {"true": True, "false": False}[text.lower()],
    f"{_TAG}int": _int,
    f"{_TAG}float": _float,
}


def _unknown(node: yaml.Node) -> NotYaml:
    return NotYaml(f"the tag {node.tag} is not allowed here", _at(node.start_mark))


def _below(node: yaml.Node | None, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        found: yaml.Node = node.value[step]
        return found
    return None


def _at(mark: yaml.Mark) -> Place:
    return mark.line + 1, mark.column + 1


def _place_in(before: str) -> Place:
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1

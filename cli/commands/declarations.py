"""Reading declarations: YAML files, wholly validated before anything is sent (rules 4.1.1)."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cli.commands.cross_checks import Finding, Known, across, oddities
from cli.commands.kinds import KINDS, each_of
from cli.yaml_core import Document, NotYaml, Place, load
from schemas import declaration_checks as checks
from schemas.declarations import Declarations

STDIN = "-"


class Invalid(Exception):
    """Files that cannot be applied; `lines` says each fault with its file and its place in it."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = tuple(lines)


@dataclass(frozen=True, slots=True)
class _File:
    """One file: what it declares, and where each value stands in it."""

    name: str
    document: Document
    declared: Declarations

    def told(self, path: checks.Path, message: str) -> str:
        """A line about the value at `path`."""
        return _line(self.name, self.document.place(path), path, message)


@dataclass(slots=True)
class Files:
    """The declarations of all files together, each of them right by itself; `warnings` is what is odd in them."""

    declarations: Declarations
    warnings: list[str] = field(default_factory=list)
    _origins: dict[tuple[str, str], tuple[_File, checks.Path]] = field(default_factory=dict)

    def against(self, known: Known | None, now: datetime) -> list[str]:
        """Hold the files against each other and all that is declared already; None: that is not looked at.

        Gives what is odd, these files' own oddities included.

        :raises Invalid: something contradicts.
        """
        found = [*across(self.declarations, known), *oddities(self.declarations, known, now)]
        if faults := [self._told(each) for each in found if not each.odd]:
            raise Invalid(faults)
        return [*self.warnings, *(self._told(each) for each in found)]

    def _told(self, finding: Finding) -> str:
        file, path = self._origins[finding.section, finding.id]
        return file.told((*path, *finding.path), finding.message)


def read(files: Sequence[str]) -> Files:
    """The declarations of all files together; `-` is standard input.

    :raises Invalid: a file cannot be read, is not valid YAML, or declares something wrong; or two declare the same.
    """
    faults: list[str] = []
    valid: list[_File] = []
    for name in files:
        try:
            valid.append(_file(name))
        except Invalid as invalid:
            faults += invalid.lines
    origins: dict[tuple[str, str], tuple[_File, checks.Path]] = {}
    for file in valid:
        for each in each_of(file.declared):
            if each.key in origins:
                member = () if each.kind.id is None else (each.kind.id,)
                before, where = origins[each.key]
                other = _place(before.name, before.document.place(where))
                faults.append(file.told((*each.path, *member), f"is also declared at {other}"))
            origins.setdefault(each.key, (file, each.path))
    if faults:
        raise Invalid(faults)
    together = _together([file.declared for file in valid])
    odd = [f"{_place(file.name, place)}: {told}" for file in valid for place, told in file.document.oddities]
    return Files(together, odd, origins)


def _together(valid: Sequence[Declarations]) -> Declarations:
    try:
        return Declarations(**{kind.field: kind.together(valid) for kind in KINDS})
    except ValidationError as error:
        raise Invalid([f"all files together: /{each['loc'][0]}: {each['msg']}" for each in error.errors()]) from error


def _file(file: str) -> _File:
    name = "standard input" if file == STDIN else file
    try:
        document = load(sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes())
    except OSError as error:
        raise Invalid([f"{name}: {error.strerror}"]) from error
    except NotYaml as error:
        raise Invalid([f"{_place(name, error.place)}: {error}"]) from error
    if document.value is None:
        raise Invalid([f"{name}: the file declares nothing"])
    try:
        declared = Declarations.model_validate(document.value, by_alias=True, by_name=False)
    except ValidationError as error:
        raise Invalid([*_told(name, document, error)]) from error
    read_ = _File(name, document, declared)
    if faults := [read_.told(path, fault.message) for path, fault in _faults(declared)]:
        raise Invalid(faults)
    return read_


def _faults(declared: Declarations) -> Iterator[tuple[checks.Path, checks.Fault]]:
    """What no type refuses, in each declaration by itself."""
    for each in each_of(declared):
        for fault in each.kind.faults(each.value):
            yield (*each.path, *fault.path), fault


def _told(name: str, document: Document, error: ValidationError) -> Iterator[str]:
    """What is wrong with a document by its types, a line each; never quotes what was given."""
    for item in error.errors(include_input=False, include_url=False, include_context=False):
        path, message = item["loc"], item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            yield _line(name, document.key_place(path), path, "unknown field")
            continue
        if item["type"] == "string_type" and document.is_plain(path):
            message = f"{message}; if it is a text, put it in quotes"
        yield _line(name, document.place(path), path, message)


def _line(name: str, place: Place, path: Sequence[Any], message: str) -> str:
    return f"{_place(name, place)}: /{'/'.join(map(str, path))}: {message}"


def _place(name: str, place: Place | None) -> str:
    return name if place is None else f"{name}:{place[0]}:{place[1]}"

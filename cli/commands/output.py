"""What commands show: a table for people, tab-separated lines for a pipe, JSON for programs; the same rows in each."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from schemas.base import format_instant
from shared.hashing import to_json


class Form(StrEnum):
    """How a command shows what it found."""

    TABLE = "table"
    JSON = "json"


FormOption = Annotated[
    Form,
    typer.Option("--output", "-o", help="table (tab-separated in a pipe), or json with all fields."),
]
"""The option of every command that shows something."""


@dataclass(slots=True)
class Sheet:
    """Rows under named columns. `documents` is what JSON shows instead, when it has more to say than the rows."""

    columns: Sequence[str]
    rows: list[Sequence[Any]] = field(default_factory=list)
    documents: Sequence[Mapping[str, Any]] | None = None
    title: str | None = None

    def add(self, *cells: Any) -> None:
        """One more row."""
        self.rows.append(cells)


def show(sheet: Sheet, form: Form, nothing: str = "") -> None:
    """Print a sheet; `nothing` is said to people when it has no rows."""
    if form is Form.JSON:
        found = sheet.documents
        print_json(list(found) if found is not None else [_named(sheet.columns, row) for row in sheet.rows])
    elif not sheet.rows and nothing:
        say(nothing)
    elif sys.stdout.isatty():
        Console(markup=False, highlight=False, emoji=False).print(_table(sheet))
    else:
        _lines(sheet)


def print_json(document: Any) -> None:
    """Print a document as indented JSON, instants in RFC 3339 and decimals digit by digit."""
    print_json_text(to_json(_plain(document), indent=True).decode())


def print_json_text(written: str) -> None:
    """Print JSON; what a terminal could obey is escaped as JSON escapes it."""
    typer.echo("".join(each if each.isprintable() or each == "\n" else _json_escape(each) for each in written))


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def say(told: str) -> None:
    """Print a text; whatever it holds, a terminal shows it and obeys none of it."""
    typer.echo(printable(told))


def _named(columns: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    """A row as a JSON object; the columns' names in camel case."""
    return {_camel(name): cell for name, cell in zip(columns, row, strict=True)}


def _camel(name: str) -> str:
    first, *others = name.split()
    return first + "".join(word.capitalize() for word in others)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return value


def _table(sheet: Sheet) -> Table:
    """What does not fit is folded, never cut; the lines between columns are left out, to fit 80 of them."""
    title = None if sheet.title is None else printable(sheet.title)
    table = Table(
        title=title,
        title_justify="left",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for name in sheet.columns:
        table.add_column(name, overflow="fold")
    for row in sheet.rows:
        table.add_row(*map(text, row))
    return table


def _lines(sheet: Sheet) -> None:
    """A header and a line a row, the cells separated by tabs, so that `cut` and `awk -F'\\t'` read them."""
    if sheet.title:
        say(sheet.title)
    for cells in ([*sheet.columns], *sheet.rows):
        say("\t".join(_cell(cell) for cell in cells))


def _cell(value: Any) -> str:
    return " ".join(text(value).split())


def text(value: Any) -> str:
    """A cell for people: nothing for what is not there, lists with commas, no control characters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(text, value))
    return printable(str(value))


def printable(given: str) -> str:
    """A text from outside, safe for a terminal: control characters other than line breaks are written as escapes."""
    return "".join(each if each.isprintable() or each in "\n\t" else repr(each)[1:-1] for each in given)


def facts(pairs: Mapping[str, Any], form: Form) -> None:
    """Print one thing's members, a line each; what is not there is left out."""
    if form is Form.JSON:
        print_json(pairs)
        return
    width = max(map(len, pairs), default=0)
    for name, value in _flat(pairs):
        say(f"{name:<{width}}  {text(value)}")


def _flat(pairs: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in pairs.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif value not in (None, ""):
            yield f"{prefix}{name}", value

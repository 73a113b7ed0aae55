"""Reading a file row by row: CSV with a header line, or a JSON object a line.

A file is UTF-8, with or without a byte order mark, with either kind of line end. What is wrong with one row is told
of that row; what makes the rest of the file doubtful (a wrong header, an open quote) ends the reading.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from shared.errors import FealtyError

BECAUSE, GIVEN = "refused_because", "given"
"""Columns of a file of refused rows, not looked at when it is imported: why, and a JSON line that is no object."""

LINE_CHARS_MAX = 64 * 1024
_SHOWN_CHARS_MAX = 1_000
"""Of a line that is too long, what is written among the refused rows."""


class Layout(NamedTuple):
    """The columns that a file may have, and those that every file has."""

    columns: tuple[str, ...]
    required: tuple[str, ...]


class Format(StrEnum):
    """How a file is written."""

    CSV = "csv"
    JSONL = "jsonl"

    @classmethod
    def of(cls, path: Path) -> "Format":
        """By the file's extension.

        :raises Unreadable: it is none of .csv, .jsonl and .ndjson.
        """
        match path.suffix.lower():
            case ".csv":
                return cls.CSV
            case ".jsonl" | ".ndjson":
                return cls.JSONL
        raise Unreadable(f"{path}: the file's extension is not .csv, .jsonl or .ndjson; give --format")


class Unreadable(FealtyError):
    """The file as a whole cannot be imported; the message names it, and the line."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the number of its first line, its cells as they stand, and what they say by column.

    `fields` has no empty cells; its values are text, in JSON whatever was there, numbers as decimals. `fault` says
    why the row cannot be read.
    """

    line: int
    cells: tuple[str, ...]
    fields: Mapping[str, Any] = field(default_factory=dict)
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A file being read: the columns of its cells, and its rows, once."""

    columns: tuple[str, ...]
    rows: Iterator[Row]


@contextmanager
def opened(path: Path, form: Format, layout: Layout) -> Iterator[Opened]:
    """The file's rows; blank lines are none.

    :raises Unreadable: here for a header, or while iterating for a line, after which nothing more can be told apart.
    :raises OSError: it cannot be opened or read.
    """
    # Bytes that are no UTF-8 come as surrogates, so that the row that has them is refused, and written back as it was.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        if form is Format.CSV:
            yield _csv(_lines(file, path), path, layout)
        else:
            yield Opened((*layout.columns, GIVEN), _json_rows(file, layout.columns))


def count_rows(path: Path, form: Format, layout: Layout) -> int:
    """How many rows the file has, read to its end.

    :raises Unreadable: there are none, or not all of it can be read.
    """
    with opened(path, form, layout) as file:
        count = sum(1 for _ in file.rows)
    if not count:
        raise Unreadable(f"{path}: the file has no rows")
    return count


def _lines(file: TextIO, path: Path) -> Iterator[str]:
    number = 1
    while line := file.readline(LINE_CHARS_MAX):
        if len(line) == LINE_CHARS_MAX:
            raise Unreadable(f"{path}:{number}: the line has more than {LINE_CHARS_MAX} characters")
        yield line
        number += 1


def _foreign(text: str) -> bool:
    """Whether there are bytes in it that are no UTF-8."""
    return not text.isascii() and any("\udc80" <= character <= "\udcff" for character in text)


# ── CSV ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _csv(lines: Iterator[str], path: Path, layout: Layout) -> Opened:
    rows = _cells(lines, path)
    _, header = next(rows, (0, []))
    if not header:
        raise Unreadable(f"{path}: the file is empty, or does not begin with a header line")
    if _foreign("".join(header)):
        raise Unreadable(f"{path}:1: the header is not UTF-8")
    if missing := [name for name in layout.required if name not in header]:
        raise Unreadable(
            f"{path}:1: the header lacks the columns {', '.join(missing)}; columns are separated by commas"
        )
    if unknown := [name for name in header if name not in (*layout.columns, BECAUSE, GIVEN)]:
        raise Unreadable(f"{path}:1: unknown in the header: {', '.join(map(repr, unknown))}")
    if len(set(header)) < len(header):
        raise Unreadable(f"{path}:1: the header has a column twice")
    return Opened(tuple(header), (_csv_row(line, cells, header, layout.columns) for line, cells in rows if cells))


def _cells(lines: Iterator[str], path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each row's first line and its cells; none on a blank line."""
    reader = csv.reader(lines, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise Unreadable(
                f"{path}:{line}: the quotation marks are wrong, so the rows from here on are ambiguous: {error}"
            ) from error
        if cells is None:
            return
        yield line, cells


def _csv_row(line: int, cells: list[str], header: list[str], columns: Sequence[str]) -> Row:
    if _foreign("".join(cells)):
        return Row(line, tuple(cells), fault="the row is not UTF-8")
    if len(cells) != len(header):
        return Row(line, tuple(cells), fault=f"the row has {len(cells)} cells and the header {len(header)}")
    fields = {name: cell for name, cell in zip(header, cells, strict=True) if cell and name in columns}
    return Row(line, tuple(cells), fields)


# ── JSON lines ──────────────────────────────────────────────────────────────────────────────────────────────────────


class _Twice(ValueError):
    """An object has a key twice."""


def _json_rows(file: TextIO, columns: Sequence[str]) -> Iterator[Row]:
    """Every line is a row of its own: whatever is wrong with one, the next is read."""
    number = 1
    while line := file.readline(LINE_CHARS_MAX):
        if len(line) == LINE_CHARS_MAX:
            while not line.endswith(("\n", "\r")) and (more := file.readline(LINE_CHARS_MAX)):
                line = line[:_SHOWN_CHARS_MAX] + more[-1:]
            yield _unread(
                number, line[:_SHOWN_CHARS_MAX], columns, f"the line has more than {LINE_CHARS_MAX} characters"
            )
        elif line.strip():
            yield _json_row(number, line.rstrip("\r\n"), columns)
        number += 1


def _unread(number: int, line: str, columns: Sequence[str], fault: str) -> Row:
    return Row(number, (*[""] * len(columns), line), fault=fault)


def _json_row(number: int, line: str, columns: Sequence[str]) -> Row:
    unread = partial(_unread, number, line, columns)
    if _foreign(line):
        return unread("the line is not UTF-8")
    try:
        value = json.loads(
            line, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_number, object_pairs_hook=_object
        )
    except _Twice as error:
        return unread(str(error))
    except (ValueError, InvalidOperation, RecursionError):
        return unread("the line is not JSON")
    if not isinstance(value, dict):
        return unread("the line is not a JSON object")
    if unknown := sorted(value.keys() - {*columns, BECAUSE}):
        return unread(f"unknown in the object: {', '.join(map(repr, unknown))}")
    fields = {name: value[name] for name in columns if value.get(name) not in (None, "")}
    if any(_is_half(text) for text in [*value, *fields.values()] if isinstance(text, str)):
        return unread("a text has an unpaired surrogate, which is not a character")
    if any(not isinstance(each, str | Decimal) for each in fields.values()):
        return unread("a value is neither a string nor a number")
    cells = [_text(fields.get(name, "")) for name in columns]
    return Row(number, (*cells, ""), fields)


def _is_half(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)


def _text(value: str | Decimal) -> str:
    """A JSON number in digits; a silly one, like 1e999999, as it is."""
    return f"{value:f}" if isinstance(value, Decimal) and abs(value.adjusted()) < 64 else str(value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice("a key is given twice")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not a number")

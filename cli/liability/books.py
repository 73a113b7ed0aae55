"""What is owed, day by day: pure functions over sums of movements.

A book is a programme, or a card type in one currency. All amounts are integers in its smallest unit, signed as they
move the book, so that closing = opening + the sum of the columns.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from cli.ledger import AFTER, BEFORE, Moved

TOTAL = "total"
OPEN, CLOSED = "open accounts", "closed accounts"
"""In place of a day: what is there now, on closed accounts and on all others."""


class Key(NamedTuple):
    """Which book: a programme or a card type, and what it counts: points, or a currency."""

    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns in their order, and where movements are entered: by kind, that of credits and that of debits.

    Kinds are an open list: one that is not in `by_kind` goes to `unknown`.
    """

    names: tuple[str, ...]
    by_kind: Mapping[str, tuple[str, str]]
    unknown: tuple[str, str]

    def of(self, moved: Moved) -> str:
        """The column of a sum of movements."""
        up, down = self.by_kind.get(moved.kind, self.unknown)
        return up if moved.delta >= 0 else down


@dataclass(slots=True)
class Row:
    """One day of a book, or the total of its days; `moved` by column."""

    day: str
    opening: int
    closing: int
    opening_pending: int
    closing_pending: int
    moved: dict[str, int]


@dataclass(slots=True)
class Book:
    """One book: its days with movements, the total over them, and where it stands now.

    `booked` and `pending` are the sums of all movements, also of those after the last day asked for. `apart` has what
    of them is on closed accounts and on all others, once there are any.
    """

    key: Key
    scale: int
    columns: Columns
    total: Row
    days: list[Row] = field(default_factory=list)
    booked: int = 0
    pending: int = 0
    apart: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Present:
    """What all balances of one book come to now, and those of closed accounts among them."""

    booked: int = 0
    pending: int = 0
    closed: int = 0
    closed_pending: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """A book whose movements, `expected`, do not add up to its balances, `found`."""

    key: Key
    expected: Present
    found: Present


def books(moved: Iterable[Moved], columns: Columns) -> list[Book]:
    """The books from all movements, which come by book, unit and day."""
    found: dict[Key, Book] = {}
    for each in moved:
        key = Key(each.book, each.unit)
        book = found.get(key)
        if book is None:
            book = found[key] = Book(key, each.scale, columns, _row(columns, TOTAL, 0, 0))
        _enter(book, each)
    return list(found.values())


def set_apart(found: Iterable[Book], present: Mapping[Key, Present]) -> None:
    """Add what is on closed accounts now, and what is on the others, to the books that have any."""
    for book in found:
        there = present.get(book.key, Present())
        if there.closed or there.closed_pending:
            columns = book.columns
            book.apart = (
                _row(columns, OPEN, there.booked - there.closed, there.pending - there.closed_pending),
                _row(columns, CLOSED, there.closed, there.closed_pending),
            )


def faults(found: Iterable[Book], present: Mapping[Key, Present]) -> list[Fault]:
    """Where the movements do not add up to the balances."""
    booked = {book.key: Present(book.booked, book.pending) for book in found}
    wrong = []
    for key in sorted({*booked, *present}):
        expected, there = booked.get(key, Present()), present.get(key, Present())
        if (expected.booked, expected.pending) != (there.booked, there.pending):
            wrong.append(Fault(key, expected, there))
    return wrong


def _enter(book: Book, moved: Moved) -> None:
    book.booked += moved.delta
    book.pending += moved.pending_delta
    if moved.day == AFTER:
        return
    if moved.day == BEFORE:
        total = book.total
        total.opening = total.closing = total.closing + moved.delta
        total.opening_pending = total.closing_pending = total.closing_pending + moved.pending_delta
        return
    if not book.days or book.days[-1].day != moved.day:
        book.days.append(_row(book.columns, moved.day, book.total.closing, book.total.closing_pending))
    column = book.columns.of(moved)
    for row in (book.days[-1], book.total):
        row.moved[column] += moved.delta
        row.closing += moved.delta
        row.closing_pending += moved.pending_delta


def _row(columns: Columns, day: str, opening: int, pending: int) -> Row:
    return Row(day, opening, opening, pending, pending, dict.fromkeys(columns.names, 0))

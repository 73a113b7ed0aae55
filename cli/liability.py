"""What a retailer owes its customers in points, day by day: pure functions over sums of movements.

All amounts are integers in the programme's smallest unit, signed as they move the books, so that closing = opening +
the sum of the columns. Kinds of movements are an open list: one that is not named here counts by its sign.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cli.ledger import AFTER, BEFORE, Moved

COLUMNS = ("credited", "given_back", "redeemed", "purchased", "expired", "revoked", "adjusted_down", "other")
_UP, _DOWN = "credited", "other"
_COLUMN_OF = {
    "load": ("credited", "other"),
    "activate": ("credited", "other"),
    "deactivate": ("credited", "credited"),
    "adjust": ("credited", "adjusted_down"),
    "transfer": ("other", "other"),
    "give_back": ("given_back", "given_back"),
    "redeem": ("redeemed", "redeemed"),
    "purchase": ("purchased", "purchased"),
    "threshold": ("purchased", "purchased"),
    "expire": ("expired", "expired"),
    "revoke": ("revoked", "revoked"),
}
"""For each kind its column when it adds to the books, and when it takes from them."""

TOTAL = "total"
OPEN, CLOSED = "open accounts", "closed accounts"
"""In place of a day: what is there now, on closed accounts and on all others."""


@dataclass(slots=True)
class Row:
    """One day of a programme, or the total of its days; `moved` by column."""

    programme: str
    day: str
    opening: int
    closing: int
    opening_pending: int
    closing_pending: int
    moved: dict[str, int]


@dataclass(slots=True)
class Book:
    """One programme: its days with movements, the total over them, and where it stands now.

    `booked` and `pending` are the sums of all movements, also of those after the last day asked for. `apart` has what
    of them is on closed accounts and on all others, once there are any.
    """

    programme: str
    scale: int
    unit: str
    total: Row
    days: list[Row] = field(default_factory=list)
    booked: int = 0
    pending: int = 0
    apart: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Present:
    """What the balances of all accounts in one programme come to now, and those of closed accounts among them."""

    booked: int = 0
    pending: int = 0
    closed: int = 0
    closed_pending: int = 0


def books(moved: Iterable[Moved], units: Mapping[str, str]) -> list[Book]:
    """The books from all movements, which come by programme and day; `units` are the programmes' units."""
    found: dict[str, Book] = {}
    for each in moved:
        book = found.get(each.programme)
        if book is None:
            total = _row(each.programme, TOTAL, 0, 0)
            book = found[each.programme] = Book(each.programme, each.scale, units.get(each.programme, ""), total)
        _enter(book, each)
    return list(found.values())


def set_apart(found: Iterable[Book], present: Mapping[str, Present]) -> None:
    """Add what is on closed accounts now, and what is on the others, to the books of programmes that have any."""
    for book in found:
        there = present.get(book.programme, Present())
        if there.closed or there.closed_pending:
            book.apart = (
                _row(book.programme, OPEN, there.booked - there.closed, there.pending - there.closed_pending),
                _row(book.programme, CLOSED, there.closed, there.closed_pending),
            )


def faults(found: Iterable[Book], present: Mapping[str, Present]) -> list[str]:
    """Where the movements do not add up to the balances, in words; `present` by programme."""
    told = []
    booked = {book.programme: Present(book.booked, book.pending) for book in found}
    for programme in sorted({*booked, *present}):
        expected, there = booked.get(programme, Present()), present.get(programme, Present())
        if (expected.booked, expected.pending) != (there.booked, there.pending):
            told.append(
                f"{programme} does not add up: its balance changes are {expected.booked} booked and {expected.pending} "
                f"pending, its balances are {there.booked} and {there.pending} (in the smallest unit)"
            )
    return told


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
        book.days.append(_row(book.programme, moved.day, book.total.closing, book.total.closing_pending))
    up, down = _COLUMN_OF.get(moved.kind, (_UP, _DOWN))
    for row in (book.days[-1], book.total):
        row.moved[up if moved.delta >= 0 else down] += moved.delta
        row.closing += moved.delta
        row.closing_pending += moved.pending_delta


def _row(programme: str, day: str, opening: int, pending: int) -> Row:
    return Row(programme, day, opening, opening, pending, pending, dict.fromkeys(COLUMNS, 0))

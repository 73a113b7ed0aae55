"""Reading the books of one service, and how the report names what is in them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from cli.ledger import Ledger, Movements
from cli.liability.books import Book, Columns, Fault, Key, Present, books, faults, set_apart


class Days(NamedTuple):
    """The days asked for (2026-01-31), both included; None is no bound."""

    first: str | None = None
    last: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What a service owes: its movements, and how books are told in the report.

    `labels` name the two parts of a book's key, and `hint` says where accounts or cards that are off are listed.
    `declared` reads the zones and the units of its books by name, and `present` what the balances come to now.
    """

    name: str
    service: str
    labels: tuple[str, str]
    columns: Columns
    has_pending: bool
    hint: str
    movements: Movements
    declared: Callable[[Ledger, str], Awaitable["Declared"]]
    present: Callable[[Ledger, str, Mapping[str, str]], Awaitable[dict[Key, Present]]]


class Declared(NamedTuple):
    """The zones of books by name; and the units of those whose movements do not name them."""

    zones: Mapping[str, str]
    units: Mapping[str, str]


class Found(NamedTuple):
    """The books of one subject, what is declared of them, and those that do not add up."""

    subject: Subject
    declared: Declared
    books: list[Book]
    faults: list[Fault]


async def read(subject: Subject, ledger: Ledger, store: str, days: Days) -> Found:
    """Sum all movements and all balances.

    :raises Unavailable: the database is away or too slow.
    """
    declared = await subject.declared(ledger, store)
    moved = [
        each if each.unit else each._replace(unit=declared.units.get(each.book, ""))
        async for each in ledger.moved(store, subject.movements, declared.zones, *days)
    ]
    found = books(moved, subject.columns)
    present = await subject.present(ledger, store, declared.units)
    wrong = faults(found, present)
    set_apart(found, present)
    return Found(subject, declared, found, wrong)

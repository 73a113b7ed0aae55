"""`fealty report liability`: what is owed, by day and programme, held against the present balances."""

import csv
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cli.commands.console import Failure, complain
from cli.commands.output import Form, Sheet, print_json_text, text
from cli.commands.output import show as print_sheet
from cli.commands.stores import journal_of
from cli.ledger import Ledger, ledger
from cli.liability import COLUMNS, Book, Present, Row, books, faults, set_apart
from cli.points import account_view, programme_of
from schemas.accounts import AccountState
from schemas.programme import Programme
from services.points.streams import account_stream, programme_stream
from shared.decider import Document
from shared.hashing import to_json
from shared.money import from_minor
from shared.runtime.journal import Journal
from shared.settings import Settings

_SUMMING_TIMEOUT_MS = 600_000
"""The server may take its time to sum a journal of years."""

FORMS = ("table", "csv", "json")
_FIELDS = ("programme", "unit", "day", "opening", *COLUMNS, "closing", "closing_pending")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which days (2026-01-31, both included; None is no bound), which programme, and how it is shown."""

    first: str | None
    last: str | None
    programme: str | None
    form: str


@dataclass(frozen=True, slots=True)
class Report:
    """The books asked for, and what does not add up in them."""

    books: list[Book]
    faults: list[str]


def asked_of(first: str | None, last: str | None, programme: str | None, form: str) -> Asked:
    """What the command line asks for.

    :raises Failure: a day is none, or they are the wrong way round, or there is no such format.
    """
    for name, day in (("--from", first), ("--until", last)):
        if day is not None and not _is_day(day):
            raise Failure(f"{name} must be a day like 2026-01-31")
    if first is not None and last is not None and first > last:
        raise Failure("--from is later than --until")
    if form not in FORMS:
        raise Failure(f"--format must be one of {', '.join(FORMS)}")
    return Asked(first, last, programme, form)


async def report(asked: Asked, settings: Settings) -> Report:
    """Sum all movements and all balances, as they stand at one moment.

    :raises Failure: there is no such programme.
    :raises Unavailable: the database is away or too slow.
    """
    store = settings.store
    await _answers(settings)
    journal = Journal(settings.mongodb, settings.database("points"), _SUMMING_TIMEOUT_MS)
    try:
        async with ledger(journal) as open_books:
            programmes = {each.id: each async for each in _programmes(open_books, store)}
            if asked.programme is not None and asked.programme not in programmes:
                raise Failure(f"unknown programme {asked.programme!r}; `fealty programmes list` shows the ids")
            zones = {each.id: each.zone for each in programmes.values()}
            moved = [each async for each in open_books.moved(store, zones, asked.first, asked.last)]
            found = books(moved, {each.id: each.unit for each in programmes.values()})
            present = await _present(open_books, store)
            wrong = faults(found, present)
            set_apart(found, present)
    finally:
        journal.close()
    if asked.programme is not None:
        found = [book for book in found if book.programme == asked.programme]
    return Report(found, wrong)


def show(found: Report, form: str) -> None:
    """Print the books: a table, CSV, or a JSON document."""
    lines = [_line(book, row) for book in found.books for row in (*book.days, book.total, *book.apart)]
    if form == "json":
        print_json_text(to_json(lines).decode())
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(_FIELDS)
        writer.writerows([text(line[name]) for name in _FIELDS] for line in lines)
    else:
        shown = Sheet([name.replace("_", " ") for name in _FIELDS])
        for line in lines:
            shown.add(*(_told(line[name]) for name in _FIELDS))
        print_sheet(shown, Form.TABLE)


def complain_of(found: Report) -> None:
    """A line for each programme that does not add up.

    :raises Failure: there is one.
    """
    for fault in found.faults:
        complain(fault)
    if found.faults:
        raise Failure("the balance changes and the balances differ: `fealty verify` lists the accounts", code=1)


async def _answers(settings: Settings) -> None:
    """A server that is away, or has data of other secrets, shall be told at once."""
    async with journal_of("points", settings) as journal:
        await journal.ping()


def _line(book: Book, row: Row) -> Document:
    def whole(minor: int) -> Decimal:
        return from_minor(minor, book.scale)

    return {
        "programme": book.programme,
        "unit": book.unit,
        "day": row.day,
        "opening": whole(row.opening),
        **{name: whole(row.moved[name]) for name in COLUMNS},
        "closing": whole(row.closing),
        "closing_pending": whole(row.closing_pending),
    }


def _told(value: str | Decimal) -> str:
    return f"{value:,f}" if isinstance(value, Decimal) else value


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


async def _programmes(found: Ledger, store: str) -> AsyncIterator[Programme]:
    async for stream, stored in found.streams(programme_stream(store, "")):
        programme = programme_of(stream, stored)
        if programme is not None:
            yield programme


async def _present(found: Ledger, store: str) -> dict[str, Present]:
    """The sums of all balances, by programme, as the service publishes them."""
    sums: dict[str, list[int]] = {}
    async for stream, stored in found.streams(account_stream(store, "")):
        view = account_view(stream, stored)
        for balance in () if view is None else view["balances"]:
            one = sums.setdefault(balance["programme"], [0, 0, 0, 0])
            closed = view is not None and view["state"] == AccountState.CLOSED
            for at in (0, 2) if closed else (0,):
                one[at] += balance["booked"]
                one[at + 1] += balance.get("pending", 0)
    return {programme: Present(*one) for programme, one in sums.items()}

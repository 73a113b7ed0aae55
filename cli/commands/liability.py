"""`fealty report liability`: what is owed, by day, held against the present balances."""

import csv
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cli.commands.console import Failure, complain
from cli.commands.output import Form, Sheet, print_json_text, text
from cli.commands.output import show as print_sheet
from cli.commands.stores import journal_of
from cli.ledger import ledger
from cli.liability.books import Book, Fault, Row
from cli.liability.points import SUBJECT as POINTS
from cli.liability.reading import Days, Found, Subject, read
from cli.liability.subjects import SUBJECTS
from shared.decider import Document
from shared.hashing import to_json
from shared.money import from_minor
from shared.runtime.journal import Journal
from shared.settings import Settings

_SUMMING_TIMEOUT_MS = 600_000
"""The server may take its time to sum a journal of years."""

FORMS = ("table", "csv", "json")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which days, of what (all subjects unless one is named), of which programme, and how it is shown."""

    days: Days
    subjects: Sequence[Subject]
    programme: str | None
    form: str


@dataclass(frozen=True, slots=True)
class Report:
    """The books asked for, of each subject, and what does not add up in them."""

    found: list[Found]

    @property
    def books(self) -> list[Book]:
        """All books."""
        return [book for each in self.found for book in each.books]

    @property
    def faults(self) -> list[Fault]:
        """All that does not add up."""
        return [fault for each in self.found for fault in each.faults]


def asked_of(
    first: str | None, last: str | None, programme: str | None, form: str, subject: str | None = None
) -> Asked:
    """What the command line asks for; one programme is asked for of points alone.

    :raises Failure: a day is none, or they are the wrong way round, or there is no such format or subject.
    """
    for name, day in (("--from", first), ("--until", last)):
        if day is not None and not _is_day(day):
            raise Failure(f"{name} must be a day like 2026-01-31")
    if first is not None and last is not None and first > last:
        raise Failure("--from is later than --until")
    if form not in FORMS:
        raise Failure(f"--format must be one of {', '.join(FORMS)}")
    names = [each.name for each in SUBJECTS]
    if subject not in (None, *names):
        raise Failure(f"--of must be one of {', '.join(names)}")
    if programme is not None and subject not in (None, POINTS.name):
        raise Failure("--programme is for points: leave out --of, or --programme")
    wanted = POINTS.name if programme is not None else subject
    return Asked(Days(first, last), [each for each in SUBJECTS if wanted in (None, each.name)], programme, form)


async def report(asked: Asked, settings: Settings) -> Report:
    """Sum all movements and all balances of each subject, as they stand at one moment.

    :raises Failure: there is no such programme.
    :raises Unavailable: the database is away or too slow.
    """
    return Report([await _read(subject, asked, settings) for subject in asked.subjects])


async def _read(subject: Subject, asked: Asked, settings: Settings) -> Found:
    await _answers(subject, settings)
    journal = Journal(settings.mongodb, settings.database(subject.service), _SUMMING_TIMEOUT_MS)
    try:
        async with ledger(journal) as open_books:
            found = await read(subject, open_books, settings.store, asked.days)
    finally:
        journal.close()
    if asked.programme is None:
        return found
    if asked.programme not in found.declared.zones:
        raise Failure(f"unknown programme {asked.programme!r}; `fealty programmes list` shows the ids")
    return found._replace(books=[book for book in found.books if book.key.name == asked.programme])


def show(report: Report, form: str) -> None:
    """Print the books: a table of each subject that has any, one JSON document, or the CSV of the first subject."""
    shown = [*report.found[:1], *(each for each in report.found[1:] if each.books)]
    if form == "json":
        print_json_text(to_json([line for each in shown for line in _lines(each)]).decode())
    elif form == "csv":
        _show_csv(shown)
    else:
        for each in shown:
            names = _names(each.subject)
            sheet = Sheet([name.replace("_", " ") for name in names])
            for line in _lines(each):
                sheet.add(*(_told(line[name]) for name in names))
            print_sheet(sheet, Form.TABLE)


def _show_csv(shown: Sequence[Found]) -> None:
    first, *others = shown
    names = _names(first.subject)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([text(line[name]) for name in names] for line in _lines(first))
    for each in others:
        complain(f"the CSV has {first.subject.name} only: run it again with --of {each.subject.name}")


def complain_of(report: Report) -> None:
    """A line for each book that does not add up.

    :raises Failure: there is one.
    """
    off = [each for each in report.found if each.faults]
    for each in off:
        for fault in each.faults:
            complain(_sentence(each.subject, fault))
    if off:
        hints = " and ".join(each.subject.hint for each in off)
        raise Failure(f"the balance changes and the balances differ: {hints}", code=1)


def _sentence(subject: Subject, fault: Fault) -> str:
    expected, there = fault.expected, fault.found
    if subject.has_pending:
        changes = f"{expected.booked} booked and {expected.pending} pending"
        balances = f"{there.booked} and {there.pending}"
        return (
            f"{fault.key.name} does not add up: its balance changes are {changes}, its balances are {balances} "
            "(in the smallest unit)"
        )
    return (
        f"{fault.key.name} in {fault.key.unit} does not add up: its balance changes are {expected.booked}, "
        f"its balances are {there.booked} (in the smallest unit)"
    )


async def _answers(subject: Subject, settings: Settings) -> None:
    """A server that is away, or has data of other secrets, shall be told at once."""
    async with journal_of(subject.service, settings) as journal:
        await journal.ping()


def _names(subject: Subject) -> list[str]:
    pending = ["closing_pending"] if subject.has_pending else []
    return [*subject.labels, "day", "opening", *subject.columns.names, "closing", *pending]


def _lines(found: Found) -> Iterable[Document]:
    for book in found.books:
        for row in (*book.days, book.total, *book.apart):
            yield _line(found.subject, book, row)


def _line(subject: Subject, book: Book, row: Row) -> Document:
    def whole(minor: int) -> Decimal:
        return from_minor(minor, book.scale)

    values = {
        "day": row.day,
        "opening": whole(row.opening),
        **{name: whole(row.moved[name]) for name in subject.columns.names},
        "closing": whole(row.closing),
        "closing_pending": whole(row.closing_pending),
    }
    return {**dict(zip(subject.labels, book.key, strict=True)), **{name: values[name] for name in _names(subject)[2:]}}


def _told(value: str | Decimal) -> str:
    return f"{value:,f}" if isinstance(value, Decimal) else value


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False

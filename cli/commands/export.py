"""`fealty export`: changes and balances of points and gift cards as files for analysts; see :mod:`cli.exporting`."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cli.commands.console import Failure, complain
from cli.commands.declared import declared
from cli.commands.output import Form, print_json, say
from cli.commands.progress import progress_bar
from cli.commands.stores import journal_of, service_of
from cli.exporting import sources
from cli.exporting.columns import BALANCES, CARD_CHANGES, CARDS, CHANGES, Column
from cli.exporting.formats import Format
from cli.exporting.parts import Manifest, Parts, parts_in
from shared.errors import Unavailable
from shared.runtime.history import History
from shared.settings import Settings

PART_ROWS = 100_000
"""About so many rows has one file."""


class What(StrEnum):
    """What can be exported."""

    CHANGES = "changes"
    BALANCES = "balances"
    CARD_CHANGES = "giftcard-changes"
    CARDS = "giftcards"


COLUMNS: dict[What, Sequence[Column]] = {
    What.CHANGES: CHANGES,
    What.BALANCES: BALANCES,
    What.CARD_CHANGES: CARD_CHANGES,
    What.CARDS: CARDS,
}


@dataclass(frozen=True, slots=True)
class Exported:
    """A whole export: its rows, in so many files."""

    directory: Path
    rows: int
    parts: int


async def export(
    what: What, directory: Path, format_: Format, settings: Settings, part_rows: int = PART_ROWS
) -> Exported:
    """Write an export, or the rest of one that was cut short.

    :raises Failure: a server went away; what is there stays, and the same call goes on.
    """
    wanted = Manifest(export=what, format=format_, store=settings.store)
    with parts_in(directory, wanted, COLUMNS[what], part_rows) as parts, progress_bar(f"exporting {what}") as progress:
        if parts.rows:
            complain(f"continuing the interrupted export after {parts.rows:,} rows")
        try:
            await _write(what, parts, settings, lambda: progress(parts.rows, None))
        except Unavailable as error:
            raise Failure(f"interrupted: {error}; run the same command again to continue") from error
        return Exported(directory, parts.rows, parts.parts)


async def _write(what: What, parts: Parts, settings: Settings, progress: Callable[[], None]) -> None:
    of_cards = what in (What.CARD_CHANGES, What.CARDS)
    units = {} if of_cards else {each.id: each.unit for each in (await declared(settings)).programmes.values()}
    async with journal_of("giftcard" if of_cards else "points", settings) as journal:
        place = parts.after
        async for place, rows in _pages(what, History(journal), settings, units, parts.after):
            parts.add(rows, place)
            progress()
        parts.complete(place)


def _pages(
    what: What, history: History, settings: Settings, units: sources.Units, after: str
) -> AsyncIterator[sources.Page]:
    store = settings.store
    match what:
        case What.CHANGES:
            return sources.changes(history, store, units, service_of("points", settings).changes, after)
        case What.BALANCES:
            return sources.balances(history, store, units, after)
        case What.CARD_CHANGES:
            return sources.card_changes(history, store, service_of("giftcard", settings).changes, after)
        case What.CARDS:
            return sources.cards(history, store, after)


def show(exported: Exported, form: Form) -> None:
    """Print what was written."""
    if form is Form.JSON:
        print_json({"directory": str(exported.directory), "rows": exported.rows, "files": exported.parts})
    else:
        say(f"exported: {exported.rows:,} rows in {exported.parts:,} files in {exported.directory}")

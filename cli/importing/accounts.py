"""Rows that are opening balances of accounts (rules 4.1.6)."""

from collections.abc import Sequence
from datetime import datetime

from cli.importing.balances import LAYOUT, Key, Opening, booked_by, command_of, key_of, opening_of, refused_now
from cli.importing.kind import Planned, Refused
from cli.importing.reading import Row
from cli.points import programme_of
from schemas.programme import Programme
from services.points.streams import programme_stream
from shared.decider import Document
from shared.ids import account_id
from shared.money import to_minor
from shared.runtime.journal import Journal

_PROGRAMMES_MAX = 2_000


class AccountRows:
    """Each row is a credit of its own, also one with the account, programme and times of another."""

    service = "points"
    layout = LAYOUT
    grouped = "programme"
    reused = Refused("was imported earlier with another value (idempotency_key_reused)")
    behind = Refused("follows a row with the same account, programme and times that was imported with another value")

    def __init__(self, store: str) -> None:
        self._store = store
        self._programmes: dict[str, Programme | None] = {}

    def key_of(self, row: Row) -> Key | None:
        """Account, programme and times."""
        return key_of(row)

    async def plan(self, rows: Sequence[Row], journal: Journal) -> list[Planned | Refused]:
        """Corrections by the rules of their programmes."""
        read = [opening_of(row) for row in rows]
        await self._load_programmes({each.key.programme for each in read if isinstance(each, Opening)}, journal)
        return [self._planned(each) for each in read]

    def repeats(self, first: int) -> Refused | str:
        """A separate credit."""
        return f"has the account, programme and times of line {first}: it is booked as a separate credit"

    def refused_now(self, planned: Planned, now: datetime) -> Refused | None:
        """When its programme is retired, or it has expired."""
        adjust, programme = planned.payload, planned.about
        return refused_now(adjust, programme, now)  # type: ignore[arg-type]

    def is_booked(self, planned: Planned, entry: Document) -> bool:
        """By the value that was credited."""
        programme: Programme = planned.about
        return booked_by(entry) == to_minor(planned.value, programme.scale)

    def _planned(self, opening: Opening | Refused) -> Planned | Refused:
        if isinstance(opening, Refused):
            return opening
        programme = self._programmes[opening.key.programme]
        if programme is None:
            return Refused(f"there is no programme {opening.key.programme!r}")
        adjust = command_of(opening, programme)
        if isinstance(adjust, Refused):
            return adjust
        account = account_id(self._store, opening.key.account_number)
        return Planned(opening.key, "points.adjust.v1", account, adjust, programme.id, adjust.value, programme)

    async def _load_programmes(self, names: set[str], journal: Journal) -> None:
        """Rules as they stand when the file first names them."""
        if len(self._programmes) > _PROGRAMMES_MAX:
            self._programmes.clear()
        streams = {programme_stream(self._store, name): name for name in names - self._programmes.keys()}
        if streams:
            stored = (await journal.load([], list(streams))).streams
            for stream, name in streams.items():
                self._programmes[name] = programme_of(stream, stored[stream]) if stream in stored else None

"""Importing rows, a page at a time: check, look up what is in already, send the rest as commands, tell the outcomes.

Each row has its own command id, derived from what it says and not from when it was sent: so a second run, after a
kill or with rows mended, finds in the journal what the first one booked, and books nothing twice. A row that the
service refused has booked nothing; it is asked again under the id of its next attempt, since a refusal is kept for
its id for good (protocol P2).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cli.importing.balances import (
    Key,
    Opening,
    Refused,
    booked_by,
    command_id,
    command_of,
    key_of,
    opening_of,
    refused_now,
)
from cli.importing.reading import Row
from cli.importing.repeats import Repeats
from cli.importing.sending import letters, outcomes, publish, settled
from cli.importing.tally import Tally
from cli.points import programme_of
from schemas.envelope import Envelope
from schemas.points import Adjust
from schemas.programme import Programme
from schemas.replies import Status
from services.points.streams import programme_stream
from shared.clock import instant, now_ms
from shared.decider import Document
from shared.hashing import to_json
from shared.ids import account_id
from shared.money import to_minor
from shared.runtime.journal import Journal
from shared.runtime.kafka import Producer, Record, partition_of
from shared.settings import Settings

_SOURCE = "/import"
_ACTOR = "import"
_PROGRAMMES_MAX = 2_000
_REUSED = Refused("was imported earlier with another value (idempotency_key_reused)")
_BEHIND = Refused("follows a row with the same account, programme and times that was imported with another value")


@dataclass(slots=True)
class _Item:
    """A row on its way: its command, its number among those with its key, and the attempt that it is at."""

    row: Row
    key: Key
    adjust: Adjust
    programme: Programme
    number: int
    attempt: int = 0


class Importer:
    """Imports the rows of one file; without a `producer` it only says what would become of them.

    `told` hears of each refused row and why, in the order of the file; `noted` of what is only worth a look.
    """

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        label: str,
        told: Callable[[Row, str], None],
        noted: Callable[[Row, str], None],
        producer: Producer | None = None,
    ) -> None:
        self.tally = Tally()
        self._settings = settings
        self._journal = journal
        self._label = label
        self._told = told
        self._noted = noted
        self._producer = producer
        self._repeats = Repeats()
        self._programmes: dict[str, Programme | None] = {}
        self._flying: dict[str, _Item] = {}
        self._letters: dict[str, Document] = {}
        self._refused: list[tuple[Row, str]] = []

    def close(self) -> None:
        """Forget what was counted."""
        self._repeats.close()

    async def page(self, rows: Sequence[Row]) -> None:
        """Send the file's next rows, and wait for the outcomes of those before: two pages are under way at most.

        :raises Unavailable: a server is away.
        :raises Unanswered: the service does not come to what was sent.
        """
        items = await self._unknown(await self._readable(rows))
        ready = {self._id(item): item for item in items if self._may_go(item)}
        if self._producer is None:
            for item in ready.values():
                self._count(item, known=False)
        else:
            before = await letters(self._journal, {each: each for each in ready})
            await publish(self._producer, [self._record(each, item) for each, item in ready.items()])
            await self._land()
            self._flying, self._letters = ready, before
        self._tell()

    async def finish(self) -> None:
        """Wait for the outcomes of the last rows; raises as :meth:`page` does."""
        await self._land()
        self._tell()

    async def _readable(self, rows: Sequence[Row]) -> list[_Item]:
        """The rows that can be read. Every key is counted, so that a row keeps its number when others are mended."""
        read = [(row, key_of(row), opening_of(row)) for row in rows]
        await self._load_programmes({opening.key.programme for _, _, opening in read if isinstance(opening, Opening)})
        items = []
        for row, key, opening in read:
            number, first = (0, row.line) if key is None else self._repeats.count(key, row.line)
            if isinstance(opening, Refused):
                self._refuse(row, opening)
                continue
            programme = self._programmes[opening.key.programme]
            if programme is None:
                self._refuse(row, Refused(f"there is no programme {opening.key.programme!r}"))
                continue
            adjust = command_of(opening, programme)
            if isinstance(adjust, Refused):
                self._refuse(row, adjust)
                continue
            if number:
                self.tally.repeated += 1
                self._noted(
                    row, f"has the account, programme and times of line {first}: it is booked as a separate credit"
                )
            items.append(_Item(row, opening.key, adjust, programme, number))
        return items

    async def _load_programmes(self, names: set[str]) -> None:
        """Rules as they stand when the file first names them."""
        if len(self._programmes) > _PROGRAMMES_MAX:
            self._programmes.clear()
        streams = {programme_stream(self._settings.store, name): name for name in names - self._programmes.keys()}
        if streams:
            stored = (await self._journal.load([], list(streams))).streams
            for stream, name in streams.items():
                self._programmes[name] = programme_of(stream, stored[stream]) if stream in stored else None

    async def _unknown(self, items: list[_Item]) -> list[_Item]:
        """The rows that are not in yet: one query, one more for those refused before, and so on."""
        unknown: list[_Item] = []
        while items:
            found, _ = await outcomes(self._journal, map(self._id, items))
            again: list[_Item] = []
            for item in items:
                entry = found.get(self._id(item))
                if entry is None:
                    unknown.append(item)
                elif entry["status"] == Status.REJECTED:
                    item.attempt += 1
                    again.append(item)
                else:
                    self._accepted(item, entry, known=True)
            items = again
        return unknown

    def _may_go(self, item: _Item) -> bool:
        """Whether the row may be sent. After a row with another value its key's numbers may have shifted: no more."""
        if item.number and self._repeats.stopped(item.key):
            self._refuse(item.row, _BEHIND)
            return False
        if refused := refused_now(item.adjust, item.programme, instant(now_ms())):
            self._refuse(item.row, refused)
            return False
        return True

    def _record(self, command: str, item: _Item) -> Record:
        settings = self._settings
        account = account_id(settings.store, item.key.account_number)
        envelope = Envelope(command, "points.adjust.v1", _SOURCE, account, store=settings.store, actor=_ACTOR)
        value = to_json(item.adjust.model_dump(by_alias=True, exclude_none=True))
        place = partition_of(account, settings.partitions)
        return Record(settings.topic("points.commands"), place, account.encode(), value, envelope.headers())

    async def _land(self) -> None:
        """Wait for the outcomes of what was sent."""
        if not self._flying:
            return
        ids = list(self._flying)
        found = await settled(self._journal, ids, self._letters, self._settings.not_after_ms)
        for each, item in self._flying.items():
            entry = found[each]
            if entry["status"] == Status.ACCEPTED:
                self._accepted(item, entry, known=False)
            else:
                self._refuse(item.row, Refused(f"{entry['code']}: {entry['detail']}"))
        self._flying = {}

    def _accepted(self, item: _Item, entry: Document, *, known: bool) -> None:
        """The row is in, unless what was booked under its id is another value."""
        if booked_by(entry) == to_minor(item.adjust.value, item.programme.scale):
            self._count(item, known=known)
        else:
            self._repeats.stop(item.key)
            self._refuse(item.row, _REUSED)

    def _count(self, item: _Item, *, known: bool) -> None:
        self.tally.count(item.programme.id, item.adjust.value, known=known)

    def _refuse(self, row: Row, refused: Refused) -> None:
        self._refused.append((row, refused.reason))

    def _tell(self) -> None:
        """Tell of refused rows up to the first whose outcome is not known yet, so that they come in their order."""
        flying = min((item.row.line for item in self._flying.values()), default=None)
        waiting = []
        for row, reason in sorted(self._refused, key=lambda refused: refused[0].line):
            if flying is not None and row.line > flying:
                waiting.append((row, reason))
            else:
                self.tally.refused += 1
                self._told(row, reason)
        self._refused = waiting

    def _id(self, item: _Item) -> str:
        return command_id(self._settings.store, self._label, item.key, item.number, item.attempt)

"""Importing rows, a page at a time: check, look up what is in already, send the rest as commands, tell the outcomes.

Each row has its own command id, derived from what it says and not from when it was sent: so a second run, after a
kill or with rows mended, finds in the journal what the first one booked, and books nothing twice. A row that the
service refused has booked nothing; it is asked again under the id of its next attempt, since a refusal is kept for
its id for good (protocol P2).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cli.importing.kind import Planned, Refused, RowKind
from cli.importing.reading import Row
from cli.importing.repeats import Repeats
from cli.importing.sending import letters, outcomes, publish, settled
from cli.importing.tally import Tally
from schemas.envelope import Envelope
from schemas.replies import Status
from shared.clock import instant, now_ms
from shared.decider import Document
from shared.hashing import to_json
from shared.ids import derived_id
from shared.runtime.journal import Journal
from shared.runtime.kafka import Producer, Record, partition_of
from shared.settings import Settings

_SOURCE = "/import"
_ACTOR = "import"


@dataclass(slots=True)
class _Item:
    """A row on its way: its command, its number among those with its key, and the attempt that it is at."""

    row: Row
    planned: Planned
    number: int
    attempt: int = 0


def command_id(store: str, label: str, key: Sequence[str], number: int, attempt: int) -> str:
    """The id under which the `number`th row (from 0) with this key is booked; `attempt` counts refusals before."""
    return derived_id("import", store, label, *key, number, *([attempt] if attempt else []))


class Importer:
    """Imports the rows of one file, all of a kind; without a `producer` it only says what would become of them.

    `told` hears of each refused row and why, in the order of the file; `noted` of what is only worth a look.
    """

    def __init__(
        self,
        settings: Settings,
        kind: RowKind,
        journal: Journal,
        label: str,
        told: Callable[[Row, str], None],
        noted: Callable[[Row, str], None],
        producer: Producer | None = None,
    ) -> None:
        self.tally = Tally()
        self._settings = settings
        self._kind = kind
        self._journal = journal
        self._label = label
        self._told = told
        self._noted = noted
        self._producer = producer
        self._repeats = Repeats()
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
        items = []
        for row, planned in zip(rows, await self._kind.plan(rows, self._journal), strict=True):
            key = self._kind.key_of(row)
            number, first = (0, row.line) if key is None else self._repeats.count(key, row.line)
            if isinstance(planned, Refused):
                self._refuse(row, planned)
                continue
            if number:
                repeated = self._kind.repeats(first)
                if isinstance(repeated, Refused):
                    self._refuse(row, repeated)
                    continue
                self.tally.repeated += 1
                self._noted(row, repeated)
            items.append(_Item(row, planned, number))
        return items

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
        if item.number and self._repeats.stopped(item.planned.key):
            self._refuse(item.row, self._kind.behind)
            return False
        if refused := self._kind.refused_now(item.planned, instant(now_ms())):
            self._refuse(item.row, refused)
            return False
        return True

    def _record(self, command: str, item: _Item) -> Record:
        settings, planned = self._settings, item.planned
        envelope = Envelope(command, planned.type, _SOURCE, planned.subject, store=settings.store, actor=_ACTOR)
        value = to_json(planned.payload.model_dump(by_alias=True, exclude_none=True))
        place = partition_of(planned.subject, settings.partitions)
        topic = settings.topic(f"{self._kind.service}.commands")
        return Record(topic, place, planned.subject.encode(), value, envelope.headers())

    async def _land(self) -> None:
        """Wait for the outcomes of what was sent."""
        if not self._flying:
            return
        ids = list(self._flying)
        found = await settled(self._journal, ids, self._letters, self._settings.not_after_ms, self._kind.service)
        for each, item in self._flying.items():
            entry = found[each]
            if entry["status"] == Status.ACCEPTED:
                self._accepted(item, entry, known=False)
            else:
                self._refuse(item.row, Refused(f"{entry['code']}: {entry['detail']}"))
        self._flying = {}

    def _accepted(self, item: _Item, entry: Document, *, known: bool) -> None:
        """The row is in, unless what was booked under its id is another value."""
        if self._kind.is_booked(item.planned, entry):
            self._count(item, known=known)
        else:
            self._repeats.stop(item.planned.key)
            self._refuse(item.row, self._kind.reused)

    def _count(self, item: _Item, *, known: bool) -> None:
        self.tally.count(item.planned.group, item.planned.value, known=known)

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
        return command_id(self._settings.store, self._label, item.planned.key, item.number, item.attempt)

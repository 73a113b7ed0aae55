"""The sweep: it finds what has fallen due on quiet streams and proposes the commands that book it (rules 4.1.5).

What is due stands in the snapshots and in their index, nowhere else: a sweep that dies loses nothing, and the next
one finds the same. It only proposes. The command takes the one road into the service, and `decide` looks again.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import orjson
import structlog

from schemas.envelope import Envelope
from schemas.topics import HOUR_MS
from shared.backoff import Backoff
from shared.clock import instant, monotonic_s, now_ms
from shared.decider import Document
from shared.errors import Unavailable
from shared.ids import derived_id
from shared.metrics import DUE, OLDEST_DUE, PROPOSALS, SWEEPS
from shared.runtime.journal import Journal
from shared.runtime.kafka import Producer, Record, partition_of
from shared.runtime.service import Service
from shared.settings import Settings

log = structlog.get_logger()

_PAGES_MAX = 50
_CLOCKS_MS = 2_000
"""This process's clock and the broker's may differ by so much: what is due for less is left to the next round."""
_PATIENCE_S = 60.0
_LOOK_INTERVAL_S = 0.1


class Sweep:
    """Proposes what is due in the partitions of the command topic that this process holds.

    At most one page of proposals waits in the topic: the next page is read when these have been decided, or after a
    minute, so that ten thousand that fall due at one midnight do not stand before what callers send.
    """

    def __init__(
        self,
        service: Service,
        settings: Settings,
        journal: Journal,
        producer: Producer,
        partitions: Callable[[], Sequence[int]],
    ) -> None:
        self._service = service
        self._settings = settings
        self._journal = journal
        self._producer = producer
        self._partitions = partitions
        self._commands = settings.topic(f"{service.name}.commands")
        self._after: tuple[datetime, str] | None = None
        self._hour = 0
        self._undecided: set[str] = set()

    async def run(self) -> None:
        """Sweep for ever, every `sweep_interval_s`; with a server away, wait and go on where it stopped."""
        backoff = Backoff(first_ms=100)
        while True:
            try:
                await self.sweep()
            except Unavailable as error:
                log.info("the sweep is waiting", reason=str(error))
                await backoff.wait()
            else:
                backoff.reset()
            await asyncio.sleep(self._settings.sweep_interval_s)

    async def sweep(self) -> None:
        """Go through what is due, the earliest first, page by page; after many pages, leave the rest to the next."""
        name, seen = self._service.name, 0
        for _ in range(_PAGES_MAX):
            page = await self._page()
            seen += len(page)
            await self._propose(page)
            if len(page) < self._settings.sweep_page_max:
                self._after = None
                break
            self._after = (page[-1]["state"]["due_at"], page[-1]["_id"])
        DUE.labels(name).set(seen)
        SWEEPS.labels(name).inc()

    async def _page(self) -> list[Document]:
        """The next streams with something due, in the partitions held by now."""
        partitions, now = self._partitions(), instant(now_ms())
        surely = instant(now_ms() - _CLOCKS_MS)
        page = await self._journal.due(partitions, surely, self._after, self._settings.sweep_page_max)
        if self._after is None:
            late_s = (now - page[0]["state"]["due_at"]).total_seconds() if page else 0.0
            OLDEST_DUE.labels(self._service.name).set(late_s)
        return page

    async def _propose(self, page: Sequence[Document]) -> None:
        """Publish the proposals of a page, but for those made or decided in this hour, and give them their time."""
        hour = now_ms() // HOUR_MS
        if hour != self._hour:
            self._hour, self._undecided = hour, set()
        streams = {proposal_id(stream["_id"], stream["version"], hour): stream for stream in page}
        new = streams.keys() - self._undecided
        new -= await self._journal.decided(list(new))
        if not new:
            return
        proposals = {id_: self._proposal(id_, stream) for id_, stream in streams.items() if id_ in new}
        records = {id_: record for id_, record in proposals.items() if record is not None}
        await self._producer.publish(records.values())
        PROPOSALS.labels(self._service.name).inc(len(records))
        self._undecided |= new
        await self._decided(set(records))

    async def _decided(self, ids: set[str]) -> None:
        """Wait until these commands are decided, for a minute at most."""
        until_s = monotonic_s() + _PATIENCE_S
        while ids and monotonic_s() < until_s:
            await asyncio.sleep(_LOOK_INTERVAL_S)
            done = await self._journal.decided(list(ids))
            ids -= done
            self._undecided -= done

    def _proposal(self, id_: str, stream: Document) -> Record | None:
        """The command that books what is due on a stream; None when the service names none."""
        name = stream["_id"]
        assert self._service.wake is not None, "only a service that can be woken is swept"
        try:
            wake = self._service.wake(name, stream["state"])
            value = b"" if wake is None else orjson.dumps(wake.payload)
        except Exception as error:  # One stream that cannot be woken must not keep all others asleep.
            log.error("the sweep cannot process a stream", stream=name, version=stream["version"], exc_info=error)
            return None
        if wake is None:
            return None
        headers = Envelope(
            id=id_,
            type=wake.type,
            source=f"/{self._service.name}/sweep",
            subject=wake.subject,
            store=name.split("/")[1],
            correlation_id=id_,
        ).headers()
        partition = partition_of(wake.subject, self._settings.partitions)
        return Record(self._commands, partition, wake.subject.encode(), value, headers)


def proposal_id(stream: str, version: int, hour: int) -> str:
    """The id of what is proposed for a stream at a version, in an hour since the epoch.

    Whoever else proposes the same gives it the same id, so that it has one effect. One that was decided too early,
    since two clocks differ, and so booked nothing, is proposed anew in the next hour and not taken for the first.
    """
    return derived_id("sweep", stream, version, hour)

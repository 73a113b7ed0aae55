"""Feeds: each edge reads what the views are made of for itself, without a consumer group (docs/decisions/0012).

So no edge waits for another's membership to end. Where to begin is kept with the views, after what was written: the
last edge to write it may be behind another, which costs reading some records again. Views take only what is newer.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from faststream.kafka import KafkaBroker

from services.edge.views import offsets
from services.edge.views.views import Views
from shared.backoff import Backoff
from shared.clock import monotonic_s
from shared.errors import Unavailable
from shared.runtime.app import until_available
from shared.runtime.assigned import AssignedReader
from shared.runtime.consumer import FETCH_BYTES_MAX, PARTITION_FETCH_BYTES_MAX, Batch, Lease
from shared.runtime.health import Health, Part
from shared.runtime.kafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition, translated
from shared.runtime.stops import Stops
from shared.settings import Settings

log = structlog.get_logger()

Records = Sequence[ConsumerRecord[bytes, bytes]]

_PACE_S = 0.2
"""How soon after a small batch the next is taken, with all that came meanwhile; whoever comes alone waits for nothing.

A feed's writes are flushed to the disk that the services' transactions use: fewer and larger ones hinder less.
"""
_FAILURES_TOLD = 5
"""After so many in a row the process says that it is not ready, although both servers answer."""


class Feed:
    """Reads a topic, all partitions, and hands what came to `handle` until it is done.

    `handle` leaves out what cannot be read; what it raises besides :class:`Unavailable` ends the process.
    """

    def __init__(
        self,
        broker: KafkaBroker,
        topic: str,
        settings: Settings,
        health: Health,
        views: Views,
        handle: Callable[[Batch], Awaitable[None]],
    ) -> None:
        self.topic = settings.topic(topic)
        self._settings = settings
        self._views = views
        self._handle = handle
        self._state = health.part(f"edge:{topic}")
        self._places = [TopicPartition(self.topic, number) for number in range(settings.partitions)]
        self._stops = Stops(self._state)
        self._in_hand: Mapping[TopicPartition, int] = {}
        self._records_max = settings.batch_records_max
        self._stopping = False
        self._next_s = 0.0
        self._reader = AssignedReader(
            broker,
            settings,
            self._places,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=settings.feed_wait_ms,
            fetch_max_bytes=FETCH_BYTES_MAX,
            max_partition_fetch_bytes=PARTITION_FETCH_BYTES_MAX,
        )

    @property
    def consumer(self) -> AIOKafkaConsumer:
        """Its consumer; there once the broker has started."""
        return self._reader.consumer

    @property
    def state(self) -> Part:
        """The part of the process that this feed is."""
        return self._state

    def in_hand(self) -> dict[TopicPartition, int | None]:
        """All partitions, each with the first record that is being applied, if there is one."""
        return {place: self._in_hand.get(place) for place in self._places}

    def stop(self) -> None:
        """Ask the feed to end after what it has in hand."""
        self._stopping = True

    async def run(self) -> None:
        """Feed until :meth:`stop`."""
        await until_available(self._begin)
        self._state.joined()
        backoff = Backoff(first_ms=100)
        while not self._stopping:
            self._state.beat()
            try:
                await self._turn()
            except Unavailable as error:
                self._state.trouble(str(error))
                await backoff.wait()
            else:
                backoff.reset()

    async def _begin(self) -> None:
        """Go where the views are; a position past the end, of a topic that was made again, leads to its beginning."""
        self._state.beat()
        async with self._views.database() as database:
            found = await offsets.fed_until(database, self._places)
        new = [place for place in self._places if place not in found]
        async with translated("finding where to begin"), asyncio.timeout(self._settings.request_timeout_ms / 1000):
            begins = await self.consumer.beginning_offsets(new) if new else {}
        for place, offset in {**begins, **found}.items():  # All of them: no group knows where one goes on.
            self._reader.poller.seek(place, offset)

    async def _turn(self) -> None:
        """Poll once, when it is time for that, and apply what came."""
        await asyncio.sleep(max(0.0, self._next_s - monotonic_s()))
        taken_s = monotonic_s()
        polled = await self._reader.poll()
        for broken in polled.unreadable:
            self._stops.add(broken.place, broken.offset, broken.reason)
            self.consumer.pause(broken.place)
        if not polled.fetched:
            self._state.clear()
            return
        records = polled.records
        if len(records) < self._settings.batch_records_max // 2:
            self._next_s = taken_s + _PACE_S
        try:
            await self._apply(records)
        finally:
            self._in_hand = {}

    async def _apply(self, records: Records) -> None:
        """Hand over what came, in smaller parts after each failure, so that what costs much gets through."""
        backoff, failures = Backoff(first_ms=100), 0
        while records and not self._stopping:
            part, self._in_hand = records[: self._records_max], _first(records)
            try:
                await self._handle(Batch(part, _UNLIMITED, _nothing))
                async with self._views.database() as database:
                    await offsets.keep(database, _next(part))
            except Unavailable as error:
                failures += 1
                self._state.beat()
                self._records_max = max(1, len(part) // 2)
                log.warning("a view could not be updated", topic=self.topic, records=len(part), reason=str(error))
                if failures >= _FAILURES_TOLD:
                    self._state.trouble(str(error))
                await backoff.wait()
            else:
                failures, records = 0, records[len(part) :]
                backoff.reset()
                self._records_max = min(self._records_max * 2, self._settings.batch_records_max)
                self._state.progress()


_UNLIMITED = Lease(asyncio.Event(), math.inf)
"""Nobody else wants the partitions of a feed."""


async def _nothing() -> None:
    """A feed commits no offsets that a batch would have to wait for."""


def _first(records: Records) -> dict[TopicPartition, int]:
    first: dict[TopicPartition, int] = {}
    for record in records:
        first.setdefault(TopicPartition(record.topic, record.partition), record.offset)
    return first


def _next(records: Records) -> dict[TopicPartition, int]:
    return {TopicPartition(record.topic, record.partition): record.offset + 1 for record in records}

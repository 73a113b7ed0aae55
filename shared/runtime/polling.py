"""Polling a consumer so that nothing is skipped when it raises, and so that what can't be read is named.

aiokafka hands a partition's records out, moves its position, and may then raise for the next partition: what it had
handed out by then is gone, and a later commit would pass over it. So positions are kept here, and restored.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.clock import monotonic_s
from shared.errors import Unavailable
from shared.runtime.heads import Unreadable, read_heads
from shared.runtime.kafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition, translated
from shared.settings import Settings

POLL_FAILURES_MAX = 5
"""So many polls in a row that raise with no batch to blame, and the client is replaced."""

QUIET_S = 10.0
UNSERVED_MAX = 3
"""After so long without a record somebody looks whether there are any, and after so many errors in a row it counts."""

Fetched = Mapping[TopicPartition, Sequence[ConsumerRecord[bytes, bytes]]]


@dataclass(frozen=True, slots=True)
class Polled:
    """Records in order per partition, and the partitions whose very next batch can't be read."""

    fetched: Fetched
    unreadable: Sequence[Unreadable] = ()

    @property
    def records(self) -> list[ConsumerRecord[bytes, bytes]]:
        """All of them, a partition after the other."""
        return [record for records in self.fetched.values() for record in records]


@dataclass(slots=True)
class Poller:
    """Polls one consumer. `next_offsets` is where each partition goes on, as far as known.

    A partition that isn't in it goes on where its group has committed, or at its beginning. `failures` counts the
    polls in a row that raised with no batch to blame.
    """

    settings: Settings
    consumer: Callable[[], AIOKafkaConsumer]
    next_offsets: dict[TopicPartition, int] = field(default_factory=dict)
    failures: int = 0
    _lost: bool = False
    _heard_s: float = field(default_factory=monotonic_s)
    _unserved: Counter[TopicPartition] = field(default_factory=Counter)

    async def poll(self, timeout_ms: int, max_records: int | None = None) -> Polled:
        """Poll once.

        :raises Unavailable: the consumer raised, and no batch was found to blame; nothing was skipped.
        """
        if self._lost:
            await self._restore()
        consumer = self.consumer()
        try:
            fetched = await consumer.getmany(timeout_ms=timeout_ms, max_records=max_records)
        except Exception as error:  # Whatever it is: the client lets through what its tasks and codecs raise.
            self._lost = True
            self.failures += 1
            await self._restore()
            return await self._read_ahead(error, max_records)
        self.failures = 0
        if not fetched and monotonic_s() - self._heard_s > QUIET_S:
            self._heard_s = monotonic_s()
            return Polled({}, await self._look_into_silence())
        for place, records in fetched.items():
            self._heard_s = monotonic_s()
            self._unserved.pop(place, None)
            self.next_offsets[place] = records[-1].offset + 1
        return Polled(fetched)

    def seek(self, place: TopicPartition, offset: int) -> None:
        """Go on at `offset`, unless the partition is no longer ours."""
        consumer = self.consumer()
        if place in consumer.assignment():
            consumer.seek(place, offset)
            self.next_offsets[place] = offset

    def step_over(self, unreadable: Sequence[Unreadable]) -> None:
        """Go on behind what can't be read; for a reader that only looks, and books nothing."""
        for each in unreadable:
            self.seek(each.place, each.next_offset)

    def renewed(self) -> None:
        """The consumer is a new one, without positions."""
        self._lost = True

    def forget(self) -> None:
        """The assignment changed: partitions go on where their group has committed."""
        self.next_offsets.clear()
        self._lost = False

    async def _restore(self) -> None:
        """Position every partition where it stood before the consumer raised."""
        consumer = self.consumer()
        for place in consumer.assignment():
            offset = self.next_offsets.get(place)
            if offset is None:
                offset = await self._begins_at(consumer, place)
            self.seek(place, offset)
        self._lost = False

    async def _begins_at(self, consumer: AIOKafkaConsumer, place: TopicPartition) -> int:
        async with (
            translated("finding the committed offsets"),
            asyncio.timeout(self.settings.request_timeout_ms / 1000),
        ):
            committed = await consumer.committed(place)
            return int((await consumer.beginning_offsets([place]))[place]) if committed is None else int(committed)

    async def _read_ahead(self, error: Exception, max_records: int | None) -> Polled:
        """Find what can't be read; records that stand before it, in the same fetch, are handed out."""
        consumer = self.consumer()
        asked = consumer.assignment() - consumer.paused()
        places = {place: self.next_offsets[place] for place in asked if place in self.next_offsets}
        heads = await read_heads(self.settings, places) if places else {}
        fetched: dict[TopicPartition, Sequence[ConsumerRecord[bytes, bytes]]] = {}
        unreadable: list[Unreadable] = []
        for place, head in heads.items():
            if head.unreadable is None:
                continue
            if head.records:
                fetched[place] = head.records[:max_records]
                self.seek(place, fetched[place][-1].offset + 1)
            else:
                unreadable.append(head.unreadable)
        if not fetched and not unreadable:
            raise Unavailable(f"polling: {error!r}") from error
        self.failures = 0
        return Polled(fetched, unreadable)

    async def _look_into_silence(self) -> list[Unreadable]:
        """Partitions that have records, and whose broker has answered with an error several times in a row.

        The client only logs such an answer, and fetches again for ever.
        """
        consumer = self.consumer()
        places = consumer.assignment() - consumer.paused()
        for place in places:
            if place not in self.next_offsets:
                self.next_offsets[place] = await self._begins_at(consumer, place)
        async with translated("looking for the ends"), asyncio.timeout(self.settings.request_timeout_ms / 1000):
            ends = await consumer.end_offsets(list(places)) if places else {}
        behind = {
            place: self.next_offsets[place] for place, end in ends.items() if end > self.next_offsets.get(place, end)
        }
        heads = await read_heads(self.settings, behind) if behind else {}
        unserved = {
            place: head.unreadable
            for place, head in heads.items()
            if head.unreadable is not None and head.unreadable.raw is None
        }
        self._unserved = Counter({place: self._unserved[place] + 1 for place in unserved})
        return [each for place, each in unserved.items() if self._unserved[place] >= UNSERVED_MAX]

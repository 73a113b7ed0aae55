"""New records of a few partitions, each with the time of its arrival."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shared.clock import monotonic_s
from shared.runtime.kafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition, translated
from shared.runtime.polling import Poller
from shared.servers import kafka_options
from shared.settings import Settings

_POLL_MS = 100


@dataclass(frozen=True, slots=True)
class Arrived:
    """A record, and when it came, in seconds on the monotonic clock."""

    record: ConsumerRecord[bytes, bytes]
    at_s: float

    def header(self, name: str) -> str | None:
        """One header as text."""
        return next((value.decode() for key, value in self.record.headers if key == name), None)


class Tail:
    """Keeps what came, so that nothing is missed between two waits."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller
        self._arrived: list[Arrived] = []

    async def wait(self, count: int, wanted: Callable[[Arrived], bool], timeout_s: float) -> list[Arrived]:
        """The wanted records, as soon as there are `count` of them; fewer when the time is up."""
        deadline_s = monotonic_s() + timeout_s
        while True:
            found = [arrived for arrived in self._arrived if wanted(arrived)]
            if len(found) >= count or monotonic_s() >= deadline_s:
                return found
            polled = await self._poller.poll(_POLL_MS)
            now_s = monotonic_s()
            self._arrived += [Arrived(record, now_s) for record in polled.records]
            self._poller.step_over(polled.unreadable)


@asynccontextmanager
async def tail(settings: Settings, places: Sequence[TopicPartition]) -> AsyncIterator[Tail]:
    """What is appended to these partitions from now on.

    :raises Unavailable: the broker is away.
    """
    consumer = AIOKafkaConsumer(
        **kafka_options(settings),
        request_timeout_ms=settings.request_timeout_ms,
        fetch_max_wait_ms=settings.fetch_wait_ms,
        enable_auto_commit=False,
    )
    try:
        async with translated(f"Kafka at {settings.kafka}"):
            await asyncio.wait_for(consumer.start(), settings.request_timeout_ms / 1000)
            consumer.assign(list(places))
            poller = Poller(settings, lambda: consumer)
            for place, offset in (await consumer.end_offsets(list(places))).items():
                poller.seek(place, offset)
        yield Tail(poller)
    finally:
        await consumer.stop()

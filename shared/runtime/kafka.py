"""The only module of the runtime that speaks to aiokafka itself; docs/decisions/0002 says why it must.

FastStream creates, joins and stops the consumers and does the low-rate publishing. What it cannot do safely is
here: keyed batches to explicit partitions, explicit commits, positions, topic administration, error translation.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.errors import Unavailable
from shared.metrics import PUBLISHED
from shared.runtime.codecs import bound_codecs
from shared.servers import kafka_options
from shared.settings import Settings

__all__ = [
    "AIOKafkaConsumer",
    "ConsumerRebalanceListener",
    "ConsumerRecord",
    "KafkaError",
    "Producer",
    "Record",
    "TopicPartition",
    "commit",
    "partition_of",
    "renew",
    "translated",
]

PRODUCER_BATCH_BYTES = 1024 * 1024
REQUEST_BYTES_MAX = 2 * 1024 * 1024
_FAILURES_BEFORE_RENEWAL = 3
_STOP_TIMEOUT_S = 5.0

bound_codecs()

_LOST_MEMBERSHIP = (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)


class Record(NamedTuple):
    """A record to publish: a full topic name, a partition, a key, a JSON value and headers."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


Sent = list[tuple[str, int, asyncio.Future[Any]]]
"""What the client was given: the topic, the count and the acknowledgement of each batch."""


@lru_cache(maxsize=131_072)
def partition_of(key: str, partitions: int) -> int:
    """Where `key` lives: murmur2 as the Java client computes it, whatever partitioner the caller has."""
    return int((murmur2(key.encode()) & 0x7FFFFFFF) % partitions)


@asynccontextmanager
async def translated(what: str) -> AsyncIterator[None]:
    """Turn the client's errors and our time-outs into :class:`Unavailable`."""
    try:
        yield
    except TimeoutError as error:
        raise Unavailable(f"{what}: no answer in time") from error
    except (KafkaError, ConnectionError, OSError) as error:
        raise Unavailable(f"{what}: {error!r}") from error


class Producer:
    """An idempotent producer, `acks=all`, which sends ready-made batches to explicit partitions.

    One that fails several times in a row is replaced by a new one: its sender task may have died for good
    (aio-libs/aiokafka#1017), and everything handed over is published again from the journal anyway.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._timeout_s = settings.request_timeout_ms / 1000
        self._client: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._failures = 0

    async def start(self) -> None:
        """Connect.

        :raises Unavailable: when no broker answers.
        """
        client = AIOKafkaProducer(
            **kafka_options(self._settings),
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=PRODUCER_BATCH_BYTES,
            max_request_size=REQUEST_BYTES_MAX,
            request_timeout_ms=int(self._timeout_s * 1000),
        )
        try:
            async with translated("starting the producer"):
                await asyncio.wait_for(client.start(), self._timeout_s)
        except BaseException:
            await _stop(client)
            raise
        self._client = client
        self._failures = 0

    async def stop(self) -> None:
        """Disconnect; bounded, since with the broker away the client would wait for ever."""
        client, self._client = self._client, None
        if client is not None:
            await _stop(client)

    async def ensure_started(self) -> None:
        """Connect unless connected; one attempt at a time, since who starts another client forgets the first.

        :raises Unavailable: when no broker answers.
        """
        async with self._starting:
            if self._client is None:
                await self.start()

    async def publish(self, records: Iterable[Record]) -> None:
        """Hand over all records, in order per partition, and wait until every one is acknowledged.

        :raises Unavailable: when they are not all acknowledged in time; some may be, or may be later.
        """
        await self.ensure_started()
        await self._acknowledged(self._hand_over(records))

    async def publish_one(self, record: Record) -> None:
        """The same for a record of one of many callers at once: they share a batch with whoever waits beside them.

        :meth:`publish` would queue them for the partition, a round trip each; and aiokafka's `add_batch` counts what
        it waited once more with every turn, so that of hundreds some time out within a second.

        :raises Unavailable: when it is not acknowledged in time; it may be, or may be later.
        """
        await self.ensure_started()
        await self._acknowledged(self._add(record))

    async def _acknowledged(self, handing_over: Coroutine[Any, Any, Sent]) -> None:
        """Wait until the client has taken everything, and the broker acknowledged it."""
        try:
            async with translated("publishing"):
                await self._await_all(await asyncio.wait_for(handing_over, self._timeout_s))
        except Unavailable:
            self._failures += 1
            if self._failures >= _FAILURES_BEFORE_RENEWAL:
                await self.stop()
            raise
        self._failures = 0

    async def _add(self, record: Record) -> Sent:
        """Have the client add one record to the batch that waits for its partition, or to a new one."""
        topic, partition, key, value, headers = record
        client = self._started()
        return [(topic, 1, await client.send(topic, value, key, partition=partition, headers=headers))]

    def _started(self) -> AIOKafkaProducer:
        if self._client is None:
            raise Unavailable("the producer is being replaced")
        return self._client

    async def _hand_over(self, records: Iterable[Record]) -> Sent:
        """Give the client one batch after another."""
        client = self._started()
        builders: dict[tuple[str, int], BatchBuilder] = {}
        sent: Sent = []

        async def send(topic: str, partition: int, builder: BatchBuilder) -> None:
            count = builder.record_count()
            sent.append((topic, count, await client.send_batch(builder, topic, partition=partition)))

        for record in records:
            topic, partition, key, value, headers = record
            builder = builders.get((topic, partition))
            if builder is None:
                builder = builders[topic, partition] = client.create_batch()
            if builder.append(timestamp=None, key=key, value=value, headers=headers) is None:
                await send(topic, partition, builder)
                builder = builders[topic, partition] = client.create_batch()
                if builder.append(timestamp=None, key=key, value=value, headers=headers) is None:
                    raise ValueError(f"a record of {len(value)} bytes fits into no batch of {topic}")
        for (topic, partition), builder in builders.items():
            await send(topic, partition, builder)
        return sent

    async def _await_all(self, sent: Sent) -> None:
        """Wait for all; never cancel one, since the client goes on with a batch that it was given."""
        if not sent:
            return
        done, pending = await asyncio.wait([future for _, _, future in sent], timeout=self._timeout_s)
        for future in done:
            future.result()
        if pending:
            raise TimeoutError
        for topic, count, _ in sent:
            PUBLISHED.labels(topic).inc(count)


async def commit(consumer: AIOKafkaConsumer, offsets: dict[TopicPartition, int], timeout_s: float) -> bool:
    """Commit exactly these offsets (the next ones to read); False when the partitions are no longer ours.

    :raises Unavailable: when the coordinator does not answer in time.
    """
    try:
        async with translated("committing"):
            await asyncio.wait_for(consumer.commit(offsets), timeout_s)
    except Unavailable as error:
        if isinstance(error.__cause__, _LOST_MEMBERSHIP):
            return False
        raise
    return True


async def renew(subscriber: Any, timeout_s: float) -> None:
    """Replace the consumer of FastStream's `subscriber` by a new one, which joins anew.

    :raises Unavailable: the broker is away; do it again.
    """
    with suppress(Exception):  # What is wrong with the old one is why it goes.
        await asyncio.wait_for(subscriber.stop(), _STOP_TIMEOUT_S)
    async with translated("rejoining the group"):
        await asyncio.wait_for(subscriber.start(), timeout_s)


async def _stop(client: AIOKafkaProducer) -> None:
    with suppress(Exception):
        await asyncio.wait_for(client.stop(), _STOP_TIMEOUT_S)

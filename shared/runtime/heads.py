"""What stands at an offset, read past the consumer: which batch it is that can't be read, and its raw bytes.

A consumer raises for a whole fetch and names no partition. Here each partition is fetched and parsed by itself.
"""

import asyncio
import struct
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import READ_UNCOMMITTED, PartitionRecords
from aiokafka.errors import (
    CorruptRecordException,
    KafkaStorageError,
    UnknownError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.memory_records import MemoryRecords

from shared.runtime.kafka import ConsumerRecord, TopicPartition, translated
from shared.servers import kafka_options
from shared.settings import Settings

_WAIT_MS = 500
_FETCH_BYTES_MAX = 4 * 1024 * 1024
_PARTITION_BYTES_MAX = 512 * 1024
_HEADER = struct.Struct(">qiibIhi")
"""A batch's base offset, length (after these twelve bytes), leader epoch, magic, checksum, attributes, last delta."""
_LENGTH_FROM = 12
_MAGIC = 2
_UNSERVED = (CorruptRecordException, KafkaStorageError, UnknownError)
"""What a broker answers for a log that it can't read itself."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A batch that can't be read from `offset` on; what stands at `next_offset` is behind it.

    `raw` is the whole batch as it stands in the log, or None when the broker doesn't hand it out.
    """

    place: TopicPartition
    offset: int
    next_offset: int
    reason: str
    raw: bytes | None

    @property
    def where(self) -> str:
        """topic/partition/offset."""
        return f"{self.place.topic}/{self.place.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Head:
    """The next records of a partition and, behind them, what can't be read; None when all that was fetched could."""

    records: Sequence[ConsumerRecord[bytes, bytes]]
    unreadable: Unreadable | None


async def read_heads(settings: Settings, places: Mapping[TopicPartition, int]) -> dict[TopicPartition, Head]:
    """What stands at these offsets; a partition at its end, or without that offset, has an empty head.

    :raises Unavailable: the broker is away, or a partition has no leader.
    """
    heads: dict[TopicPartition, Head] = {}
    async with translated("reading past the consumer"), _client(settings) as client:
        await client.set_topics(sorted({place.topic for place in places}))
        for node, asked in _by_node(client, places).items():
            response = await client.send(node, _request(asked, places))
            for topic, partitions in response.topics:
                for number, error, _, *rest in partitions:
                    place = TopicPartition(topic, number)
                    heads[place] = _head(place, places[place], for_code(error), bytes(rest[-1] or b""))
    return heads


@asynccontextmanager
async def _client(settings: Settings) -> AsyncIterator[AIOKafkaClient]:
    client = AIOKafkaClient(**kafka_options(settings), request_timeout_ms=settings.request_timeout_ms)
    try:
        await asyncio.wait_for(client.bootstrap(), settings.request_timeout_ms / 1000)
        yield client
    finally:
        await client.close()


def _by_node(client: AIOKafkaClient, places: Mapping[TopicPartition, int]) -> dict[int, list[TopicPartition]]:
    nodes: dict[int, list[TopicPartition]] = defaultdict(list)
    for place in places:
        node = client.cluster.leader_for_partition(place)
        if node is None or node < 0:
            raise ConnectionError(f"{place.topic}/{place.partition} has no leader")
        nodes[node].append(place)
    return nodes


def _request(asked: Sequence[TopicPartition], places: Mapping[TopicPartition, int]) -> FetchRequest:
    by_topic: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for place in asked:
        by_topic[place.topic].append((place.partition, places[place], _PARTITION_BYTES_MAX))
    return FetchRequest(_WAIT_MS, 1, _FETCH_BYTES_MAX, READ_UNCOMMITTED, list(by_topic.items()))


def _head(place: TopicPartition, offset: int, error: Any, raw: bytes) -> Head:
    """Parse one partition's part of an answer, as the consumer would."""
    if error in _UNSERVED:
        return Head((), Unreadable(place, offset, offset + 1, f"the broker returns {error.__name__}", None))
    records: list[ConsumerRecord[bytes, bytes]] = []
    batches = MemoryRecords(raw)
    if raw and not batches.has_next():
        return Head((), Unreadable(place, offset, offset + 1, "there is no complete batch at this offset", raw))
    unpacked = PartitionRecords(place, batches, [], offset, None, None, True, READ_UNCOMMITTED)
    try:
        for record in unpacked:
            records.append(record)  # noqa: PERF402 - what came before the error is kept
    except Exception as broken:
        at = unpacked.next_fetch_offset
        last, batch = _batch_at(raw, at)
        return Head(records, Unreadable(place, at, last + 1, f"{type(broken).__name__}: {broken}"[:500], batch))
    return Head(records, None)


def _batch_at(raw: bytes, offset: int) -> tuple[int, bytes | None]:
    """The last offset of the batch that holds `offset`, and its bytes, by its header alone."""
    at = 0
    while at + _HEADER.size <= len(raw):
        base, length, _, magic, _, _, delta = _HEADER.unpack_from(raw, at)
        end = at + _LENGTH_FROM + length
        if magic != _MAGIC or length <= 0 or delta < 0:
            break
        if base + delta >= offset:
            return base + delta, raw[at:end]
        at = end
    return offset, raw[at:] or None

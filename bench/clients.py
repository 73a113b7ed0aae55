"""The bare side's connections, set as the runtime sets its own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from prometheus_client import Histogram
from pymongo import ASCENDING, InsertOne, ReplaceOne
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from bench.pattern import Published
from bench.templates import Document
from shared.metrics import BATCH_SECONDS
from shared.runtime.consumer import FETCH_BYTES_MAX, PARTITION_FETCH_BYTES_MAX
from shared.runtime.kafka import PRODUCER_BATCH_BYTES, REQUEST_BYTES_MAX
from shared.servers import kafka_options, mongodb_options
from shared.settings import Settings

_DURABLE = WriteConcern(w="majority", j=True)


Guarded = Sequence[InsertOne[Document] | ReplaceOne[Document]]


@dataclass(frozen=True, slots=True)
class Clients:
    """A consumer in the group, an idempotent producer, and the two collections."""

    consumer: AIOKafkaConsumer
    producer: AIOKafkaProducer
    mongo: AsyncIOMotorClient[Document]
    journal: AsyncIOMotorCollection[Document]
    snapshots: AsyncIOMotorCollection[Document]
    batch_seconds: Histogram

    async def prepare(self, catalogue: Document) -> None:
        """The index that the service has too, and the document that the declaration would give."""
        await self.journal.create_index([("writes", ASCENDING)], unique=True, sparse=True)
        with suppress(DuplicateKeyError):  # the other process was first
            await self.snapshots.insert_one(catalogue)

    async def write(self, guarded: Guarded, entries: Sequence[Document]) -> None:
        """One transaction."""
        async with await self.mongo.start_session() as session:
            session.start_transaction(read_concern=ReadConcern("snapshot"), write_concern=_DURABLE)
            result = await self.snapshots.bulk_write(guarded, ordered=True, session=session)
            replaced = sum(isinstance(operation, ReplaceOne) for operation in guarded)
            if result.matched_count != replaced:
                raise DuplicateKeyError("a version has moved on")
            if entries:
                await self.journal.insert_many(entries, session=session)
            await session.commit_transaction()

    async def publish(self, records: Sequence[Published]) -> None:
        """Ready-made batches by partition, all acknowledged."""
        batches: dict[tuple[str, int], Any] = {}
        sent: list[asyncio.Future[Any]] = []
        for topic, partition, key, value, headers in records:
            builder = batches.get((topic, partition)) or self.producer.create_batch()
            batches[topic, partition] = builder
            if builder.append(timestamp=None, key=key, value=value, headers=headers) is None:
                sent.append(await self.producer.send_batch(builder, topic, partition=partition))
                batches[topic, partition] = builder = self.producer.create_batch()
                builder.append(timestamp=None, key=key, value=value, headers=headers)
        for (topic, partition), builder in batches.items():
            sent.append(await self.producer.send_batch(builder, topic, partition=partition))
        await asyncio.gather(*sent)


def guard(document: Document, version: int | None) -> InsertOne[Document] | ReplaceOne[Document]:
    """Write `document` where `version` was read; None is nothing."""
    if version is None:
        return InsertOne(document)
    return ReplaceOne({"_id": document["_id"], "version": version}, document)


def producer_of(settings: Settings) -> AIOKafkaProducer:
    """An idempotent producer, which is still to be started."""
    return AIOKafkaProducer(
        **kafka_options(settings),
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_batch_size=PRODUCER_BATCH_BYTES,
        max_request_size=REQUEST_BYTES_MAX,
    )


@asynccontextmanager
async def clients(settings: Settings) -> AsyncIterator[Clients]:
    """Connected clients; the consumer has its partitions."""
    consumer = AIOKafkaConsumer(
        settings.topic("points.commands"),
        **kafka_options(settings),
        group_id=settings.group("points"),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=settings.fetch_wait_ms,
        fetch_max_bytes=FETCH_BYTES_MAX,
        max_partition_fetch_bytes=PARTITION_FETCH_BYTES_MAX,
        session_timeout_ms=settings.session_timeout_ms,
        heartbeat_interval_ms=settings.heartbeat_interval_ms,
        rebalance_timeout_ms=settings.rebalance_timeout_ms,
    )
    producer = producer_of(settings)
    mongo: AsyncIOMotorClient[Document] = AsyncIOMotorClient(**mongodb_options(settings.mongodb))
    database = mongo.get_database(settings.database("points"), write_concern=_DURABLE)
    batch_seconds = BATCH_SECONDS.labels(settings.topic("points.commands"))
    await producer.start()
    await consumer.start()
    try:
        yield Clients(consumer, producer, mongo, database["journal"], database["snapshots"], batch_seconds)
    finally:
        await consumer.stop()
        await producer.stop()
        mongo.close()

"""Where one run takes place: a prefix of its own on the servers, gone again afterwards."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.producer.message_accumulator import BatchBuilder
from pymongo import AsyncMongoClient

from bench.movements import Message
from schemas.topics import TOPICS
from services.registry import SERVICES
from shared.embedded.stack import Stack
from shared.ids import new_id
from shared.runtime.topics import create_topics
from shared.servers import kafka_options, mongodb_options
from shared.settings import Settings

COMMANDS = "points.commands"
GROUP = "points"

_BATCH_BYTES = 1024 * 1024

Prepared = dict[int, list[BatchBuilder]]
"""Ready-made batches by partition."""


@dataclass
class Arena:
    """One run's topics and database, and the clients that look at them."""

    settings: Settings
    producer: AIOKafkaProducer
    admin: AIOKafkaAdminClient
    mongo: AsyncMongoClient[dict[str, Any]]

    @property
    def database(self) -> Any:
        """The points service's database."""
        return self.database_of("points")

    def database_of(self, service: str) -> Any:
        """The database of a service."""
        return self.mongo[self.settings.database(service)]

    def prepare(self, messages: Iterable[Message]) -> Prepared:
        """Encode everything beforehand, so that filling the topic takes a moment only."""
        prepared: Prepared = defaultdict(list)
        for message in messages:
            builders = prepared[message.partition]
            if not builders or not _append(builders[-1], message):
                builders.append(self.producer.create_batch())
                _append(builders[-1], message)
        for builders in prepared.values():
            builders[-1].close()
        return prepared

    async def fill(self, prepared: Prepared, commands: str = COMMANDS) -> None:
        """Publish to a topic of commands and wait until the broker has it all; partitions side by side."""
        topic = self.settings.topic(commands)

        async def send(number: int, builders: list[BatchBuilder]) -> None:
            for builder in builders:
                await (await self.producer.send_batch(builder, topic, partition=number))

        await asyncio.gather(*(send(number, builders) for number, builders in prepared.items()))

    async def have_done(self, messages: Iterable[Message], service: str = "points") -> None:
        """Publish commands to a running service, and wait until they are done."""
        before, prepared = await self.done(service), [*messages]
        await self.fill(self.prepare(prepared), f"{service}.commands")

        async def done() -> int:
            return await self.done(service) - before

        await until(done, len(prepared))

    async def done(self, group: str = GROUP) -> int:
        """Commands whose offsets the group has committed."""
        offsets = await self.admin.list_consumer_group_offsets(self.settings.group(group))
        return sum(max(0, found.offset) for found in offsets.values())

    async def members(self) -> int:
        """Members of the group, 0 while it is rebalancing."""
        answer: Any
        (answer,) = await self.admin.describe_consumer_groups([self.settings.group(GROUP)])
        ((_, _, state, _, _, members, *_),) = answer.groups
        return len(members) if state == "Stable" else 0

    @asynccontextmanager
    async def reader(self, topic: str) -> AsyncIterator[tuple[AIOKafkaConsumer, dict[TopicPartition, int]]]:
        """A consumer at the beginning of a whole topic, and the topic's present ends."""
        name = self.settings.topic(topic)
        places = [TopicPartition(name, number) for number in range(self.settings.partitions)]
        consumer = AIOKafkaConsumer(**kafka_options(self.settings), auto_offset_reset="earliest")
        await consumer.start()
        try:
            consumer.assign(places)
            yield consumer, await consumer.end_offsets(places)
        finally:
            await consumer.stop()


async def until(look: Callable[[], Awaitable[int]], wanted: int, poll_s: float = 0.1, timeout_s: float = 900) -> None:
    """Look again and again until `wanted` is seen."""
    async with asyncio.timeout(timeout_s):
        while True:
            if await look() == wanted:
                return
            await asyncio.sleep(poll_s)


def _append(builder: BatchBuilder, message: Message) -> bool:
    found = builder.append(timestamp=None, key=message.key, value=message.value, headers=message.headers)
    return found is not None


@asynccontextmanager
async def new_arena(stack: Stack) -> AsyncIterator[Arena]:
    """A fresh prefix with its topics; nothing of it is left afterwards."""
    settings = Settings(**stack.settings, prefix=f"b{new_id()[-8:]}.")
    await create_topics(settings)
    producer = AIOKafkaProducer(
        **kafka_options(settings), acks="all", max_batch_size=_BATCH_BYTES, max_request_size=2 * _BATCH_BYTES
    )
    admin = AIOKafkaAdminClient(**kafka_options(settings))
    mongo: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(**mongodb_options(stack.mongodb_url))
    await producer.start()
    await admin.start()
    try:
        yield Arena(settings, producer, admin, mongo)
    finally:
        await producer.stop()
        for service in SERVICES:
            await mongo.drop_database(settings.database(service))
        await mongo.close()
        await admin.delete_topics([settings.topic(name) for name in TOPICS])
        await admin.close()

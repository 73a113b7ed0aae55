"""The other side of a transaction over HTTP: its command published, its reply awaited, and nothing in between.

What answers is `bench.bare`, with a reply among its patterns.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.arena import COMMANDS, Arena
from bench.clients import producer_of
from bench.copies import Place
from bench.templates import REPLIES, Document
from shared.ids import new_id
from shared.servers import kafka_options

_FETCH_WAIT_MS = 500
"""As the edge has it."""
_PARTITION = 0


class Asker:
    """Publishes copies of a command that the edge sent, and reads replies from a partition, as the edge does."""

    def __init__(self, arena: Arena, templates: Document, producer: AIOKafkaProducer) -> None:
        command = templates["records"][COMMANDS]["points/post_transaction/v1"]
        self._headers = {name: bytes(value) for name, value in command["headers"].items()}
        self._value = bytes(command["value"])
        self._commands, self._replies = arena.settings.topic(COMMANDS), arena.settings.topic(REPLIES)
        self._producer = producer
        self._waiting: dict[bytes, asyncio.Future[None]] = {}

    async def ask(self, place: Place) -> None:
        """One command on an account, until its reply is there."""
        correlation = new_id().encode()
        changed = {
            "ce_id": new_id().encode(),
            "ce_subject": place.account.encode(),
            "ce_correlationid": correlation,
            "ce_replyto": self._replies.encode(),
            "ce_replypartition": str(_PARTITION).encode(),
        }
        headers = [*(self._headers | changed).items()]
        done = self._waiting[correlation] = asyncio.get_running_loop().create_future()
        batch = self._producer.create_batch()
        batch.append(timestamp=None, key=place.account.encode(), value=self._value, headers=headers)
        await (await self._producer.send_batch(batch, self._commands, partition=place.partition))
        await done

    async def listen(self, consumer: AIOKafkaConsumer) -> None:
        """Resolve who waits, for ever."""
        while True:
            for records in (await consumer.getmany(timeout_ms=_FETCH_WAIT_MS)).values():
                for record in records:
                    done = self._waiting.pop(dict(record.headers)["ce_correlationid"], None)
                    if done is not None:
                        done.set_result(None)


@asynccontextmanager
async def asker(arena: Arena, templates: Document) -> AsyncIterator[Asker]:
    """One that listens."""
    settings, place = arena.settings, TopicPartition(arena.settings.topic(REPLIES), _PARTITION)
    producer = producer_of(settings)
    consumer = AIOKafkaConsumer(**kafka_options(settings), auto_offset_reset="latest", fetch_max_wait_ms=_FETCH_WAIT_MS)
    found = Asker(arena, templates, producer)
    await producer.start()
    await consumer.start()
    consumer.assign([place])
    await consumer.position(place)
    listening = asyncio.create_task(found.listen(consumer))
    try:
        yield found
    finally:
        listening.cancel()
        await consumer.stop()
        await producer.stop()

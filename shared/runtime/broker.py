"""Questions to the broker, over connections of their own: does it answer, and where does each partition end?

And to a client: where does it stand, and has a task of its own ended, which it logs and then goes on without?
"""

import asyncio
from collections.abc import Awaitable, Collection
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.runtime.kafka import translated
from shared.servers import kafka_options
from shared.settings import Settings

_PING_PAUSE_S = 0.2
_POSITION_S = 0.1
_STOP_TIMEOUT_S = 5.0
_TASKS = (
    ("_coordinator", "_coordination_task"),
    ("_coordinator", "_reset_committed_task"),
    ("_fetcher", "_fetch_task"),
)
"""What a consumer rests on: each runs as long as the consumer does."""


class Ping:
    """Asks any broker of the cluster for the metadata of one topic, on a connection of its own."""

    def __init__(self, settings: Settings, topic: str, timeout_s: float) -> None:
        self._settings = settings
        self._topic = topic
        self._timeout_s = timeout_s
        self._client: AIOKafkaAdminClient | None = None

    async def __call__(self) -> None:
        """Return when a broker answers; of several, another one is asked when one does not.

        :raises Unavailable: when none did in time.
        """
        async with translated("asking the broker"), asyncio.timeout(self._timeout_s):
            while True:
                try:
                    await self._ask()
                    return
                except (KafkaError, ConnectionError, OSError):
                    await asyncio.sleep(_PING_PAUSE_S)

    async def _ask(self) -> None:
        if self._client is None:
            timeout_ms = int(self._timeout_s * 1000)
            client = AIOKafkaAdminClient(**kafka_options(self._settings), request_timeout_ms=timeout_ms)
            try:
                await client.start()
            except BaseException:
                await _closed(client.close())
                raise
            self._client = client
        await self._client.describe_topics([self._topic])

    async def close(self) -> None:
        """Disconnect."""
        if self._client is not None:
            await _closed(self._client.close())


class Ends:
    """Where partitions end, as the broker says."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._timeout_s = settings.request_timeout_ms / 1000
        self._client: AIOKafkaConsumer | None = None
        self._starting = asyncio.Lock()

    async def of(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The next offset that will be written, of each.

        :raises Unavailable: when the broker does not answer in time, or a topic is not there.
        """
        if not places:
            return {}
        async with translated("asking for the ends of a topic"), asyncio.timeout(self._timeout_s):
            client = await self._started()
            return dict(await client.end_offsets(list(places)))

    async def close(self) -> None:
        """Disconnect."""
        if self._client is not None:
            await _closed(self._client.stop())

    async def _started(self) -> AIOKafkaConsumer:
        async with self._starting:
            if self._client is None:
                timeout_ms = int(self._timeout_s * 1000)
                client = AIOKafkaConsumer(**kafka_options(self._settings), request_timeout_ms=timeout_ms)
                try:
                    await client.start()
                except BaseException:
                    await _closed(client.stop())
                    raise
                self._client = client
            return self._client


async def position_of(consumer: AIOKafkaConsumer, place: TopicPartition) -> int | None:
    """The next offset that a consumer will hand out; None while it does not know, or the partition is not its own."""
    try:
        return int(await asyncio.wait_for(consumer.position(place), _POSITION_S))
    except (TimeoutError, KafkaError):
        return None


def dead_task(consumer: AIOKafkaConsumer) -> str | None:
    """The name of a task without which a consumer does nothing any more, if one has ended."""
    for owner, name in _TASKS:
        task: asyncio.Task[None] | None = getattr(getattr(consumer, owner), name, None)
        if task is not None and task.done():
            return name.strip("_").replace("_", " ")
    return None


async def _closed(closing: Awaitable[None]) -> None:
    with suppress(Exception):
        await asyncio.wait_for(closing, _STOP_TIMEOUT_S)

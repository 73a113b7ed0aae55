"""Consumer groups from outside, for operators: who is in one, and where an empty one goes on reading."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient

from shared.errors import FealtyError
from shared.runtime.kafka import AIOKafkaConsumer, TopicPartition, commit, translated
from shared.servers import kafka_options
from shared.settings import Settings

_LEFT = frozenset({"Dead", "Empty"})


@dataclass(frozen=True, slots=True)
class Positions:
    """One partition's first offset, its end, what the group has committed, and the first offset from an instant on.

    `committed` is None when the group has committed nothing, `since` the end when nothing has come since.
    """

    first: int
    end: int
    committed: int | None
    since: int


async def members(settings: Settings, group: str) -> int:
    """How many members a group has; one that was killed counts until its session times out.

    :raises Unavailable: the broker is away.
    """
    admin = AIOKafkaAdminClient(**kafka_options(settings), request_timeout_ms=settings.request_timeout_ms)
    async with translated("looking at the group"):
        await asyncio.wait_for(admin.start(), settings.request_timeout_ms / 1000)
        try:
            ((response),) = await admin.describe_consumer_groups([group])
        finally:
            await admin.close()
    ((error, _, state, _, _, present, *_),) = response.groups  # type: ignore[attr-defined]
    if error:
        raise FealtyError(f"group {group} cannot be described: error {error}")
    return 0 if state in _LEFT else max(1, len(present))


async def positions(settings: Settings, group: str, topic: str, since_ms: int) -> dict[int, Positions]:
    """Where a topic's partitions begin and end and where the group stands, by partition.

    :raises Unavailable: the broker is away.
    """
    places = [TopicPartition(topic, number) for number in range(settings.partitions)]
    async with translated("looking at offsets"), _member_of_none(settings, group) as consumer:
        first, end, since = await asyncio.gather(
            consumer.beginning_offsets(places),
            consumer.end_offsets(places),
            consumer.offsets_for_times(dict.fromkeys(places, since_ms)),
        )
        committed = await asyncio.gather(*map(consumer.committed, places))
    return {
        place.partition: Positions(
            first[place], end[place], done, end[place] if since.get(place) is None else since[place].offset
        )
        for place, done in zip(places, committed, strict=True)
    }


async def move(settings: Settings, group: str, topic: str, offsets: Mapping[int, int]) -> None:
    """Let an empty group go on at these offsets, by partition.

    :raises FealtyError: the group has members; nothing was moved.
    :raises Unavailable: the broker is away.
    """
    wanted = {TopicPartition(topic, number): offset for number, offset in offsets.items()}
    async with translated("moving the group"), _member_of_none(settings, group) as consumer:
        consumer.assign(list(wanted))
        if not await commit(consumer, wanted, settings.request_timeout_ms / 1000):
            raise FealtyError(f"group {group} has members; its offsets were not moved")


@asynccontextmanager
async def _member_of_none(settings: Settings, group: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A client that speaks of a group without joining it."""
    consumer = AIOKafkaConsumer(
        **kafka_options(settings),
        group_id=group,
        enable_auto_commit=False,
        request_timeout_ms=settings.request_timeout_ms,
    )
    try:
        await asyncio.wait_for(consumer.start(), settings.request_timeout_ms / 1000)
        yield consumer
    finally:
        await consumer.stop()


async def committed(settings: Settings) -> dict[str, dict[TopicPartition, int]]:
    """What each group of the broker has committed, by group; groups of other installations too.

    :raises Unavailable: the broker is away.
    """
    admin = AIOKafkaAdminClient(**kafka_options(settings), request_timeout_ms=settings.request_timeout_ms)
    async with translated("looking at the groups"):
        await asyncio.wait_for(admin.start(), settings.request_timeout_ms / 1000)
        try:
            names = [name for name, *_ in await admin.list_consumer_groups()]
            found = [await admin.list_consumer_group_offsets(name) for name in names]
        finally:
            await admin.close()
    return {
        name: {place: offsets.offset for place, offsets in each.items() if offsets.offset >= 0}
        for name, each in zip(names, found, strict=True)
    }


async def ends(settings: Settings, places: Iterable[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
    """The first offset and the end of each partition.

    :raises Unavailable: the broker is away.
    """
    wanted = list(places)
    consumer = AIOKafkaConsumer(**kafka_options(settings), request_timeout_ms=settings.request_timeout_ms)
    async with translated("looking for the ends"), asyncio.timeout(settings.request_timeout_ms / 1000):
        try:
            await consumer.start()
            first, end = await asyncio.gather(consumer.beginning_offsets(wanted), consumer.end_offsets(wanted))
        finally:
            await consumer.stop()
    return {place: (first[place], end[place]) for place in wanted}

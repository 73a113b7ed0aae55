"""Creating the topics of the one table (schemas/topics.py); never left to auto-creation."""

import asyncio
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from schemas.topics import TOPICS, Topic
from shared.errors import FealtyError
from shared.runtime.kafka import translated
from shared.servers import kafka_options
from shared.settings import Settings

_TOPIC_ALREADY_EXISTS = 36


class TopicMismatch(FealtyError):
    """A topic exists with another number of partitions than the settings say; adding some breaks the order per key."""


async def create_topics(settings: Settings, replication_factor: int = 1) -> list[str]:
    """Create what is missing, and set what exists to the table's settings. Returns the names created.

    :raises TopicMismatch: when a topic exists with another number of partitions.
    :raises Unavailable: when the broker is away.
    """
    wanted = {settings.topic(topic.name): topic for topic in TOPICS.values()}
    admin = AIOKafkaAdminClient(**kafka_options(settings), request_timeout_ms=settings.request_timeout_ms)
    async with translated("creating topics"):
        await asyncio.wait_for(admin.start(), settings.request_timeout_ms / 1000)
        try:
            existing = set(await admin.list_topics())
            missing = [name for name in wanted if name not in existing]
            await _check_partitions(admin, sorted(existing & set(wanted)), settings.partitions)
            await _create(admin, {name: wanted[name] for name in missing}, settings.partitions, replication_factor)
            kept = {name: topic for name, topic in wanted.items() if name in existing}
            if kept:
                await admin.alter_configs(
                    [ConfigResource(ConfigResourceType.TOPIC, name, topic.config) for name, topic in kept.items()]
                )
        finally:
            await admin.close()
    return missing


async def _create(
    admin: AIOKafkaAdminClient, topics: dict[str, Topic], partitions: int, replication_factor: int
) -> None:
    if not topics:
        return
    response = await admin.create_topics(
        [NewTopic(name, partitions, replication_factor, topic_configs=topic.config) for name, topic in topics.items()]
    )
    errors: list[tuple[Any, ...]] = response.topic_errors  # type: ignore[attr-defined]
    for name, code, *message in errors:
        if code not in (0, _TOPIC_ALREADY_EXISTS):
            raise FealtyError(f"topic {name} cannot be created: error {code} {message}")


async def _check_partitions(admin: AIOKafkaAdminClient, names: list[str], partitions: int) -> None:
    if not names:
        return
    for described in await admin.describe_topics(names):
        count = len(described["partitions"])
        if count != partitions:
            raise TopicMismatch(
                f"topic {described['topic']} has {count} partitions, but FEALTY_PARTITIONS is {partitions}; "
                f"set it to {count}"
            )

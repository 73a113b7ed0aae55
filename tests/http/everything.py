"""The whole state of an installation, stored and published, to show that an operation changed nothing."""

from collections.abc import Collection
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import TOPICS
from services.registry import SERVICES
from shared.servers import kafka_options
from tests.harness import Installation, header

QUERY_TOPICS = ("points.commands", "voucher.commands", "edge.replies")
"""The topics of queries and their replies."""


async def everything(installation: Installation) -> dict[str, Any]:
    """The documents of all collections, and the ends of all topics but those of :data:`QUERY_TOPICS`."""
    found: dict[str, Any] = {}
    for service in SERVICES:
        database = installation.mongo[installation.settings.database(service)]
        for name in sorted(await database.list_collection_names()):
            found[f"{service}.{name}"] = await database[name].find().sort("_id", 1).to_list(None)
    return {**found, **await _ends(installation, TOPICS.keys() - {*QUERY_TOPICS})}


async def types(installation: Installation, topic: str) -> list[str | None]:
    """The types of all records of a topic, in the order of partitions and offsets."""
    records = sorted(await installation.read(topic), key=lambda each: (each.partition, each.offset))
    return [header(record, "ce_type") for record in records]


async def _ends(installation: Installation, topics: Collection[str]) -> dict[str, int]:
    consumer = AIOKafkaConsumer(**kafka_options(installation.settings))
    await consumer.start()
    try:
        count = installation.settings.partitions
        names = [installation.settings.topic(topic) for topic in topics]
        places = [TopicPartition(name, number) for name in names for number in range(count)]
        return {f"{place.topic}/{place.partition}": end for place, end in (await consumer.end_offsets(places)).items()}
    finally:
        await consumer.stop()

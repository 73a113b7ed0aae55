"""`fealty topics`: create what is missing, and show what there is."""

import asyncio
from collections import Counter
from collections.abc import Mapping

from cli.commands.output import Form, Sheet, show
from schemas.topics import DAY_MS, TOPICS
from shared.runtime.kafka import AIOKafkaConsumer, TopicPartition, translated
from shared.runtime.topics import create_topics
from shared.servers import kafka_options
from shared.settings import Settings


async def topics(settings: Settings, form: Form = Form.TABLE) -> None:
    """Create the topics that are missing, set the others to the table's settings, and print all.

    :raises TopicMismatch: one exists with another number of partitions.
    :raises Unavailable: the broker is away.
    """
    created = set(await create_topics(settings))
    counts = await record_counts(settings)
    shown = Sheet(("topic", "owner", "partitions", "retention", "records", "created"))
    for topic in TOPICS.values():
        name = settings.topic(topic.name)
        shown.add(
            name,
            topic.owner,
            settings.partitions,
            keeps(topic.config),
            counts[name],
            name in created,
        )
    show(shown, form)


def keeps(config: Mapping[str, str]) -> str:
    """How long a topic with these settings remembers, in words."""
    if config.get("cleanup.policy") == "compact":
        return "the latest record of each key"
    retention_ms = int(config["retention.ms"])
    return "for ever" if retention_ms < 0 else f"{retention_ms / DAY_MS:g} days"


async def record_counts(settings: Settings) -> Counter[str]:
    """Offsets between the beginning and the end of each topic; where a topic is compacted, fewer records are left.

    :raises Unavailable: the broker is away.
    """
    names = [settings.topic(name) for name in TOPICS]
    places = [TopicPartition(name, number) for name in names for number in range(settings.partitions)]
    consumer = AIOKafkaConsumer(**kafka_options(settings), request_timeout_ms=settings.request_timeout_ms)
    counts: Counter[str] = Counter()
    async with translated("counting records"):
        try:
            await asyncio.wait_for(consumer.start(), settings.request_timeout_ms / 1000)
            first, end = await asyncio.gather(consumer.beginning_offsets(places), consumer.end_offsets(places))
        finally:
            await consumer.stop()
    for place in places:
        counts[place.topic] += end[place] - first[place]
    return counts

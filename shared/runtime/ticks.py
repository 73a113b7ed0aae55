"""A record now and then in each partition of a compacted topic: a quiet partition is never compacted (P10)."""

import asyncio
from collections.abc import Callable, Iterable

import orjson

from schemas.envelope import Envelope
from schemas.replies import TICK
from shared.errors import Unavailable
from shared.ids import new_id
from shared.runtime.kafka import Producer, Record
from shared.settings import Settings


async def tick(service: str, settings: Settings, producer: Producer, partitions: Callable[[], Iterable[int]]) -> None:
    """Tick for ever, every `tick_interval_s`, in the snapshot partitions of the command partitions held."""
    topic = settings.topic(f"{service}.snapshots")
    while True:
        await asyncio.sleep(settings.tick_interval_s)
        records = [tick_record(service, topic, partition) for partition in partitions()]
        try:
            await producer.publish(records)
        except Unavailable:
            continue  # The next one does as well.


def tick_record(service: str, topic: str, partition: int) -> Record:
    """A tick: one key a partition, so that compaction leaves a single one; readers skip the type."""
    headers = Envelope(id=new_id(), type=TICK, source=f"/{service}", subject="tick").headers()
    return Record(topic, partition, b"tick", orjson.dumps({}), headers)

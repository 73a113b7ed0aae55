"""The producer on a real broker: what many callers hand over at once for one partition is acknowledged, all of it."""

import asyncio

import pytest

from shared.ids import new_id
from shared.runtime.kafka import Producer, Record
from tests.harness import Installation

pytestmark = pytest.mark.real

CALLERS = 400


async def test_many_callers_publish_to_one_partition_at_once(empty_installation: Installation) -> None:
    """As an edge does when everybody wants the same account's points; each waits for an acknowledgement of its own."""
    settings = empty_installation.settings
    producer = Producer(settings.model_copy(update={"request_timeout_ms": 5_000}))
    topic, keys = settings.topic("points.commands"), [new_id().encode() for _ in range(CALLERS)]
    try:
        await producer.start()
        headers = [("ce_id", b"1")]
        await asyncio.gather(*(producer.publish_one(Record(topic, 2, key, b"{}", headers)) for key in keys))
    finally:
        await producer.stop()
    found = await empty_installation.read("points.commands")
    assert sorted(record.key or b"" for record in found) == sorted(keys)
    assert {(record.partition, record.value, tuple(record.headers)) for record in found} == {(2, b"{}", (*headers,))}

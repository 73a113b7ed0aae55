"""`python -m bench.one_a_message TEMPLATES`: the usual way, one transaction a message, 16 messages in parallel.

Each record is looked up, written in a transaction of its own and published, all awaited; accounts keep to one lane,
so that no two transactions meet. Documents, records and guarantees are those of the bare loop.
"""

import asyncio
import sys
from asyncio import Queue
from pathlib import Path

import uvloop
from aiokafka import ConsumerRecord, TopicPartition
from prometheus_client import start_http_server

from bench.clients import Clients, clients, guard
from bench.pattern import Pattern, Published, work_of
from bench.templates import load
from shared.runtime.kafka import partition_of
from shared.runtime.tuning import tune_memory
from shared.settings import Settings

LANES = 16
_LANE_RECORDS_MAX = 32
_POLL_TIMEOUT_MS = 50

Lane = Queue[ConsumerRecord[bytes, bytes]]


async def main(path: Path) -> None:
    """Join, say so by answering HTTP, and work until killed; offsets are committed whenever all is done."""
    settings, templates = Settings(), load(path)
    lanes: list[Lane] = [Queue(_LANE_RECORDS_MAX) for _ in range(LANES)]
    pattern = Pattern(templates, settings)
    async with clients(settings) as to:
        await to.prepare(templates["catalogue"])
        start_http_server(settings.port, settings.host)
        async with asyncio.TaskGroup() as tasks:
            for lane in lanes:
                tasks.create_task(_run(to, pattern, lane))
            tasks.create_task(_distribute(to, lanes))


async def _distribute(to: Clients, lanes: list[Lane]) -> None:
    done: dict[TopicPartition, int] = {}
    while True:
        fetched = await to.consumer.getmany(timeout_ms=_POLL_TIMEOUT_MS, max_records=LANES * _LANE_RECORDS_MAX)
        for place, records in fetched.items():
            for record in records:
                assert record.key is not None
                await lanes[partition_of(record.key.decode(), LANES)].put(record)
                done[place] = record.offset + 1
        if not fetched and done:
            for lane in lanes:
                await lane.join()
            await to.consumer.commit(done)
            done = {}


async def _run(to: Clients, pattern: Pattern, lane: Lane) -> None:
    while True:
        record = await lane.get()
        await _one(to, pattern, record)
        lane.task_done()


async def _one(to: Clients, pattern: Pattern, record: ConsumerRecord[bytes, bytes]) -> None:
    work = work_of(record)
    if work is None:
        return
    with to.batch_seconds.time():
        _, found = await asyncio.gather(
            to.journal.find_one({"_id": work.id}), to.snapshots.find_one({"_id": work.stream})
        )
        read: int | None = None if found is None else found["version"]
        version = (read or 0) + 1
        entry = pattern.entry(work, version)
        await to.write([guard(pattern.snapshot(work, version), read)], [entry])
        await _publish(to, [*pattern.published(work, entry), pattern.snapshot_record(work, version)])


async def _publish(to: Clients, records: list[Published]) -> None:
    """As one sends single records: handed to the client, which puts together what goes to the same partition."""
    sent = [
        await to.producer.send(topic, value, key=key, partition=partition, headers=headers)
        for topic, partition, key, value, headers in records
    ]
    await asyncio.gather(*sent)


if __name__ == "__main__":
    tune_memory()
    uvloop.run(main(Path(sys.argv[1])))

"""`python -m bench.bare TEMPLATES`: the ceiling. A worker's loop with nothing in it that thinks.

The same polls, reads, transaction, records and commits as a worker of the points service, on aiokafka and motor
alone: no envelope is parsed, nothing is validated, decided or derived. Only batches and guards are as in the real
loop, since without them the work would be another.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop
from aiokafka import ConsumerRecord, TopicPartition
from prometheus_client import start_http_server

from bench.clients import Clients, clients, guard
from bench.pattern import Pattern, Published, work_of
from bench.templates import Document, load
from shared.runtime.tuning import tune_memory
from shared.settings import Settings

Records = Sequence[ConsumerRecord[bytes, bytes]]


class Bare:
    """The loop and what it talks to."""

    def __init__(self, to: Clients, pattern: Pattern, catalogue: str) -> None:
        self._to = to
        self._pattern = pattern
        self._catalogue = catalogue
        self._committing: asyncio.Task[None] | None = None

    async def run(self, settings: Settings) -> None:
        """For ever."""
        while True:
            fetched = await self._to.consumer.getmany(
                timeout_ms=settings.poll_timeout_ms, max_records=settings.batch_records_max
            )
            records = [record for partition in fetched.values() for record in partition]
            if not records:
                continue
            started_s = time.monotonic()
            await self._batch(records)
            self._to.batch_seconds.observe(time.monotonic() - started_s)
            await self._settle()
            last = {TopicPartition(record.topic, record.partition): record.offset + 1 for record in records}
            self._committing = asyncio.create_task(self._to.consumer.commit(last))

    async def _batch(self, records: Records) -> None:
        works = [work for record in records if (work := work_of(record)) is not None]
        ends = {f"fence/{record.topic}/{record.partition}": record.offset + 1 for record in records}
        names = [*{work.stream for work in works}, *ends, self._catalogue]
        _, found = await asyncio.gather(
            self._to.journal.find({"_id": {"$in": [work.id for work in works]}}).to_list(None),
            self._to.snapshots.find({"_id": {"$in": names}}).to_list(None),
        )
        read: dict[str, int] = {document["_id"]: document["version"] for document in found}
        versions = dict(read)
        entries: list[Document] = []
        published: list[Published] = []
        touched = {}
        for work in works:
            versions[work.stream] = version = versions.get(work.stream, 0) + 1
            entry = self._pattern.entry(work, version)
            entries.append(entry)
            published.extend(self._pattern.published(work, entry))
            touched[work.stream] = work
        guarded = [guard({"_id": name, "version": end}, read.get(name)) for name, end in ends.items()]
        for stream, work in touched.items():
            document = self._pattern.snapshot(work, versions[stream])
            guarded.append(guard(document, read.get(stream)))
            published.append(self._pattern.snapshot_record(work, versions[stream]))
        await self._settle()
        await self._to.write(guarded, entries)
        await self._to.publish(published)

    async def _settle(self) -> None:
        committing, self._committing = self._committing, None
        if committing is not None:
            await committing


async def main(path: Path) -> None:
    """Join, say so by answering HTTP, and work until killed."""
    settings, templates = Settings(), load(path)
    async with clients(settings) as to:
        await to.prepare(templates["catalogue"])
        start_http_server(settings.port, settings.host)
        await Bare(to, Pattern(templates, settings), templates["catalogue"]["_id"]).run(settings)


if __name__ == "__main__":
    tune_memory()
    uvloop.run(main(Path(sys.argv[1])))

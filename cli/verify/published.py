"""What stands in a service's topics, held against what its journal would publish (protocol P10).

A record is published only after its entry was journalled, so this too may run beside the service. What differs are
records of a time that the journal no longer knows, as after the restore of a backup.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import orjson

from shared.clock import monotonic_s
from shared.errors import Unavailable
from shared.findings import NOTHING, Difference, Finding, differences
from shared.ids import closing_id
from shared.runtime.entries import HELD, JournalEntry
from shared.runtime.heads import Unreadable
from shared.runtime.history import History
from shared.runtime.kafka import AIOKafkaConsumer, ConsumerRecord, Record, TopicPartition, translated
from shared.runtime.polling import Poller
from shared.runtime.publish import RecordBuilder
from shared.runtime.service import Service
from shared.servers import kafka_options
from shared.settings import Settings

_FINDINGS_MAX = 1_000
_RECORDS_MAX = 500
_POLL_MS = 500
_CAUSE = "ce_causationid"
_ID = "ce_id"

Read = ConsumerRecord[bytes, bytes]


@dataclass(slots=True)
class PublishedReport:
    """How many records were looked at, and which differ: `findings`, by topic/partition/offset, has the first of them.

    `off` counts all records that differ.
    """

    records: int = 0
    off: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Nothing differs."""
        return self.off == 0

    def add(self, record: Read, found: Sequence[Difference]) -> None:
        """Note where a record differs."""
        self.off += 1
        place = f"{record.topic}/{record.partition}/{record.offset}"
        room = max(0, _FINDINGS_MAX - len(self.findings))
        self.findings += [Finding(place, each) for each in found[:room]]

    def add_unreadable(self, unreadable: Sequence[Unreadable]) -> None:
        """Note what can't be read."""
        self.off += len(unreadable)
        room = max(0, _FINDINGS_MAX - len(self.findings))
        self.findings += [
            Finding(each.where, Difference("batch", "readable", each.reason)) for each in unreadable[:room]
        ]


async def verify_published(
    service: Service,
    settings: Settings,
    history: History,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> PublishedReport:
    """Read `<service>.events`, and `<service>.changes` where there is one, to their present end.

    `progress` hears of records done and all.

    :raises Unavailable: a server is away or too slow; nothing is said about the topics then.
    """
    report = PublishedReport()
    build = RecordBuilder(service, settings)
    kinds = ("events", "changes") if service.changed else ("events",)
    topics = [settings.topic(f"{service.name}.{kind}") for kind in kinds]
    async with aclosing(_read(settings, topics)) as batches:
        async for records, unreadable, total in batches:
            report.add_unreadable(unreadable)
            entries = await _causes(records, history)
            expected = {
                (each.topic, dict(each.headers)[_ID]): each for entry in entries.values() for each in build.entry(entry)
            }
            for record in records:
                if found := _off(record, expected.get((record.topic, _header(record, _ID).encode()))):
                    report.add(record, found)
            report.records += len(records)
            progress(report.records, total)
    return report


async def _causes(records: Iterable[Read], history: History) -> dict[str, JournalEntry]:
    """The entries that caused these records. A refusal of what was held names that, and comes from what closed it."""
    entries = {**await history.entries([*{_header(record, _CAUSE) for record in records}])}
    closing = [closing_id(each) for each, entry in entries.items() if entry["status"] == HELD]
    return {**entries, **await history.entries(closing)}


async def _read(
    settings: Settings, topics: Sequence[str]
) -> AsyncGenerator[tuple[list[Read], Sequence[Unreadable], int], None]:
    """All records of these topics up to their present end, in batches, each with what can't be read and a total."""
    places = [TopicPartition(topic, number) for topic in topics for number in range(settings.partitions)]
    consumer = AIOKafkaConsumer(
        **kafka_options(settings),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=settings.request_timeout_ms,
    )
    timeout_s = settings.request_timeout_ms / 1000
    try:
        async with translated("reading topics"):
            await asyncio.wait_for(consumer.start(), timeout_s)
            first, ends = await asyncio.gather(consumer.beginning_offsets(places), consumer.end_offsets(places))
        left = {place: end for place, end in ends.items() if end > first[place]}
        total = sum(ends.values()) - sum(first.values())
        consumer.assign(list(left))
        poller = Poller(settings, lambda: consumer)
        for place in left:
            poller.seek(place, first[place])
        heard_s = monotonic_s()
        while left:
            polled = await poller.poll(_POLL_MS, _RECORDS_MAX)
            poller.step_over(polled.unreadable)
            if polled.records or polled.unreadable:
                yield polled.records, polled.unreadable, total
                heard_s = monotonic_s()
            elif monotonic_s() > heard_s + 3 * timeout_s:
                raise Unavailable("reading topics: no more records arrived")
            async with translated("reading topics"):
                positions = {place: await asyncio.wait_for(consumer.position(place), timeout_s) for place in left}
            done = [place for place, position in positions.items() if position >= left[place]]
            for place in done:
                del left[place]
            if done:
                consumer.pause(*done)
    finally:
        await consumer.stop()


def _off(record: Read, expected: Record | None) -> list[Difference]:
    """Where a published record differs from the one that the journal would publish; always somewhere if it does."""
    found = list(_compared(record, expected))
    same = expected is not None and (record.value, [*record.headers]) == (expected.value, expected.headers)
    return found if found or same else [Difference("bytes", "as the journal gives them", "in another order or form")]


def _compared(record: Read, expected: Record | None) -> Iterator[Difference]:
    if expected is None:
        yield Difference("record", NOTHING, _header(record, _ID) or "one without an id")
        return
    if record.partition != expected.partition:
        yield Difference("partition", str(expected.partition), str(record.partition))
    if record.key != expected.key:
        yield Difference("key", repr(expected.key), repr(record.key))
    if [*record.headers] != expected.headers:
        yield from differences(_texts(expected.headers), _texts(record.headers), "headers ")
    if record.value != expected.value:
        yield from differences(orjson.loads(expected.value), _json(record.value), "value ")


def _header(record: Read, name: str) -> str:
    return next((value.decode(errors="replace") for key, value in record.headers if key == name and value), "")


def _texts(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    return {name: (value or b"").decode(errors="replace") for name, value in headers}


def _json(value: bytes | None) -> Any:
    """A value to compare with: JSON's, or whatever else stands there."""
    try:
        return orjson.loads(value or b"")
    except ValueError:
        return repr(value)

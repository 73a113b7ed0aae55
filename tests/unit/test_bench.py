"""The benchmark's own parts: the work is the same each time, and the bare side writes what a real worker writes."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock

import bson
import orjson
import pytest
from aiokafka import ConsumerRecord

from bench.__main__ import command_line
from bench.checks import Changes
from bench.contest import unlike
from bench.figures import batch_count, batch_ms, quantile, step_seconds
from bench.movements import Load, Message, declarations, messages
from bench.pattern import Pattern, Published, work_of
from bench.templates import KINDS, TOPICS, kind_of, load, save
from schemas.envelope import Envelope
from services.points.main import SERVICE
from shared.decider import Document
from shared.runtime.consumer import Batch, Lease
from shared.runtime.journal import Append, Loaded
from shared.runtime.kafka import Record
from shared.runtime.process import Processor
from shared.settings import Settings

SETTINGS = Settings(prefix="bench.")
PARTITIONS = SETTINGS.partitions
STARTED_MS = 1_795_000_000_000


def record_of(message: Message, offset: int) -> ConsumerRecord[bytes, bytes]:
    """What a consumer would get."""
    return cast(
        ConsumerRecord[bytes, bytes],
        SimpleNamespace(
            topic=SETTINGS.topic("points.commands"),
            partition=message.partition,
            offset=100_000 + offset,
            timestamp=STARTED_MS + offset,
            key=message.key,
            value=message.value,
            headers=tuple(message.headers),
        ),
    )


class Servers:
    """Stands for journal, producer and health: nothing is there before, and what a batch writes is kept."""

    def __init__(self) -> None:
        self.written = Append()
        self.published: list[Record] = []

    async def load(self, ids: Sequence[str], names: Sequence[str]) -> Loaded:
        return Loaded({}, {}, {})

    async def append(self, batch: Append) -> None:
        self.written = batch

    async def publish(self, records: Iterable[Record]) -> None:
        self.published.extend(records)

    def clear(self) -> None:
        pass

    def entry(self, kind: str) -> Document:
        """The last entry of a kind."""
        entries = [cast(Document, entry) for entry in self.written.entries if "writes" in entry]
        return [entry for entry in entries if kind_of(entry) == kind][-1]

    def caused_by(self, entry: Document) -> list[Record]:
        """What was published for an entry, in order."""
        wanted = ("ce_causationid", entry["_id"].encode())
        return [record for record in self.published if wanted in record.headers]

    def snapshots(self) -> dict[str, Document]:
        """Documents of streams."""
        return {document["_id"]: document for _, document in self.written.streams}


async def worked(records: Sequence[ConsumerRecord[bytes, bytes]]) -> Servers:
    """One batch done by a real worker's processor."""
    servers = Servers()
    fake: Any = servers
    processor = Processor(SERVICE, SETTINGS, fake, fake, fake)
    lease = Lease(asyncio.Event(), float("inf"))
    await processor.handle(Batch(records, lease, AsyncMock()))
    return servers


def template_of(records: Iterable[Record]) -> Document:
    """Records as the benchmark keeps them, by type."""
    return {
        dict(record.headers)["ce_type"].decode().replace(".", "/"): {
            "key": record.key,
            "value": record.value,
            "headers": dict(record.headers),
        }
        for record in records
    }


def size(record: Record | Published) -> tuple[int, int, int, int]:
    """Bytes of key and value, number of headers and their bytes."""
    _, _, key, value, headers = record
    return len(key), len(value), len(headers), sum(len(name) + len(text) for name, text in headers)


def test_the_work_is_the_same_each_time_and_every_redemption_can_be_paid() -> None:
    work = Load(movements=2_000, accounts=50, skew=1.0)
    first, second = list(messages(work, PARTITIONS)), list(messages(work, PARTITIONS))
    assert first == second
    assert len({dict(message.headers)["ce_id"] for message in first}) == 2_000
    balances: Counter[bytes] = Counter()
    redemptions = 0
    for message in first:
        (part,) = orjson.loads(message.value)["loyaltyPrograms"]
        redemptions += "redemptions" in part
        balances[message.key] += sum(each["value"] for each in part.get("loads", ()))
        balances[message.key] -= sum(each["value"] for each in part.get("redemptions", ()))
        assert balances[message.key] >= 0
    assert redemptions == 400


def test_skew_makes_some_accounts_hot() -> None:
    def share(skew: float) -> float:
        keys = Counter(message.key for message in messages(Load(5_000, 500, skew), PARTITIONS))
        return keys.most_common(1)[0][1] / 5_000

    assert share(0.0) < 0.01
    assert share(1.0) > 0.1


async def test_the_bare_side_writes_and_publishes_what_a_real_worker_does(tmp_path: Path) -> None:
    commands = [*declarations(PARTITIONS), *messages(Load(200, 20), PARTITIONS)]
    records = {dict(each.headers)["ce_id"].decode(): record_of(each, offset) for offset, each in enumerate(commands)}
    real = await worked(list(records.values()))
    entries = {kind: real.entry(kind) for kind in KINDS}
    by_topic: dict[str, list[Record]] = {topic: [] for topic in TOPICS}
    for record in real.published:
        by_topic[record.topic.removeprefix(SETTINGS.prefix)].append(record)
    documents = real.snapshots()
    some = work_of(records[entries["load"]["_id"]])
    assert some is not None
    templates: Document = {
        "entries": entries,
        "account": documents[some.stream],
        "catalogue": {},
        "records": {topic: template_of(found) for topic, found in by_topic.items()},
    }
    save(templates, tmp_path / "templates.bson")
    pattern = Pattern(load(tmp_path / "templates.bson"), SETTINGS)
    for kind, entry in entries.items():
        work = work_of(records[entry["_id"]])
        assert work is not None
        made = pattern.entry(work, 1 if kind == "open" else 7)
        assert len(bson.encode(made)) == len(bson.encode(entry))
        assert list(made) == list(entry)
        wanted, published = real.caused_by(entry), pattern.published(work, made)
        assert [(each.topic, each.partition) for each in wanted] == [(each[0], each[1]) for each in published]
        for one, other in zip(wanted, published, strict=True):
            assert size(other) == pytest.approx(size(one), abs=12)  # numbers have some digits more or less
    version = documents[some.stream]["version"]
    assert len(bson.encode(pattern.snapshot(some, version))) == len(bson.encode(documents[some.stream]))
    (snapshot,) = [record for record in by_topic["points.snapshots"] if record.key == some.stream.encode()]
    assert size(pattern.snapshot_record(some, version)) == pytest.approx(size(snapshot), abs=4)


def test_declarations_are_no_work_for_the_bare_side() -> None:
    for offset, message in enumerate(declarations(PARTITIONS)):
        assert Envelope.from_headers(message.headers).type == "points.put_programme.v1"
        assert work_of(record_of(message, offset)) is None


def test_a_repeated_change_is_skipped_and_a_gap_is_told() -> None:
    changes = Changes()
    for sequence in (1, 2, 2, 1, 3, 5):
        changes.take(b"a", sequence)
    changes.take(b"b", 1)
    assert (changes.read, changes.repeats) == (5, 2)
    assert changes.gaps == ["a: 5 follows 3"]


def test_quantiles_are_linear_within_a_bucket() -> None:
    buckets = {0.1: 50.0, 0.2: 100.0, float("inf"): 100.0}
    assert quantile(buckets, 0.5) == pytest.approx(0.1)
    assert quantile(buckets, 0.75) == pytest.approx(0.15)
    assert quantile({0.1: 0.0, float("inf"): 4.0}, 0.5) == pytest.approx(0.1)
    assert quantile({}, 0.5) is None
    assert quantile({0.1: 0.0, float("inf"): 0.0}, 0.5) is None


def steps(load_sum: float, counts: tuple[int, int]) -> str:
    """What a worker with one step publishes."""
    return (
        "# TYPE fealty_step_seconds histogram\n"
        f'fealty_step_seconds_bucket{{step="load",le="0.01"}} {counts[0]}\n'
        f'fealty_step_seconds_bucket{{step="load",le="+Inf"}} {counts[1]}\n'
        f'fealty_step_seconds_count{{step="load"}} {counts[1]}\n'
        f'fealty_step_seconds_sum{{step="load"}} {load_sum}\n'
    )


def test_figures_are_what_happened_between_two_looks() -> None:
    earlier, later = steps(1.0, (0, 10)), steps(1.5, (20, 30))
    assert step_seconds(later) == {"load": (1.5, 30)}
    assert batch_count([earlier], [later]) == 20
    assert batch_ms([earlier], [later], 0.5) == pytest.approx(5.0)


def test_a_histogram_of_whole_batches_is_preferred() -> None:
    whole = (
        "# TYPE fealty_batch_seconds histogram\n"
        'fealty_batch_seconds_bucket{topic="b1.points.commands",le="0.1"} 10\n'
        'fealty_batch_seconds_bucket{topic="b1.points.commands",le="+Inf"} 10\n'
        'fealty_batch_seconds_bucket{topic="b1.oms.fulfilments",le="0.1"} 70\n'
        'fealty_batch_seconds_bucket{topic="b1.oms.fulfilments",le="+Inf"} 70\n'
    )
    assert batch_count([""], [whole + steps(1.0, (0, 30))]) == 10


def test_sides_that_did_not_do_the_same_work_are_told() -> None:
    assert not unlike({"bytes": 1000.0}, {"bytes": 1020.0})
    assert unlike({"bytes": 1000.0}, {"bytes": 1100.0}) == ["not the same work: bytes: 1000.00 against 1100.00"]


def test_numbers_on_the_command_line_say_their_unit() -> None:
    numbers = [action for action in command_line()._actions if action.type is int]
    assert numbers
    for action in numbers:
        assert str(action.metavar).lower() in str(action.help), action.dest

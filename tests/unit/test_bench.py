"""The benchmark's own parts: the work is the same each time, and the bare side writes what a real worker writes."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import bson
import orjson
import pytest
from aiokafka import ConsumerRecord

from bench.checks import Changes
from bench.contest import unlike
from bench.figures import batch_count, batch_ms, quantile, step_seconds
from bench.movements import Load, Message, declarations, messages
from bench.pattern import Pattern, Published, work_of
from bench.templates import kind_of, load, save
from schemas.envelope import Envelope
from services.points.main import SERVICE
from services.points.state import initial
from shared.clock import instant
from shared.decider import Accepted, Command, Document
from shared.runtime.batch import Plan
from shared.runtime.decode import Decoder, Incoming
from shared.runtime.journal import Loaded
from shared.runtime.kafka import Record
from shared.runtime.outcomes import entry_of
from shared.runtime.publish import RecordBuilder
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


class Worker:
    """The pure part of a real worker: decides messages one after another and builds what it would publish."""

    def __init__(self) -> None:
        self.states: dict[str, Any] = {}
        self.versions: Counter[str] = Counter()
        self.decode = Decoder(SERVICE.commands, "default", b"secret", SETTINGS.record_bytes_max, "edge.replies")
        self.build = RecordBuilder(SERVICE, SETTINGS)

    def __call__(self, record: ConsumerRecord[bytes, bytes]) -> tuple[Document, list[Record]]:
        item = self.decode(record)
        assert isinstance(item, Incoming)
        command = Command(
            item.envelope.id, item.envelope.type, item.store, item.envelope.subject, item.payload, item.at
        )
        streams = SERVICE.decider.streams(command)
        for name in (*streams.writes, *streams.reads):
            self.states.setdefault(name, initial(name))
        verdict = SERVICE.decider.decide(command, self.states)
        assert isinstance(verdict, Accepted)
        plan = Plan(SERVICE.decider, frozenset(streams.writes), Loaded({}, {}, {}))
        for name in streams.writes:
            plan.stream(name).version = self.versions[name]
        entry = entry_of(item, item.at, verdict, plan, SERVICE.decider.dump_event)
        for stream, event in verdict.events:
            self.states[stream] = SERVICE.decider.evolve(self.states[stream], event)
        for stream in {stream for stream, _ in verdict.events}:
            self.versions[stream] += 1
        return entry, self.build.entry(entry)

    def snapshot(self, stream: str) -> tuple[Document, Record]:
        """A stream's document and record as they are now."""
        state, version = self.states[stream], self.versions[stream]
        view = SERVICE.decider.views(state)
        assert view is not None
        document = {
            "_id": stream,
            "version": version,
            "booked_at": instant(STARTED_MS),
            "state": SERVICE.decider.dump_state(state),
        }
        return document, self.build.snapshot(stream, version, view)[0]


@pytest.fixture(scope="module")
def worker() -> Worker:
    """A worker with the programmes declared."""
    made = Worker()
    for offset, message in enumerate(declarations(PARTITIONS)):
        made(record_of(message, offset))
    return made


def template_of(records: list[Record]) -> Document:
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
    if isinstance(record, Record):
        key, value, headers = record.key, record.value, record.headers
    else:
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


def test_the_bare_side_writes_and_publishes_what_a_real_worker_does(worker: Worker, tmp_path: Path) -> None:
    real: dict[str, tuple[ConsumerRecord[bytes, bytes], Document, list[Record]]] = {}
    for offset, message in enumerate(messages(Load(200, 20), PARTITIONS)):
        record = record_of(message, offset)
        entry, records = worker(record)
        real[kind_of(entry)] = (record, entry, records)
    some = work_of(real["load"][0])
    assert some is not None
    document, snapshot = worker.snapshot(some.stream)
    templates: Document = {
        "entries": {kind: entry for kind, (_, entry, _) in real.items()},
        "account": document,
        "programme": {},
        "records": {
            "points.events": template_of([r for _, _, rs in real.values() for r in rs if r.topic.endswith("events")]),
            "points.changes": template_of([r for r in real["load"][2] if r.topic.endswith("changes")]),
            "points.snapshots": template_of([snapshot]),
        },
    }
    save(templates, tmp_path / "templates.bson")
    pattern = Pattern(load(tmp_path / "templates.bson"), SETTINGS)
    for record, entry, records in real.values():
        work = work_of(record)
        assert work is not None
        made = pattern.entry(work, 1 if len(entry["events"]) > 1 else 7)
        assert len(bson.encode(made)) == len(bson.encode(entry))
        assert list(made) == list(entry)
        published = pattern.published(work, made)
        assert [(r.topic, r.partition) for r in records] == [(topic, place) for topic, place, *_ in published]
        for wanted, found in zip(records, published, strict=True):
            assert size(found) == pytest.approx(size(wanted), abs=4)  # numbers have a digit more or less
    assert len(bson.encode(pattern.snapshot(some, document["version"]))) == len(bson.encode(document))
    assert size(pattern.snapshot_record(some, document["version"])) == size(snapshot)


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

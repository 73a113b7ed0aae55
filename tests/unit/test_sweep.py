"""What a sweep proposes, and when, over a journal and a producer that only remember; the real ones: tests/real."""

import asyncio
import dataclasses
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from schemas.envelope import Envelope
from shared.decider import Document, Wake
from shared.errors import Unavailable
from shared.metrics import DUE, OLDEST_DUE
from shared.runtime import sweep
from shared.runtime.journal import Journal
from shared.runtime.kafka import Producer, Record, partition_of
from shared.runtime.sweep import Sweep, proposal_id
from shared.settings import Settings
from tests.real.counter import CLEAR, COUNTER

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
SETTINGS = Settings(sweep_page_max=2, sweep_interval_s=1)


class Store:
    """The due streams, earliest first, and the ids of the commands that have been decided."""

    def __init__(self, *due: Document) -> None:
        self.streams = sorted(due, key=place)
        self.ids: set[str] = set()
        self.away = False

    async def due(
        self, partitions: Sequence[int], now: datetime, after: tuple[datetime, str] | None, limit: int
    ) -> list[Document]:
        if self.away:
            raise Unavailable("away")
        return [
            stream
            for stream in self.streams
            if stream["partition"] in partitions
            and (after is None or place(stream) > after)
            and place(stream)[0] <= now
        ][:limit]

    async def decided(self, ids: Sequence[str]) -> set[str]:
        return self.ids & set(ids)


class Topic:
    """What was published; `decide` makes it decided at once."""

    def __init__(self, store: Store, *, decide: bool = True) -> None:
        self.records: list[Record] = []
        self.away = False
        self._store = store
        self._decide = decide

    async def publish(self, records: Iterable[Record]) -> None:
        if self.away:
            raise Unavailable("away")
        for record in records:
            self.records.append(record)
            if self._decide:
                self._store.ids.add(envelope(record).id)

    @property
    def subjects(self) -> list[str]:
        return [envelope(record).subject for record in self.records]


def envelope(record: Record) -> Envelope:
    return Envelope.from_headers(record.headers)


def place(stream: Document) -> tuple[datetime, str]:
    return stream["state"]["due_at"], stream["_id"]


def stream(name: str, minutes_ago: int, version: int = 1, partition: int = 0) -> Document:
    state = {"sum": 1, "due_at": NOW - timedelta(minutes=minutes_ago)}
    return {"_id": f"counter/shop/{name}", "version": version, "partition": partition, "state": state}


class Clock:
    """A wall clock to be set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return int(self.now.timestamp() * 1000)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """NOW, for the sweep; and it neither looks slowly nor waits long for what is not decided."""
    found = Clock()
    monkeypatch.setattr(sweep, "now_ms", found)
    monkeypatch.setattr(sweep, "_LOOK_INTERVAL_S", 0.001)
    monkeypatch.setattr(sweep, "_PATIENCE_S", 0.02)
    return found


def sweep_of(store: Store, topic: Topic, **more: Any) -> Sweep:
    return Sweep(
        dataclasses.replace(COUNTER, **more), SETTINGS, cast(Journal, store), cast(Producer, topic), lambda: [0, 1]
    )


async def test_it_proposes_what_is_due_in_its_partitions_the_earliest_first() -> None:
    store = Store(stream("b", 1), stream("a", 2, partition=1), stream("later", -1), stream("foreign", 9, partition=2))
    topic = Topic(store)
    await sweep_of(store, topic).sweep()
    assert topic.subjects == ["a", "b"]
    record = topic.records[0]
    id_ = proposal_id("counter/shop/a", 1, int(NOW.timestamp()) // 3600)
    expected = Envelope(id_, CLEAR, "/points/sweep", "a", store="shop", correlation_id=id_)
    assert envelope(record) == expected
    place_ = ("points.commands", partition_of("a", SETTINGS.partitions), b"a", b"{}")
    assert (record.topic, record.partition, record.key, record.value) == place_


def test_a_proposal_is_known_by_its_stream_version_and_hour() -> None:
    one = proposal_id("counter/shop/a", 1, 7)
    assert one == proposal_id("counter/shop/a", 1, 7)
    others = {
        proposal_id("counter/shop/b", 1, 7),
        proposal_id("counter/shop/a", 2, 7),
        proposal_id("counter/shop/a", 1, 8),
    }
    assert len({one, *others}) == 4


async def test_what_was_decided_without_effect_waits_for_the_next_hour(clock: Clock) -> None:
    store = Store(stream("a", 1))
    topic = Topic(store)
    for _ in range(3):
        await sweep_of(store, topic).sweep()
    assert topic.subjects == ["a"]
    clock.now += timedelta(hours=1)
    await sweep_of(store, topic).sweep()
    assert topic.subjects == ["a", "a"]
    assert len({envelope(record).id for record in topic.records}) == 2


async def test_the_next_page_waits_until_the_one_before_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "_PATIENCE_S", 60)
    store = Store(*(stream(f"c-{number}", 9 - number) for number in range(5)))
    topic = Topic(store, decide=False)
    sweeping = asyncio.create_task(sweep_of(store, topic).sweep())
    for proposed in (2, 4, 5):
        await asyncio.sleep(0.05)
        assert len(topic.records) == proposed
        assert not sweeping.done()
        store.ids |= {envelope(record).id for record in topic.records[:-1]}
        await asyncio.sleep(0.05)
        assert len(topic.records) == proposed, "one of the page is not decided yet"
        store.ids.add(envelope(topic.records[-1]).id)
    await asyncio.wait_for(sweeping, 5)


async def test_what_nobody_decides_holds_nobody_up_for_long_and_is_not_proposed_again() -> None:
    store = Store(*(stream(f"c-{number}", 9 - number) for number in range(5)))
    topic = Topic(store, decide=False)
    sweeper = sweep_of(store, topic)
    for _ in range(3):
        await sweeper.sweep()
    assert topic.subjects == [f"c-{number}" for number in range(5)]


async def test_a_stream_that_cannot_be_woken_is_left_out() -> None:
    def wake(name: str, state: Document) -> Wake | None:
        match name.split("/")[2]:
            case "broken":
                raise ValueError("not to be read")
            case "unwritable":
                return Wake(CLEAR, "unwritable", {"what": object()})
            case "asleep":
                return None
            case other:
                return Wake(CLEAR, other, {})

    store = Store(*(stream(name, 1) for name in ("asleep", "broken", "unwritable", "well")))
    topic = Topic(store)
    sweeper = sweep_of(store, topic, wake=wake)
    with capture_logs() as logs:
        for _ in range(2):
            await sweeper.sweep()
    assert topic.subjects == ["well"]
    assert {line["stream"] for line in logs} >= {"counter/shop/broken", "counter/shop/unwritable"}


@pytest.mark.parametrize("who", ["store", "topic"])
async def test_with_a_server_away_it_waits_and_goes_on_where_it_stopped(who: str) -> None:
    store = Store(*(stream(f"c-{number}", 9 - number) for number in range(5)))
    topic = Topic(store)
    sweeper = sweep_of(store, topic)
    away: Store | Topic = store if who == "store" else topic
    away.away = True
    running = asyncio.create_task(sweeper.run())
    await asyncio.sleep(0.1)
    assert topic.records == []
    away.away = False
    for _ in range(60):
        await asyncio.sleep(0.05)
        if len(topic.records) == 5:
            break
    running.cancel()
    assert topic.subjects == [f"c-{number}" for number in range(5)]


async def test_a_very_long_sweep_is_gone_on_with_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "_PAGES_MAX", 1)
    store = Store(*(stream(f"c-{number}", 9 - number) for number in range(5)))
    topic = Topic(store)
    sweeper = sweep_of(store, topic)
    for proposed in (2, 4, 5, 5):
        await sweeper.sweep()
        assert len(topic.records) == proposed


async def test_its_metrics_say_how_much_is_due_and_how_late() -> None:
    store = Store(stream("a", 9), stream("b", 2), stream("c", 1))
    await sweep_of(store, Topic(store)).sweep()
    assert DUE.labels("points")._value.get() == 3
    assert OLDEST_DUE.labels("points")._value.get() == 9 * 60
    store.streams.clear()
    await sweep_of(store, Topic(store)).sweep()
    assert OLDEST_DUE.labels("points")._value.get() == 0

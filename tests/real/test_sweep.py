"""What falls due on quiet streams is booked exactly once, whoever proposes it and whoever dies (rules 4.1.5)."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase

from schemas.base import format_instant
from schemas.topics import HOUR_MS
from shared.clock import instant, now_ms
from shared.embedded.process import Process
from shared.runtime import sweep
from shared.runtime.kafka import ConsumerRecord
from shared.runtime.sweep import Sweep, proposal_id
from tests.harness import Command, Installation, answers, eventually, free_port, header, payload
from tests.real.counter import CLEAR, COUNT, COUNTER
from tests.real.steps import Bench

pytestmark = pytest.mark.real

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PARTITIONS = list(range(12))
NEVER, OFTEN = {"FEALTY_SWEEP_INTERVAL_S": "3600"}, {"FEALTY_SWEEP_INTERVAL_S": "1"}
SHORT_SESSIONS = {"FEALTY_SESSION_TIMEOUT_MS": "2000", "FEALTY_HEARTBEAT_INTERVAL_MS": "400"}


@pytest.mark.parametrize(
    ("streams", "due"),
    [(20_000, 200), pytest.param(1_000_000, 10_000, marks=[pytest.mark.long, pytest.mark.timeout(900)])],
)
async def test_looking_for_what_is_due_reads_nothing_else(bench: Bench, streams: int, due: int) -> None:
    await fill(bench, streams, due)
    database = bench.installation.mongo[bench.installation.settings.database("points")]
    await database.command("profile", 2)
    assert len(await bench.journal.due(PARTITIONS, NOW, None, 2 * due)) == due
    found: list[str] = []
    after, page_max = None, max(50, due // 50)
    while True:
        page = await bench.journal.due(PARTITIONS, NOW, after, page_max)
        found += [stream["_id"] for stream in page]
        if len(page) < page_max:
            break
        after = (page[-1]["state"]["due_at"], page[-1]["_id"])
    await database.command("profile", 0)
    assert len(found) == len(set(found)) == due
    assert found == sorted(found, key=lambda name: (-(int(name.split("/")[2]) % 3), name)), "the earliest first"
    profile = database["system.profile"].find({"ns": f"{database.name}.snapshots", "op": "query"})
    whole, *queries = await profile.sort("ts").to_list()
    assert whole["keysExamined"] == whole["docsExamined"] == due
    assert len(queries) > due / page_max
    for query in (whole, *queries):
        assert query["docsExamined"] == query["nreturned"], query
        # A page that is full may have looked at the next of a partition before it took that of another.
        assert query["nreturned"] <= query["keysExamined"] <= query["nreturned"] + len(PARTITIONS), query
        assert "hasSortStage" not in query
        await check_plan(database, query)


async def check_plan(database: AsyncDatabase[Any], query: dict[str, Any]) -> None:
    """The plan of a query exactly as it was sent: by the index of what is due, examining what it returns."""
    sent = {name: value for name, value in query["command"].items() if name != "lsid" and not name.startswith("$")}
    assert {"filter", "projection", "sort", "hint", "limit"} <= sent.keys()
    explained = await database.command("explain", sent, verbosity="executionStats")
    done = explained["executionStats"]
    assert done["nReturned"] == done["totalDocsExamined"] == query["nreturned"], done
    assert done["totalKeysExamined"] == query["keysExamined"], done
    steps = list(stages(done["executionStages"]))
    assert not {step["stage"] for step in steps} & {"COLLSCAN", "SORT"}, steps
    assert {step["indexName"] for step in steps if step["stage"] == "IXSCAN"} == {"partition_1_state.due_at_1__id_1"}


def stages(step: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A step of a plan and all below it."""
    yield step
    for below in (*step.get("inputStages", ()), *filter(None, [step.get("inputStage")])):
        yield from stages(below)


async def fill(bench: Bench, streams: int, due: int) -> None:
    """Snapshots of which every so many is due, at one of three instants; the others are due later, or never."""
    collection = bench.installation.collection("points", "snapshots")
    for first in range(0, streams, 10_000):
        await collection.insert_many(
            [
                {
                    "_id": f"counter/default/{number:08}",
                    "version": 1,
                    "partition": number // 100 % 12,
                    "state": {"sum": 1, "due_at": due_at(number, streams // due)},
                }
                for number in range(first, first + 10_000)
            ]
        )


def due_at(number: int, every: int) -> datetime | None:
    """When a stream is due: every so-and-so-many-th by NOW, half of the rest later, the others never."""
    if number % every == 0:
        return NOW - timedelta(hours=number % 3)
    return NOW + timedelta(minutes=number) if number % 2 else None


def due_later(number: int, seconds: float) -> Command:
    """A counter that is due to be cleared so many seconds from now."""
    at = instant(now_ms() + int(seconds * 1000))
    return Command(COUNT, f"c-{number}", {"by": 1, "dueAt": format_instant(at)})


@asynccontextmanager
async def worker(installation: Installation, name: str, *settings: dict[str, str]) -> AsyncIterator[Process]:
    """A running, ready process of the counter."""
    process = await started(installation, name, *settings)
    port = process.name.split(":")[1]
    try:
        await process.wait_ready(lambda: answers(f"http://127.0.0.1:{port}/health/ready"), 30)
        yield process
    finally:
        await process.stop(30)


async def started(installation: Installation, name: str, *settings: dict[str, str]) -> Process:
    """A process of the counter, ready or not; its name ends in its port."""
    port = free_port()
    environment = {key: value for each in settings for key, value in each.items()}
    process = installation.process(f"{name}:{port}")
    await process.start([sys.executable, "-m", "tests.real.counter"], installation.environment(name, port, environment))
    return process


async def cleared(installation: Installation) -> list[dict[str, Any]]:
    """The entries of commands that the sweep proposed and that booked something."""
    journal = installation.collection("points", "journal")
    return [entry async for entry in journal.find({"type": CLEAR, "events": {"$ne": []}})]


async def proposals(installation: Installation) -> list[ConsumerRecord[bytes, bytes]]:
    """What the sweeps have put into the topic."""
    records = await installation.read("points.commands")
    return [record for record in records if header(record, "ce_source") == "/points/sweep"]


async def check_cleared_once(installation: Installation, count: int) -> None:
    """Each counter was counted once and cleared once, by a command of the sweep, and published so."""
    entries = await cleared(installation)
    assert len(entries) == count
    assert {entry["subject"] for entry in entries} == {f"c-{number}" for number in range(count)}
    first = {header(record, "ce_id"): payload(record)["by"] for record in await installation.read("points.events")}
    assert sorted(first.values()) == [-1] * count + [1] * count
    snapshots = installation.collection("points", "snapshots")
    states = [found["state"] async for found in snapshots.find({"_id": {"$regex": "^counter/"}})]
    assert states == [{"sum": 0, "due_at": None}] * count
    hour = now_ms() // HOUR_MS
    for record in await proposals(installation):
        stream = f"counter/default/{header(record, 'ce_subject')}"
        assert header(record, "ce_id") in {proposal_id(stream, 1, hour), proposal_id(stream, 1, hour - 1)}


async def test_two_workers_that_sweep_book_it_once(empty_installation: Installation) -> None:
    count = 300
    async with worker(empty_installation, "w-0", OFTEN, SHORT_SESSIONS, {"FEALTY_SWEEP_PAGE_MAX": "50"}):
        await empty_installation.commands([due_later(number, 4) for number in range(count)])
        async with worker(empty_installation, "w-1", OFTEN, SHORT_SESSIONS, {"FEALTY_SWEEP_PAGE_MAX": "50"}):
            await eventually(lambda: amount_cleared(empty_installation), count, 60)
            await asyncio.sleep(2)
            await empty_installation.drained()
    await check_cleared_once(empty_installation, count)
    proposed = await proposals(empty_installation)
    assert all(header(record, "ce_type") == CLEAR for record in proposed)
    assert {header(record, "ce_store") for record in proposed} == {"default"}


async def amount_cleared(installation: Installation) -> int:
    """How many were cleared by now."""
    return len(await cleared(installation))


async def test_a_worker_killed_between_proposing_and_booking_loses_and_doubles_nothing(
    empty_installation: Installation,
) -> None:
    count = 40
    async with worker(empty_installation, "w-0", NEVER):
        await empty_installation.commands([due_later(number, 0) for number in range(count)])
        await empty_installation.drained()
    for attempt in (1, 2):
        doomed = await started(empty_installation, "w-0", OFTEN, {"PROBE": "before_transaction:kill:1"})
        assert await asyncio.wait_for(doomed.wait(), 60) == -signal.SIGKILL
        proposed = await proposals(empty_installation)
        assert {header(record, "ce_subject") for record in proposed} == {f"c-{number}" for number in range(count)}
        assert await cleared(empty_installation) == [], f"attempt {attempt} was killed before the booking"
    async with worker(empty_installation, "w-1", OFTEN):
        await eventually(lambda: amount_cleared(empty_installation), count, 60)
        await empty_installation.drained()
    await check_cleared_once(empty_installation, count)


async def test_what_was_proposed_too_early_is_proposed_again_in_the_next_hour(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast_by_ms = 0
    monkeypatch.setattr(sweep, "now_ms", lambda: now_ms() + fast_by_ms)
    sweeper = Sweep(COUNTER, bench.installation.settings, bench.journal, bench.producer, lambda: PARTITIONS)
    await bench.send(due_later(0, 3600))
    await bench.processor().handle(await bench.batch())
    await sweeper.sweep()
    assert await proposals(bench.installation) == []
    fast_by_ms = 2 * HOUR_MS
    hour = (now_ms() + fast_by_ms) // HOUR_MS
    await decide_while(bench, sweeper)
    await sweeper.sweep()
    (early,) = await proposals(bench.installation)
    assert header(early, "ce_id") == proposal_id("counter/default/c-0", 1, hour)
    assert await cleared(bench.installation) == [], "it was decided by the broker's clock"
    # The time comes, by the broker's clock too; in the same hour of the sweep it was decided already.
    snapshots = bench.installation.collection("points", "snapshots")
    await snapshots.update_one({"_id": "counter/default/c-0"}, {"$set": {"state.due_at": instant(now_ms() - 1)}})
    another = Sweep(COUNTER, bench.installation.settings, bench.journal, bench.producer, lambda: PARTITIONS)
    await another.sweep()
    assert len(await proposals(bench.installation)) == 1
    fast_by_ms += HOUR_MS
    await decide_while(bench, sweeper)
    assert len(await proposals(bench.installation)) == 2
    assert await amount_cleared(bench.installation) == 1


async def decide_while(bench: Bench, sweeper: Sweep) -> None:
    """One sweep, and what it proposes decided meanwhile."""
    sweeping = asyncio.create_task(sweeper.sweep())
    while not sweeping.done():
        await bench.processor().handle(await bench.batch())
        await asyncio.sleep(0.1)
    await sweeping

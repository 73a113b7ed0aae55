"""Exactly one effect for every command: duplicates, replays, kills, members that come and go, and zombies."""

import asyncio
import os
import signal

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.servers import kafka_options
from tests.harness import Installation, eventually
from tests.real.workload import Workload, check

pytestmark = pytest.mark.real

POINTS = ["before_transaction", "in_transaction", "after_transaction", "after_publishing", "before_commit"]
SMALL_BATCHES = {"FEALTY_BATCH_RECORDS_MAX": "50"}
SHORT_SESSIONS = {"FEALTY_SESSION_TIMEOUT_MS": "2000", "FEALTY_HEARTBEAT_INTERVAL_MS": "400"}


async def declared(installation: Installation) -> None:
    """Let a first worker book the programmes."""
    async with installation.points():
        pass


async def test_duplicates_change_nothing(installation: Installation) -> None:
    work = Workload(seed=1)
    work.more(1500)
    async with installation.points():
        await installation.commands(work.with_repeats(0.05, 10))
        await installation.drained()
    await check(installation, work)


async def test_the_whole_topic_replayed_changes_nothing(installation: Installation) -> None:
    await declared(installation)
    work = Workload(seed=2)
    async with installation.points(**SHORT_SESSIONS):
        await installation.commands(work.more(1000))
        await installation.drained()
    before = await state(installation)
    await rewind(installation)
    async with installation.points():
        await installation.drained()
    assert await state(installation) == before
    counts = await check(installation, work)
    assert counts["repeated changes"] == sum(work.movements.values()), "the replay published nothing again"


async def campaign(installation: Installation, point: str, kills: int, seed: int) -> None:
    """Kill a worker at one point again and again, each time with commands before, in and after the batch."""
    await declared(installation)
    work = Workload(seed=seed)
    for _ in range(kills):
        await installation.commands(work.more(200))
        doomed, _ = await installation.spawn(
            "points", "points-0", {**SMALL_BATCHES, "PROBE": f"{point}:kill:2"}, wait=False
        )
        assert await asyncio.wait_for(doomed.wait(), 60) == -signal.SIGKILL
        await installation.commands(work.more(30))
    async with installation.points():
        await installation.drained()
    await check(installation, work)


@pytest.mark.parametrize("point", POINTS)
async def test_a_killed_worker_loses_and_doubles_nothing(installation: Installation, point: str) -> None:
    await campaign(installation, point, kills=2, seed=10 + POINTS.index(point))


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("point", POINTS)
async def test_twenty_kills_at_each_point(installation: Installation, point: str) -> None:
    await campaign(installation, point, kills=20, seed=20 + POINTS.index(point))


async def test_members_that_join_and_leave_under_load(installation: Installation) -> None:
    work = Workload(seed=3, accounts=200)
    small = {**SMALL_BATCHES, **SHORT_SESSIONS}
    await declared(installation)
    async with installation.points("points-0", **small):
        await installation.commands(work.more(1500))
        async with installation.points("points-1", **small):
            await installation.commands(work.more(1500))
            await asyncio.sleep(1)
            await installation.commands(work.more(500))
        await installation.commands(work.more(500))
        killed, _ = await installation.spawn("points", "points-2", small)
        await installation.commands(work.more(500))
        killed.kill()
        await installation.commands(work.more(500))
        await installation.drained()
    await check(installation, work)


async def test_a_zombie_journals_nothing(installation: Installation) -> None:
    await declared(installation)
    work = Workload(seed=4, accounts=10)
    await installation.commands(work.more(300))
    zombie, port = await installation.spawn(
        "points", "points-z", {**SHORT_SESSIONS, "PROBE": "before_transaction:stop:1"}, wait=False
    )
    pid = zombie.pid
    assert pid is not None
    await eventually(lambda: stopped(pid), True)
    assert await installation.collection("points", "journal").count_documents({"partition": {"$gte": 0}}) == len(
        installation.declared
    )
    async with installation.points("points-1", **SHORT_SESSIONS):
        await installation.drained()
        await installation.commands(work.more(100))
        await installation.drained()
        before = await state(installation)
        os.kill(pid, signal.SIGCONT)
        await eventually(lambda: metric(port, 'fealty_retries_total{reason="conflict"}'), 1.0)
        await asyncio.sleep(3)  # It rejoins, and is given partitions whose commands are all known.
        assert await state(installation) == before
    await zombie.stop(20)
    await check(installation, work)


async def metric(port: int, name: str) -> float:
    """One metric of a process."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(name)), 0.0)


async def stopped(pid: int) -> bool:
    """Whether a process is stopped by a signal."""
    with open(f"/proc/{pid}/stat") as stat:  # noqa: ASYNC230 - procfs does not block
        return stat.read().rsplit(")", 1)[1].split()[0] == "T"


async def state(installation: Installation) -> dict[str, object]:
    """All that the points service remembers, but for its fences."""
    journal = {entry["_id"]: entry async for entry in installation.collection("points", "journal").find()}
    streams = {"_id": {"$not": {"$regex": "^fence/"}}}
    snapshots = {found["_id"]: found async for found in installation.collection("points", "snapshots").find(streams)}
    return {"journal": journal, "snapshots": snapshots}


async def rewind(installation: Installation) -> None:
    """Move the group's offsets to the very beginning."""
    settings = installation.settings
    topic = settings.topic("points.commands")
    places = [TopicPartition(topic, number) for number in range(settings.partitions)]
    admin = AIOKafkaAdminClient(**kafka_options(settings))
    consumer = AIOKafkaConsumer(**kafka_options(settings), group_id=settings.group("points"), enable_auto_commit=False)
    await admin.start()
    await consumer.start()
    try:
        await eventually(lambda: members(admin, settings.group("points")), 0)
        consumer.assign(places)
        await consumer.commit(dict.fromkeys(places, 0))
    finally:
        await consumer.stop()
        await admin.close()


async def members(admin: AIOKafkaAdminClient, group: str) -> int:
    """How many members a group has; a static one stays until its session is over."""
    (response,) = await admin.describe_consumer_groups([group])
    ((_, _, _, _, _, found, *_),) = response.groups  # type: ignore[attr-defined]
    return len(found)

"""The life of a process: how its consumers are made, how it drains, ticks, and stops at what it cannot do."""

import asyncio

import pytest

from schemas.envelope import Envelope
from schemas.replies import TICK
from shared.ids import account_id, new_id
from shared.runtime.app import make_broker
from shared.runtime.consumer import Batch, Pump
from shared.runtime.health import Health
from shared.runtime.kafka import partition_of
from shared.runtime.signing import signed
from tests.harness import Headers, Installation, answers, eventually, header
from tests.real.workload import Workload, check

pytestmark = pytest.mark.real


async def test_the_consumers_never_commit_by_themselves(empty_installation: Installation) -> None:
    async def handle(_: Batch) -> None:
        return

    settings = empty_installation.settings
    broker = make_broker(settings)
    pump = Pump(broker, settings.topic("points.commands"), "g", settings, Health(60), handle, fetch_wait_ms=20)
    await broker.start()
    try:
        assert pump.consumer._enable_auto_commit is False
        assert pump.consumer._auto_offset_reset == "earliest"
    finally:
        await broker.stop()


async def test_a_stopped_worker_ends_its_batch_and_commits_it(installation: Installation) -> None:
    async with installation.points():
        pass
    work = Workload(seed=51)
    await installation.commands(work.more(1000))
    worker, _ = await installation.spawn("points", "points-0", {"FEALTY_BATCH_RECORDS_MAX": "100"})
    journal = installation.collection("points", "journal")
    await eventually(lambda: some(journal), True)
    await worker.stop(30)
    done = await journal.count_documents({"type": "points.post_transaction.v1"})
    assert await installation.lag("points", "points.commands") == 1000 - done, "what is done is committed, and no more"
    async with installation.points():
        await installation.drained()
    counts = await check(installation, work)
    assert counts["repeated changes"] == 0, "nothing was redelivered"


async def some(journal: object) -> bool:
    """Whether a command of the workload has been journalled."""
    return bool(await journal.count_documents({"type": "points.post_transaction.v1"}))  # type: ignore[attr-defined]


async def test_every_partition_of_the_snapshots_is_ticked(empty_installation: Installation) -> None:
    async with empty_installation.points(FEALTY_TICK_INTERVAL_S="1"):

        async def ticked() -> int:
            records = await empty_installation.read("points.snapshots")
            return len({record.partition for record in records if header(record, "ce_type") == TICK})

        await eventually(ticked, empty_installation.settings.partitions)


async def test_a_follow_up_that_cannot_be_done_stops_its_partition_only(installation: Installation) -> None:
    subject = account_id("default", "S-1")
    async with installation.points():
        pass
    headers: Headers = [
        *Envelope(id=new_id(), type="points.post_transaction.v1", source="/till", subject=subject).headers()
    ]
    worker, port = await installation.spawn("points", "points-0")
    ready = f"http://127.0.0.1:{port}/health/ready"
    assert await answers(ready)
    await installation.send("points.commands", b"{}", [("ce_specversion", b"1.0"), *headers], "S-1", partition=0)
    ours = Envelope.from_headers(headers)._replace(source="/points")
    own: Headers = [*signed(installation.secret, ours, b"{}").headers()]
    await installation.send("points.commands", b"{}", own, "S-1", partition=1)
    await eventually(lambda: answers(ready), False)
    work = Workload(seed=52)
    await installation.commands(work.more(200))
    partitions = installation.settings.partitions
    elsewhere = [command.id for command in work.commands if partition_of(command.subject, partitions) != 1]
    await installation.settled(elsewhere)
    await asyncio.sleep(1)
    assert await installation.lag("points", "points.commands") >= 1
    assert worker.pid is not None
    letters = await installation.collection("points", "dead_letters").find().to_list()
    assert [letter["partition"] for letter in letters] == [0], "a stranger's record is a dead letter, our own never"
    await worker.stop(20)

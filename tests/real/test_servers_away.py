"""A broker or a database that is away: work waits, says so, and goes on by itself; nothing is lost or doubled."""

import asyncio

import httpx
import pytest

from tests.harness import Installation, eventually
from tests.real.workload import Workload, check

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

AWAY_S = 30


async def readiness(port: int) -> int:
    async with httpx.AsyncClient(timeout=5) as client:
        return (await client.get(f"http://127.0.0.1:{port}/health/ready")).status_code


async def test_the_broker_is_away_for_half_a_minute(installation: Installation) -> None:
    stack = installation.servers.stack
    if stack is None or stack.kafka is None:
        pytest.skip("the broker is not ours to stop")
    async with installation.points():
        pass
    work = Workload(seed=31, accounts=100)
    worker, port = await installation.spawn("points", "points-0", {"FEALTY_BATCH_RECORDS_MAX": "50"})
    await installation.commands(work.more(2000))
    await asyncio.sleep(0.3)
    await stack.kafka.stop()
    stopped_s = asyncio.get_running_loop().time()
    journal = installation.collection("points", "journal")
    assert await journal.count_documents({"type": "points.post_transaction.v1"}) < 2000, "it is stopped amid the work"
    await eventually(lambda: readiness(port), 503, AWAY_S)
    await asyncio.sleep(stopped_s + AWAY_S - asyncio.get_running_loop().time())
    await stack.kafka.start()
    await installation.commands(work.more(200))
    await installation.drained(timeout_s=60)
    await eventually(lambda: readiness(port), 200, 30)
    assert worker.pid is not None, "the worker went on by itself"
    await worker.stop(20)
    await check(installation, work)


async def test_the_database_is_killed_and_restarted(installation: Installation) -> None:
    stack = installation.servers.stack
    if stack is None or stack.mongo is None:
        pytest.skip("the database is not ours to kill")
    async with installation.points():
        pass
    work = Workload(seed=32, accounts=100)
    worker, port = await installation.spawn("points", "points-0", {"FEALTY_BATCH_RECORDS_MAX": "50"})
    await installation.commands(work.more(1500))
    await asyncio.sleep(0.3)
    stack.mongo.kill()
    await installation.commands(work.more(300))
    await eventually(lambda: readiness(port), 503, 30)
    await stack.mongo.start()
    await installation.commands(work.more(200))
    await installation.drained(timeout_s=60)
    await eventually(lambda: readiness(port), 200, 30)
    assert worker.pid is not None, "the worker went on by itself"
    await worker.stop(20)
    await check(installation, work)

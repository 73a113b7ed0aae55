"""Each process says within five seconds that MongoDB or Kafka is away, be it dead or stopped, busy or idle (P6)."""

import asyncio
import os
import signal
from contextlib import suppress

import httpx
import pytest

from tests.harness import Installation, eventually
from tests.http.caller import Caller, load
from tests.http.shop import open_shop

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

TOLD_S = 5
PROCESSES = {"points-0", "voucher-0", "customer-0", "edge-0"}


async def ready(installation: Installation) -> set[str]:
    """The processes that say they are ready."""
    async with httpx.AsyncClient(timeout=2) as client:

        async def status(name: str) -> int:
            return (await client.get(f"http://127.0.0.1:{installation.ports[name]}/health/ready")).status_code

        found = await asyncio.gather(*(status(name) for name in PROCESSES))
    return {name for name, status in zip(PROCESSES, found, strict=True) if status == 200}


async def keep_posting(caller: Caller) -> None:
    """Load: transactions and reads, whatever becomes of them."""
    while True:
        with suppress(httpx.HTTPError):
            await asyncio.gather(*(caller.post(f"L-{number}", load(1)) for number in range(8)), caller.account("L-1"))
        await asyncio.sleep(0.01)


async def test_all_tell_when_a_server_is_away(installation: Installation) -> None:
    stack = installation.servers.stack
    if stack is None or stack.mongo is None or stack.kafka is None:
        pytest.skip("the servers are not ours to kill")
    async with open_shop(installation) as shop:

        async def looked() -> set[str]:
            return await ready(installation)

        for server in (stack.mongo, stack.kafka):  # Idle, and stopped: connections stay open, and nobody answers.
            await eventually(looked, PROCESSES)
            pid = server.pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            try:
                await eventually(looked, set(), TOLD_S)
            finally:
                os.kill(pid, signal.SIGCONT)
            await eventually(looked, PROCESSES)
        posting = asyncio.create_task(keep_posting(shop))
        for server in (stack.mongo, stack.kafka):  # Busy, and dead.
            server.kill()
            await eventually(looked, set(), TOLD_S)
            await server.start()
            await eventually(looked, PROCESSES, 60)
        posting.cancel()
        for name in PROCESSES:
            process = next(each for each in installation.processes if each.name == name)
            assert process.pid is not None, f"{name} went on by itself"

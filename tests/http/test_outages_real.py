"""Late commands, unavailable servers, and stopping while requests wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.harness import Installation, eventually, free_port
from tests.http.caller import Caller, calling, load
from tests.servers import Servers
from tests.tokens import authorization

pytestmark = pytest.mark.real


async def test_late_commands_are_dropped_and_reported(installation: Installation) -> None:
    async with installation.points(), calling(installation, FEALTY_NOT_AFTER_MS="1") as caller:
        statuses: list[int] = []
        while 503 not in statuses:
            assert len(statuses) < 100
            response = await caller.post("A-1", load(1))
            statuses.append(response.status_code)
        assert response.json()["code"] == "too_late"
        assert set(statuses) <= {200, 503}
        assert await caller.balance("A-1") == statuses.count(200)


async def test_the_edge_starts_without_servers_and_connects_later(
    installation: Installation, real_servers: Servers
) -> None:
    kafka_port, mongo_port = free_port(), free_port()
    mongo = real_servers.mongodb.split("//")[1].split("/")[0].rpartition("@")[2]
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{kafka_port}",
        "MONGODB_URL": real_servers.mongodb.replace(mongo, f"127.0.0.1:{mongo_port}"),
    }
    process, port = await installation.spawn("edge", "edge-0", environment, wait=False)
    url, headers = f"http://127.0.0.1:{port}", await authorization(installation.settings)
    async with installation.points(), httpx.AsyncClient(base_url=url, timeout=30, headers=headers) as client:
        caller = Caller(client)
        await eventually(lambda: status_of(client, "/health/live"), 200)
        assert await status_of(client, "/health/ready") == 503
        refused = await caller.post("A-1", load(1))
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert refused.headers["retry-after"] == "1"
        assert (await caller.account("A-1")).status_code == 503
        async with forwarding(kafka_port, real_servers.kafka.split(",")[0]), forwarding(mongo_port, mongo):
            await eventually(lambda: status_of(client, "/health/ready"), 200, 60)
            assert (await caller.post("A-1", load(1))).status_code == 200
            assert await caller.balance("A-1") == 1
    await process.stop(30)


async def test_a_stop_answers_waiting_requests(installation: Installation) -> None:
    async with installation.points():
        pass
    process, port = await installation.spawn("edge", "edge-0", {"FEALTY_REPLY_WAIT_MS": "2000"})
    url, headers = f"http://127.0.0.1:{port}", await authorization(installation.settings)
    async with httpx.AsyncClient(base_url=url, timeout=30, headers=headers) as client:
        waiting = asyncio.create_task(Caller(client).post("A-1", load(1)))
        await asyncio.sleep(0.5)
        await process.stop(30)
        assert (await waiting).status_code == 202


async def status_of(client: httpx.AsyncClient, path: str) -> int | None:
    """The status that a path answers with, None when nobody answers."""
    try:
        return (await client.get(path)).status_code
    except httpx.TransportError:
        return None


@asynccontextmanager
async def forwarding(port: int, address: str) -> AsyncIterator[None]:
    """A port of this machine that leads to an address."""
    host, _, target = address.rpartition(":")

    async def pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            sink.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(host, int(target))
        await asyncio.gather(pipe(reader, far_writer), pipe(far_reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()

"""A process tells that a consumer gets nowhere, whatever the client believes; and tries on what it cannot do yet."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from services.edge.views.feeds import Feed
from services.edge.views.views import Views
from shared.runtime.app import Pumps, make_broker
from shared.runtime.consumer import Batch, Pump
from shared.runtime.health import Health
from shared.runtime.progress import Progress
from shared.runtime.requests import Requester
from shared.settings import Settings
from tests.harness import Command, Installation, eventually

pytestmark = pytest.mark.real

PROGRAMME = "LOY22-BuyVouchers"


async def done(_: Batch) -> None:
    """Everything is done at once."""


@asynccontextmanager
async def reading(settings: Settings) -> AsyncIterator[tuple[Health, list[Any], list[bool]]]:
    """A pump, a feed and a listener for replies, measured; and whether one of them has ended by itself."""
    ended: list[bool] = []
    health, broker = Health(settings.stall_timeout_s), make_broker(settings)
    views = Views(settings, health)
    pump = Pump(broker, settings.topic("oms.fulfilments"), "g", settings, health, done, fetch_wait_ms=20)
    feed = Feed(broker, "points.changes", settings, health, views, done)
    requester = Requester(broker, settings, health, "/tests")
    pumps = Pumps(lambda: ended.append(True))
    pumps.all = [pump, feed]
    await views.start()
    await broker.start()
    pumps.start()
    await requester.start()
    progress = asyncio.create_task(Progress(settings, [pump, feed, requester]).run())

    async def joined() -> dict[str, str]:
        return health.not_ready()

    await eventually(joined, {})
    try:
        yield health, [pump, feed, requester], ended
    finally:
        progress.cancel()
        await pumps.drain(5)
        await requester.stop()
        await broker.stop()
        await views.stop()


async def test_whoever_stands_still_is_not_alive(
    empty_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.runtime.polling.QUIET_S", 1.0)
    installation = empty_installation
    settings = installation.settings.model_copy(update={"stall_timeout_s": 2})
    async with reading(settings) as (health, readers, ended):

        async def dead() -> set[str]:
            return {name for name, why in health.not_alive().items() if "none is processed" in why}

        for topic in ("oms.fulfilments", "points.changes"):
            await installation.send(topic, b"{}", [], "k", partition=1)
        await asyncio.sleep(3)
        assert not await dead(), "idle, and done"
        assert not ended
        for reader in readers:
            reader.consumer.pause(*reader.in_hand())  # As a client that got stuck: it polls, and is given nothing.
        for topic in ("oms.fulfilments", "points.changes"):
            await installation.send(topic, b"{}", [], "k", partition=2)
        (replies,) = readers[-1].in_hand()
        await installation.send("edge.replies", b"{}", [], "k", partition=replies.partition)
        await eventually(dead, {reader.state.name for reader in readers}, 15)


async def test_a_client_whose_task_has_ended_is_not_alive(empty_installation: Installation) -> None:
    settings = empty_installation.settings.model_copy(update={"stall_timeout_s": 2})
    async with reading(settings) as (health, readers, _):
        pump, feed, requester = readers
        pump.consumer._coordinator._coordination_task.cancel()
        for reader in (feed, requester):
            reader.consumer._fetcher._fetch_task.cancel()

        async def dead() -> set[str]:
            return {name for name, why in health.not_alive().items() if "has ended" in why}

        await eventually(dead, {reader.state.name for reader in readers}, 10)


async def test_a_conflict_that_does_not_end_is_reported_and_tried_on(installation: Installation) -> None:
    async with installation.points():
        pass
    short = {"FEALTY_SESSION_TIMEOUT_MS": "2000", "FEALTY_HEARTBEAT_INTERVAL_MS": "1200"}
    _, port = await installation.spawn("points", "points-1", short)
    fault = {
        "configureFailPoint": "failCommand",
        "data": {"failCommands": ["update", "insert"], "errorCode": 112, "errorLabels": ["TransientTransactionError"]},
    }
    admin = installation.mongo.admin
    await admin.command({**fault, "mode": "alwaysOn"})
    try:
        load = Command.transaction("A-1", PROGRAMME, load=5)
        await installation.command(load)
        await eventually(telling(port, "/health/ready", "stuck at"), True, 30)
        await eventually(telling(port, "/health/ready", "the transaction conflicts with another one"), True)
        topic = installation.settings.topic("points.commands")
        assert await telling(port, "/metrics", f'fealty_stuck_partitions{{topic="{topic}"}} 1.0')()
    finally:
        await admin.command({"configureFailPoint": "failCommand", "mode": "off"})
    await installation.settled([load.id])
    await eventually(telling(port, "/health/ready", "ok"), True)


def telling(port: int, path: str, text: str) -> Callable[[], Awaitable[bool]]:
    """Whether a process says `text` at `path`."""

    async def look() -> bool:
        async with httpx.AsyncClient(timeout=5, follow_redirects=True) as client:
            return text in (await client.get(f"http://127.0.0.1:{port}{path}")).text

    return look

"""The views keep the newest snapshot in any order of arrival, and skip unreadable records."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from schemas.envelope import Envelope
from schemas.points import ACCOUNT_VIEW
from schemas.replies import TICK, SnapshotPart
from services.edge.views.views import Views
from shared.errors import TooSlow
from shared.ids import account_id, new_id
from shared.runtime.health import Health
from tests.harness import Command, Installation, eventually
from tests.http.caller import calling, metrics_of
from tests.http.seen import bring

pytestmark = pytest.mark.real


def snapshot(number: str, version: int) -> SnapshotPart:
    """A snapshot of an account whose balance is its version."""
    account = account_id("default", number)
    balance = {
        "programme": "$literal.x",
        "scale": 0,
        "balance": version,
        "booked": version,
        "pending": 0,
        "debt": 0,
        "held": 0,
        "earned": version,
        "redeemed": 0,
        "expired": 0,
        "adjustedUp": 0,
        "adjustedDown": 0,
        "revoked": 0,
        "givenBack": 0,
        "expiring": [{"at": None, "amount": version}],
        "scheduled": [],
        "accountExpiresAt": None,
    }
    value = {
        "version": version,
        "account": account,
        "accountNumber": number,
        "state": "active",
        "numbers": [],
        "forwardsTo": None,
        "sequence": version,
        "balances": [balance],
        "tiers": [],
        "bookedAt": "2026-11-22T10:00:00.000Z",
    }
    return SnapshotPart(stream=f"account/default/{account}", version=version, type=ACCOUNT_VIEW, value=value)


@pytest.fixture
async def views(empty_installation: Installation) -> AsyncIterator[Views]:
    """Views of a fresh installation."""
    views = Views(empty_installation.settings, Health(60))
    await views.start()
    yield views
    await views.stop()


async def test_only_newer_snapshots_replace_older_ones(views: Views) -> None:
    account = account_id("default", "A-1")
    for version, seen in ((2, 2), (1, 2), (2, 2), (5, 5), (4, 5)):
        await bring(views, [snapshot("A-1", version)], ())
        found = await views.accounts.one(account)
        assert found is not None
        assert (found[0], found[1]) == (seen, snapshot("A-1", seen).value)


async def test_slow_queries_time_out_without_affecting_readiness(empty_installation: Installation) -> None:
    settings, health = empty_installation.settings, Health(60)
    views = Views(settings, health)
    await views.start()
    await empty_installation.mongo[settings.database("edge")]["customers"].insert_one({"_id": "c"})

    with pytest.raises(TooSlow, match="not done within 2 s"):
        async with views.connection.reading() as database:
            await database["customers"].find({"$where": "sleep(20000) || true"}, comment=settings.prefix).to_list()
    assert health.not_ready() == {}

    async def running() -> int:
        wanted: list[dict[str, Any]] = [{"$currentOp": {}}, {"$match": {"command.comment": settings.prefix}}]
        return len(await (await empty_installation.mongo.admin.aggregate(wanted)).to_list())

    await eventually(running, 0, 5)  # The server has ended it too.
    await views.stop()


async def test_concurrent_first_snapshots_end_with_the_newest(views: Views) -> None:
    chance = random.Random(7)
    for turn in range(30):
        versions = chance.sample(range(1, 9), 8)
        await asyncio.gather(*(bring(views, [snapshot(f"R-{turn}", version)], ()) for version in versions))
        found = await views.accounts.one(account_id("default", f"R-{turn}"))
        assert found is not None
        assert found[0] == 8


async def test_a_reply_may_have_two_snapshots_of_an_account(views: Views) -> None:
    await bring(views, [snapshot("A-1", 3), snapshot("A-1", 4), snapshot("A-2", 1), snapshot("A-1", 2)], ())
    found = await views.accounts.one(account_id("default", "A-1"))
    assert found is not None
    assert found[0] == 4


async def test_unreadable_records_do_not_block_the_feed(empty_installation: Installation) -> None:
    installation = empty_installation
    good = snapshot("A-1", 1)

    async def send(type_: str, value: bytes | None, key: str = good.stream) -> None:
        headers = Envelope(id=new_id(), type=type_, source="/points", subject="x").headers()
        await installation.send("points.snapshots", value, [*headers], key, partition=0)

    values: list[Any] = [
        b"",
        b"{",
        b"[]",
        b"{}",
        orjson.dumps({**good.value, "version": "1"}),
        orjson.dumps({**good.value, "version": 2**64 - 1}),
        orjson.dumps({**good.value, "balances": 3}),
        None,
    ]
    async with calling(installation) as caller:
        for value in values:
            await send(ACCOUNT_VIEW, value)
        await installation.send("points.snapshots", b"{}", [("ce_id", None)], "x", partition=0)
        await send(TICK, b"{}")
        await send("points.order.v1", b"{}")
        await send(ACCOUNT_VIEW, orjson.dumps(good.value), "programme/default/x")
        await send(ACCOUNT_VIEW, orjson.dumps(good.value), "x")
        await send(ACCOUNT_VIEW, orjson.dumps(good.value))
        await installation.fed("points.snapshots")
        assert await caller.balance("A-1", "$literal.x") == 1
        metrics = await metrics_of(installation)
        assert f'fealty_view_snapshots_total{{outcome="unreadable"}} {len(values) + 3}.0' in metrics
        assert 'fealty_view_snapshots_total{outcome="skipped"} 2.0' in metrics
        assert (await caller.client.get("/health/ready")).status_code == 200


async def test_snapshots_written_without_an_edge_are_fed(installation: Installation) -> None:
    async with installation.points():
        loads = [Command.transaction(f"A-{number}", "LOY22-BuyVouchers", load=5) for number in range(40)]
        await installation.commands(loads)
        await installation.settled([command.id for command in loads])
        async with calling(installation) as caller:
            await eventually(lambda: caller.balance("A-39"), 5)
            await installation.fed("points.snapshots")
            assert {await caller.balance(f"A-{number}") for number in range(40)} == {5}

"""Points that expire on quiet accounts: booked once, whoever is first, and whoever is killed meanwhile."""

import asyncio
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.commands.verify import verify_service
from shared.ids import account_id
from tests.harness import Command, Installation, eventually, payload

pytestmark = pytest.mark.real

PROGRAMME = "LOY22-BuyVouchers"
ACCOUNTS = 120
QUICK = {"FEALTY_SWEEP_INTERVAL_S": "1", "FEALTY_SWEEP_PAGE_MAX": "10"}
SHORT_SESSIONS = {"FEALTY_SESSION_TIMEOUT_MS": "2000", "FEALTY_HEARTBEAT_INTERVAL_MS": "400"}


def numbers() -> list[str]:
    return [f"6299{number:06d}" for number in range(ACCOUNTS)]


def loading(number: str, expires_at: datetime) -> Command:
    """Ten points that expire, and five that do not yet."""
    loads: list[dict[str, Any]] = [{"value": 10, "balanceExpiresAt": expires_at.isoformat()}, {"value": 5}]
    body = {"accountNumber": number, "loyaltyPrograms": [{"loyaltyPointDefinitionId": PROGRAMME, "loads": loads}]}
    return Command("points.post_transaction.v1", account_id("default", number), body)


async def due_accounts(installation: Installation) -> int:
    """Accounts with something due that is not booked yet."""
    past = {"state.due_at": {"$lte": datetime.now(UTC)}}
    return int(await installation.collection("points", "snapshots").count_documents(past))


async def check(installation: Installation) -> None:
    """Every account lost its ten points once: in the journal, on the public stream, and in its balance."""
    expired: Counter[str] = Counter()
    seen: set[tuple[str, int]] = set()
    for record in await installation.read("points.changes"):
        change = payload(record)
        if (change["account"], change["sequence"]) not in seen and change["kind"] == "expire":
            assert (change["delta"], change["reason"]) == (-10, "lot")
            expired[change["accountNumber"]] += 1
        seen.add((change["account"], change["sequence"]))
    assert expired == Counter(dict.fromkeys(numbers(), 1))
    report = await verify_service("points", installation.settings)
    assert report.ok, report.findings[:3]


async def test_the_sweep_books_what_expires_on_quiet_accounts(installation: Installation) -> None:
    async with installation.points(**QUICK), installation.points("points-1", **QUICK):
        await installation.settled(installation.declared)
        expires_at = datetime.now(UTC) + timedelta(seconds=4)
        commands = [loading(number, expires_at) for number in numbers()]
        await installation.commands(commands)
        await installation.settled([command.id for command in commands])
        await asyncio.sleep(max(0.0, (expires_at - datetime.now(UTC)).total_seconds()))
        await eventually(lambda: due_accounts(installation), 0, 60)
        await installation.drained()
    await check(installation)
    journal = installation.collection("points", "journal")
    assert await journal.count_documents({"type": "points.book_due.v1", "writes": {"$exists": True}}) == ACCOUNTS


@pytest.mark.parametrize("point", ["after_transaction", "after_publishing"])
async def test_sweepers_that_are_killed_among_commands_book_nothing_twice(
    installation: Installation, point: str
) -> None:
    async with installation.points():
        expires_at = datetime.now(UTC) + timedelta(seconds=3)
        commands = [loading(number, expires_at) for number in numbers()]
        await installation.commands(commands)
        await installation.settled([command.id for command in commands])
    await asyncio.sleep(max(0.0, (expires_at - datetime.now(UTC)).total_seconds()))
    environment = {**QUICK, **SHORT_SESSIONS, "PROBE": f"{point}:kill:3"}
    for _ in range(2):
        doomed, _ = await installation.spawn("points", "points-0", environment, wait=False)
        assert await asyncio.wait_for(doomed.wait(), 60) == -signal.SIGKILL
        await installation.commands(
            [Command.transaction(number, PROGRAMME, redeem=1) for number in numbers()[:: ACCOUNTS // 20]]
        )
    async with installation.points(**QUICK, **SHORT_SESSIONS):
        await installation.drained()
        await eventually(lambda: due_accounts(installation), 0, 60)
        await installation.drained()
    await check(installation)

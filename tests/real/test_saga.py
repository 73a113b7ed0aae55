"""Transactions over points and vouchers with kills at every step: each is executed whole, or nothing of it is."""

import asyncio
import signal
from collections import Counter

import pytest

from cli.commands.verify import verify_topics
from cli.verify import published
from tests.harness import Command, Installation, eventually, header, payload
from tests.real.saga import Sagas, all_closed, check, new_sagas, open_ones, prepare
from tests.real.test_cli import fealty, rows

pytestmark = pytest.mark.real

STEPS = ["before_transaction", "in_transaction", "after_transaction", "after_publishing", "before_commit"]
SHORT = {"FEALTY_SESSION_TIMEOUT_MS": "2000", "FEALTY_HEARTBEAT_INTERVAL_MS": "400"}
SMALL = {**SHORT, "FEALTY_BATCH_RECORDS_MAX": "20"}
OFTEN = {"FEALTY_SWEEP_INTERVAL_S": "1"}


async def send(installation: Installation, sagas: Sagas, count: int) -> None:
    await installation.commands([sagas.transaction() for _ in range(count)])


async def killed(installation: Installation, service: str, probe: str) -> None:
    """Run a worker until it kills itself at its probe."""
    doomed, _ = await installation.spawn(service, f"{service}-0", {**SMALL, "PROBE": probe}, wait=False)
    assert await asyncio.wait_for(doomed.wait(), 60) == -signal.SIGKILL


async def test_all_is_decided_once_and_answered_once(
    empty_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation, sagas = empty_installation, new_sagas(1)
    await prepare(installation, sagas.accounts)
    await send(installation, sagas, 300)
    async with installation.points(**SHORT), installation.worker("voucher", **SHORT):
        await all_closed(installation)
        await installation.commands([sagas.reversal() for _ in range(150)])
        await all_closed(installation)
    outcomes = await check(installation, sagas)
    assert outcomes.pop("reversal_executed") > 5
    assert outcomes.keys() == {"executed", "refused", "refused by points"}, outcomes
    refusals: Counter[str] = Counter()
    for record in await installation.read("points.events"):
        if header(record, "ce_type") == "points.transaction_rejected.v1":
            refusals[payload(record)["code"]] += 1
    assert refusals["voucher_redeemed"] == outcomes["refused"]
    assert refusals["insufficient_points"] == outcomes["refused by points"]
    monkeypatch.setattr(published, "_RECORDS_MAX", 1)
    report = await verify_topics("points", installation.settings)
    assert report.ok, f"each is found, whatever is read beside it: {report.findings[:3]}"
    await damage_is_told(installation, outcomes["executed"] + outcomes["refused"])


async def damage_is_told(installation: Installation, closed: int) -> None:
    """`fealty verify` counts what it compared, and lists what one of both has forgotten."""
    code, out, _ = await fealty(installation, "verify")
    assert (code, out.splitlines()[-1]) == (0, f"ok: {closed} transactions over points, vouchers and gift cards")
    decided = installation.collection("voucher", "snapshots")
    points = installation.collection("points", "snapshots")
    held = await points.find_one({"_id": {"$regex": "^transaction/"}, "state.decision": "refused"})
    undone = await points.find({"state.vouchers": {"$exists": True}}).to_list(2)
    one, other = [(each, each["state"]["vouchers"][0]) for each in undone]
    await decided.delete_one({"_id": held["_id"]})
    await decided.delete_one({"_id": f"transaction/default/{one[1][1]}"})
    await points.update_one({"_id": other[0]["_id"]}, {"$unset": {"state.vouchers": 1}})
    code, out, err = await fealty(installation, "verify")
    assert code == 1
    assert "transactions or vouchers differ" in err
    told = [row[:2] for row in rows(out)]
    assert [held["_id"], "closed as the voucher service decided"] in told
    assert [one[0]["_id"], f"voucher of operation {one[1][0]}, reversed by {one[1][1]}"] in told
    assert [f"transaction/default/{other[1][1]}", "booked by points"] in told


@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_every_step(empty_installation: Installation, step: str) -> None:
    await campaign(empty_installation, step, STEPS.index(step))


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("round_", range(20))
@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_every_step_for_long(empty_installation: Installation, step: str, round_: int) -> None:
    await campaign(empty_installation, step, 100 + round_)


async def campaign(installation: Installation, step: str, seed: int) -> None:
    """Kill points while it holds, voucher while it decides, points while it closes; and then both at once.

    The last time there are reversals of what was executed among the transactions.
    """
    sagas = new_sagas(seed)
    await prepare(installation, sagas.accounts)
    await send(installation, sagas, 150)
    await killed(installation, "points", f"{step}:kill:2")
    async with installation.points(**SMALL):
        await installation.drained()
    assert await open_ones(installation) > 20
    await killed(installation, "voucher", f"{step}:kill:2")
    async with installation.worker("voucher", **SMALL):
        await installation.drained(group="voucher", topic="voucher.commands")
    await killed(installation, "points", f"{step}:kill:2")
    async with installation.points(**SMALL):
        await installation.drained()
    commands = [sagas.reversal() for _ in range(60)] + [sagas.transaction() for _ in range(120)]
    sagas.random.shuffle(commands)
    await installation.commands(commands)
    dying = asyncio.create_task(killed(installation, "voucher", f"{step}:kill:2"))
    await killed(installation, "points", f"{step}:kill:3")
    async with installation.points(**SHORT):
        await dying
        async with installation.worker("voucher", **SHORT):
            await all_closed(installation)
    outcomes = await check(installation, sagas)
    assert outcomes["executed"] > 20, outcomes
    assert outcomes["refused"] > 5, outcomes
    assert outcomes["reversal_executed"] > 5, outcomes


async def test_while_voucher_is_away_holds_stay_and_are_asked_after(empty_installation: Installation) -> None:
    """Past the deadline the sweep asks for a cancellation and does nothing else; voucher's first decision stands."""
    installation, sagas = empty_installation, new_sagas(9)
    await prepare(installation, sagas.accounts)
    await send(installation, sagas, 60)
    async with installation.points(**SHORT, **OFTEN):
        await installation.drained()
        held = await open_ones(installation)
        assert held > 20
        cancels = installation.collection("points", "journal")
        wanted = {"follow_ups.type": "voucher.cancel.v1"}
        await eventually(lambda: cancels.count_documents(wanted), held, 90)
        assert await open_ones(installation) == held, "holds stay as long as voucher has not answered"
        async with installation.worker("voucher", **SHORT):
            await all_closed(installation)
    outcomes = await check(installation, sagas)
    assert outcomes["cancelled"] == 0, "its executes were in the topic in time, and stood before the cancels"
    closes = Counter(
        header(record, "ce_id")
        for record in await installation.read("points.commands")
        if header(record, "ce_type") == "points.close_transaction.v1"
    )
    assert sorted(closes.values()) == [2] * held, "told for the execute, and once more for the cancel"


async def test_what_was_cancelled_before_it_came_is_not_executed(empty_installation: Installation) -> None:
    """An execute that was delayed past its cancel finds a tombstone."""
    installation, sagas = empty_installation, new_sagas(10)
    await prepare(installation, sagas.accounts)
    commands = [sagas.transaction() for _ in range(40)]
    cancels = [
        Command("voucher.cancel.v1", it.subject, {"transactionId": it.id, "account": it.subject})
        for it in commands[::2]
    ]
    async with installation.points(**SHORT), installation.worker("voucher", **SHORT):
        await installation.commands(cancels)
        await installation.settled([each.id for each in cancels], service="voucher")
        await installation.commands(commands)
        await all_closed(installation)
    outcomes = await check(installation, sagas)
    assert outcomes["cancelled"] > 10
    assert outcomes["executed"] > 5
    cancelled = {each.id for each in commands[::2]}
    closed = installation.collection("points", "journal").find({"closing.status": "accepted"})
    assert not cancelled & {each["closing"]["_id"] async for each in closed}

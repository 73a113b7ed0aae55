"""The report of liability on real servers: it closes at what accounts have, and says so when it does not."""

import csv
import io
import json
from datetime import date, timedelta

import pytest

from cli.commands import liability
from cli.commands.liability import asked_of
from shared.ids import account_id
from tests.harness import Command, Installation
from tests.real.test_cli import fealty, rows
from tests.real.test_import import booked
from tests.real.workload import Workload

pytestmark = pytest.mark.real

POINTS, CASHBACK = "LOY22-BuyVouchers", "CASHBACK"


def adjust(number: str, programme: str, value: int) -> Command:
    """A correction."""
    body = {"accountNumber": number, "programme": programme, "value": value, "reason": "a test"}
    return Command("points.adjust.v1", account_id("default", number), body)


async def report(installation: Installation, *arguments: str) -> list[dict[str, str]]:
    """The rows of the report."""
    code, out, err = await fealty(installation, "report", "liability", "--format", "csv", *arguments)
    assert (code, err) == (0, "")
    return list(csv.DictReader(io.StringIO(out)))


async def test_the_report_closes_at_what_accounts_have(installation: Installation) -> None:
    work = Workload(seed=31, accounts=12)
    async with installation.points():
        await installation.commands(
            [*work.more(300), Command.transaction("L-1", CASHBACK, load=20), adjust("L-1", CASHBACK, -5)]
        )
        await installation.drained()
    journal = installation.collection("points", "journal")
    sums: dict[str, int] = {}
    async for entry in journal.find({"events.data.programme": POINTS}):
        for event in entry["events"]:
            kind = event["data"].get("kind", "")
            sums[kind] = sums.get(kind, 0) + event["data"].get("delta", 0)
    found = {(row["programme"], row["day"]): row for row in await report(installation)}
    today = next(day for programme, day in found if day != "total")
    assert set(found) == {(name, day) for name in (POINTS, CASHBACK) for day in (today, "total")}
    total = found[POINTS, "total"]
    assert (total["opening"], total["credited"], total["redeemed"]) == ("0", str(sums["load"]), str(sums["redeem"]))
    has = sum(value for (_, programme), value in (await booked(installation)).items() if programme == POINTS)
    assert (total["closing"], total["unit"]) == (str(has), "points")
    cash = found[CASHBACK, today]
    assert (cash["unit"], cash["credited"], cash["adjusted_down"], cash["closing"]) == (
        "EUR",
        "20.00",
        "-5.00",
        "15.00",
    )

    code, out, _ = await fealty(installation, "report", "liability", "--format", "json", "--programme", CASHBACK)
    assert code == 0
    assert [(row["day"], row["closing"]) for row in json.loads(out)] == [(today, 15), ("total", 15)]
    code, out, _ = await fealty(installation, "report", "liability")
    assert rows(out)[0][:3] == [CASHBACK, "EUR", today]
    code, out, err = await fealty(installation, "report", "liability", "--programme", "NONE")
    assert (code, out, err) == (2, "", "fealty: unknown programme 'NONE'; `fealty programmes list` shows the ids\n")


async def test_days_are_those_of_the_programmes_zone_and_bounds_keep_the_sums(installation: Installation) -> None:
    """Movements are moved to other days in the journal, on both sides of a midnight in Amsterdam."""
    loads = [Command.transaction("Z-1", POINTS, load=each) for each in (1, 20, 300, 4000)]
    async with installation.points():
        await installation.commands(loads)
        await installation.drained()
    journal = installation.collection("points", "journal")
    times = [
        "2026-03-28T22:59:59.999Z",
        "2026-03-28T23:00:00.000Z",
        "2026-03-29T21:59:59.999Z",
        "2026-03-29T22:00:00.000Z",
    ]
    for command, at in zip(loads, times, strict=True):
        change = {"$set": {"events.$[one].data.bookedAt": at}}
        filters = [{"one.data.kind": "load"}]
        changed = await journal.update_one({"_id": command.id}, change, array_filters=filters)
        assert changed.modified_count == 1

    def the(found: list[dict[str, str]]) -> list[tuple[str, str, str, str]]:
        return [(row["day"], row["opening"], row["credited"], row["closing"]) for row in found]

    assert the(await report(installation)) == [
        ("2026-03-28", "0", "1", "1"),
        ("2026-03-29", "1", "320", "321"),
        ("2026-03-30", "321", "4000", "4321"),
        ("total", "0", "4321", "4321"),
    ]
    assert the(await report(installation, "--from", "2026-03-29", "--until", "2026-03-29")) == [
        ("2026-03-29", "1", "320", "321"),
        ("total", "1", "320", "321"),
    ]
    later = (date(2026, 3, 30) + timedelta(days=1)).isoformat()
    assert the(await report(installation, "--from", later)) == [("total", "4321", "0", "4321")]
    assert the(await report(installation, "--until", "2026-03-27")) == [("total", "0", "0", "0")]


async def test_what_does_not_add_up_is_said(installation: Installation) -> None:
    async with installation.points():
        await installation.commands([Command.transaction("F-1", POINTS, load=100)])
        await installation.drained()
    journal, query = installation.collection("points", "journal"), {"events.data.kind": "load"}
    await journal.update_one(
        query, {"$inc": {"events.$[one].data.delta": 1}}, array_filters=[{"one.data.kind": "load"}]
    )
    code, out, err = await fealty(installation, "report", "liability")
    assert code == 1
    assert [row[2] for row in rows(out)][-1] == "total"
    assert err.splitlines() == [
        f"fealty: {POINTS} does not add up: its balance changes are 101 booked and 0 pending, "
        "its balances are 100 and 0 (in the smallest unit)",
        "fealty: the balance changes and the balances differ: `fealty verify` lists the accounts",
    ]
    await installation.collection("points", "snapshots").delete_many({"_id": {"$regex": "^account/"}})
    assert (await fealty(installation, "report", "liability"))[0] == 1


async def test_bookings_meanwhile_are_no_false_alarm(installation: Installation) -> None:
    work = Workload(seed=32, accounts=6)
    asked, closings = asked_of(None, None, None, "csv"), set()
    async with installation.points(FEALTY_BATCH_RECORDS_MAX="20"):
        await installation.settled(installation.declared)
        await installation.commands(work.more(2_000))
        while await installation.lag("points", "points.commands"):
            found = await liability.report(asked, installation.settings)
            assert found.faults == []
            closings |= {book.total.closing for book in found.books}
    assert len(closings) > 1, "nothing was booked meanwhile"


async def test_an_empty_store_and_no_store(empty_installation: Installation) -> None:
    assert await report(empty_installation) == []
    nobody = {"MONGODB_URL": "mongodb://127.0.0.1:1/", "FEALTY_REQUEST_TIMEOUT_MS": "500"}
    code, out, err = await fealty(empty_installation, "report", "liability", **nobody)
    assert (code, out, len(err.splitlines())) == (2, "", 1)

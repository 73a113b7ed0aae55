"""The queries that docs/analysts.md shows for DuckDB, run as pasted: their figures are those of the journal."""

import asyncio
import json
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from cli.commands.demo_clients import demo_clients
from schemas.envelope import Envelope
from shared.embedded.client_files import write_client_files
from shared.embedded.endpoints import endpoints_of, write_endpoints
from shared.ids import account_id, new_id
from tests.harness import Command, Installation
from tests.real.test_cli import fealty
from tests.real.test_integration_page import kcat
from tests.real.test_liability import adjust
from tests.real.workload import PROGRAMME, Workload

pytestmark = pytest.mark.real

PAGE = (Path(__file__).parents[2] / "docs" / "analysts.md").read_text()
READ, LOAD, LOAD_FILES, MISSING, BY_DAY, LIABILITY, ACTIVE, COHORTS = re.findall(
    r"test_analysts_page\.py -->\n```(?:sh|sql)\n(.*?)```", PAGE, re.DOTALL
)
ZONE = ZoneInfo("Europe/Amsterdam")
FIRST = datetime(2026, 9, 30, 22, 15, tzinfo=ZoneInfo("UTC"))
"""A quarter past midnight in Amsterdam, and a month before the instant that the page names."""

CASHBACK, ORDERS = "CASHBACK", "LOY22-Orders"
ISSUED, REDEEMED = ("load", "activate", "deactivate"), ("redeem", "purchase", "threshold")


@dataclass(frozen=True)
class Change:
    """A change as it was booked, on the day that it was moved to."""

    account: str
    number: str
    programme: str
    kind: str
    delta: Decimal
    pending: Decimal
    at: datetime

    @property
    def day(self) -> date:
        """The day in the zone of the programmes."""
        return self.at.astimezone(ZONE).date()

    @property
    def month(self) -> date:
        """The first day of its month."""
        return self.day.replace(day=1)


def moved(account: str, sequence: int) -> datetime:
    """When a change was booked, as the tests have it: some accounts begin later, and each has months of changes."""
    return FIRST + timedelta(days=9 * (int(account[-2:], 16) % 7) + 5 * sequence, milliseconds=sequence)


async def booked(installation: Installation) -> list[Change]:
    """Every change that the journal has."""
    found = []
    async for entry in installation.collection("points", "journal").find({"status": "accepted"}):
        for event in (each["data"] for each in entry["events"] if "delta" in each["data"]):
            account, sequence, one = event["account"], event["sequence"], Decimal(1).scaleb(-event["scale"])
            found.append(
                Change(
                    account=account,
                    number=event["accountNumber"],
                    programme=event["programme"],
                    kind=event["kind"],
                    delta=event["delta"] * one,
                    pending=event.get("pendingDelta", 0) * one,
                    at=moved(account, sequence),
                )
            )
    return found


async def book(installation: Installation) -> None:
    """Loads and redemptions, corrections, an expiry, a reversal, and an order that waits for its delivery."""
    work = Workload(seed=77, accounts=9)
    cash = [Command.transaction("D-1", CASHBACK, load=2), adjust("D-1", CASHBACK, 1), adjust("D-2", CASHBACK, 3)]
    undone = {"accountNumber": "D-1", "transactionId": cash[0].id, "reason": "a test"}
    soon = (datetime.now(ZONE) + timedelta(seconds=1)).isoformat()
    lapsing = Command.transaction("D-2", PROGRAMME, load=70)
    lapsing.body["loyaltyPrograms"][0]["loads"][0]["balanceExpiresAt"] = soon
    await installation.commands([*work.more(160), *cash, lapsing])
    await installation.commands(
        [adjust("D-1", CASHBACK, -1), Command("points.reverse.v1", account_id("default", "D-1"), undone)]
    )
    line = {"line": "1", "quantity": 1, "netAmount": 40}
    order = {"order": "O-1", "accountNumber": "D-1", "currency": "EUR", "placedAt": "2026-11-22T10:00:00Z"}
    headers = Envelope(id=new_id(), type="order.placed.v1", source="/webshop", subject="O-1").headers()
    body = json.dumps({**order, "lines": [line]}).encode()
    await installation.send("webshop.orders", body, [*headers], "O-1")
    await asyncio.sleep(1.1)
    await installation.commands([Command.transaction("D-2", PROGRAMME, load=1)])
    await installation.drained(group="points.reactions.webshop.orders", topic="webshop.orders")
    await installation.drained()


def disordered(path: Path) -> None:
    """Deliver a third of the records again, in any order, moved to their days."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        line["bookedAt"] = moved(line["account"], line["sequence"]).isoformat()
    lines += lines[::3]
    random.Random(7).shuffle(lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def total(changes: Iterable[Change], of: Callable[[Change], Decimal] = lambda change: change.delta) -> Decimal:
    """A sum of amounts."""
    return sum((of(change) for change in changes), Decimal())


def by_day(changes: list[Change]) -> list[tuple[Any, ...]]:
    """What the query of days must show."""
    found, days = [], sorted({(change.programme, change.day) for change in changes})
    for programme, day in days:
        here = [change for change in changes if (change.programme, change.day) == (programme, day)]
        until = [change for change in changes if change.programme == programme and change.day <= day]
        issued = total(change for change in here if change.kind in ISSUED)
        redeemed = -total(change for change in here if change.kind in REDEEMED)
        expired = -total(change for change in here if change.kind == "expire")
        other = total(change for change in here if change.kind not in (*ISSUED, *REDEEMED, "expire"))
        found.append((programme, day, issued, redeemed, expired, other, total(until)))
    return found


def liability(changes: list[Change], units: dict[str, str]) -> list[tuple[Any, ...]]:
    """What the query of an instant must show."""
    before = [change for change in changes if change.at < datetime(2026, 11, 1, tzinfo=ZONE)]
    return [
        (name, units[name], total(here), total(here, lambda change: change.pending))
        for name in sorted({change.programme for change in before})
        for here in [[change for change in before if change.programme == name]]
    ]


def active(changes: list[Change]) -> list[tuple[Any, ...]]:
    """What the query of accounts must show."""
    accounts: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        if change.kind != "expire":
            accounts[change.account].append(change)
    rows = [
        (account, own[0].number, len(own), sum(each.delta < 0 for each in own), max(each.at for each in own))
        for account, own in accounts.items()
    ]
    return sorted(rows, key=lambda row: (-row[2], row[0]))[:10]


def cohorts(changes: list[Change]) -> list[tuple[Any, ...]]:
    """What the query of cohorts must show."""
    began: dict[str, date] = {}
    for change in sorted(changes, key=lambda change: change.at):
        began.setdefault(change.account, change.month)
    seen = {
        (first, 12 * (change.month.year - first.year) + change.month.month - first.month, change.account)
        for change in changes
        for first in [began[change.account]]
        if change.kind != "expire"
    }
    counts = Counter((cohort, later) for cohort, later, _ in seen)
    return [(*key, count) for key, count in sorted(counts.items())]


async def read_as_shown(installation: Installation, directory: Path) -> None:
    """Run the page's shell block where a stack like `make run`'s seems to run."""
    settings = installation.settings
    (directory / ".venv").symlink_to(sys.prefix)
    root = directory / ".fealty"
    root.mkdir()
    async with installation.edge() as url:
        write_endpoints(root, endpoints_of(url, settings))
        write_client_files(root, settings)
        await demo_clients(root, settings)
        assert "points.changes" in READ
        text = READ.replace("points.changes", settings.topic("points.changes"))
        shell = installation.environment("analyst", 0, {})
        process = await asyncio.create_subprocess_exec(*kcat(text, directory), cwd=directory, env=shell)
        assert await process.wait() == 0


async def test_the_queries_count_what_was_booked(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with installation.points():
        await book(installation)
        await read_as_shown(installation, tmp_path)
    for directory in ("changes-1", "changes-2"):
        code, _, err = await fealty(installation, "export", "changes", str(tmp_path / directory), "--format", "parquet")
        assert (code, err) == (0, "")
    changes = await booked(installation)
    kinds = {change.kind for change in changes}
    assert {"load", "redeem", "adjust", "revoke", "expire", "pend"} <= kinds, kinds
    disordered(tmp_path / "changes.ndjson")
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'America/New_York'")  # Whatever the analyst's is.
        for load in (LOAD, LOAD, LOAD_FILES):
            db.execute(load)
            assert db.execute("SELECT count(*) FROM changes").fetchone() == (len(changes),)
        assert db.execute(MISSING).fetchall() == []
        assert db.execute(BY_DAY).fetchall() == by_day(changes)
        units = {PROGRAMME: "points", ORDERS: "points", CASHBACK: "EUR"}
        assert db.execute(LIABILITY).fetchall() == liability(changes, units)
        assert db.execute(ACTIVE).fetchall() == active(changes)
        assert db.execute(COHORTS).fetchall() == cohorts(changes)
        db.execute("DELETE FROM changes WHERE sequence = 1")
        longer = {account for account, count in Counter(change.account for change in changes).items() if count > 1}
        assert set(db.execute(MISSING).fetchall()) == {(account, 1) for account in longer}
    with duckdb.connect() as db:
        db.execute(LOAD.partition(";")[0])
        db.execute(LOAD_FILES)
        exported = db.execute("SELECT programme, sum(delta), sum(pending_delta) FROM changes GROUP BY ALL").fetchall()
    assert {row[0]: row[1:] for row in exported} == {
        name: (total(here), total(here, lambda change: change.pending))
        for name in {change.programme for change in changes}
        for here in [[change for change in changes if change.programme == name]]
    }

"""Opening balances on real servers: each row is booked once, whatever is killed, mended, or run again."""

import asyncio
import csv
import signal
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from cli.importing.balances import LAYOUT
from cli.importing.sending import DEAD_LETTERED, Unanswered, letters, outcomes, settled
from schemas.programme import Programme
from shared.clock import instant
from shared.runtime.journal import Journal
from shared.runtime.publish import forward_id
from tests import forks
from tests.harness import DEMO, Command, Installation, eventually
from tests.real.test_cli import fealty, rows

pytestmark = pytest.mark.real

POINTS, CASHBACK = "LOY22-BuyVouchers", "CASHBACK"
COLUMNS = ("account_number", "programme", "value", "expires_at", "active_from", "reason")
ADJUST = {"type": "points.adjust.v1"}


def write(path: Path, table: list[tuple[str, ...]]) -> None:
    """A file of opening balances; cells that a row does not have are empty."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows((*row, *[""] * (len(COLUMNS) - len(row))) for row in table)


def balances_file(path: Path, count: int) -> tuple[dict[tuple[str, str], int], dict[int, str]]:
    """Write `count` rows; what each account must have by programme (smallest unit), and the bad lines with why."""
    table: list[tuple[str, ...]] = []
    wanted: dict[tuple[str, str], int] = defaultdict(int)
    bad: dict[int, str] = {}
    for number in range(count):
        account = f"I-{number // 3}"
        match number % 20:
            case 5:
                bad[number + 2] = "value is not a number"
                table.append((account, POINTS, "1,000"))
            case 9:
                bad[number + 2] = "there is no programme 'LOY21'"
                table.append((account, "LOY21", "10"))
            case 13:
                bad[number + 2] = "expires_at is in the past"
                table.append((account, POINTS, "10", "2020-12-31"))
            case 1 | 7:  # Two of an account's rows may be equal: each is a credit.
                wanted[account, CASHBACK] += 1234
                table.append((account, CASHBACK, "12.34", "2098-12-31"))
            case _:
                wanted[account, POINTS] += number + 1
                table.append((account, POINTS, str(number + 1), f"{2090 + number % 2}-06-30"))
    write(path, table)
    return wanted, bad


def shown(snapshot: dict[str, Any]) -> dict[str, Any]:
    """An account as it is published."""
    from services.points.decider import DECIDER

    view = DECIDER.views(DECIDER.load_state(snapshot["_id"], snapshot["state"]))
    assert view is not None
    assert view.value is not None
    return view.value


async def booked(installation: Installation) -> dict[tuple[str, str], int]:
    """What each account has, by programme, in the smallest unit."""
    found: dict[tuple[str, str], int] = {}
    async for snapshot in installation.collection("points", "snapshots").find({"_id": {"$regex": "^account/"}}):
        view = shown(snapshot)
        found |= {(view["accountNumber"], balance["programme"]): balance["booked"] for balance in view["balances"]}
    return found


async def adjusts(installation: Installation, **more: Any) -> int:
    """How many corrections are journalled."""
    return int(await installation.collection("points", "journal").count_documents({**ADJUST, **more}))


def told(err: str) -> dict[int, str]:
    """Why each line was refused."""
    lines = [line.partition(".csv:")[2].partition(": ") for line in err.splitlines() if ".csv:" in line]
    return {int(number): reason for number, _, reason in lines}


def counts(out: str) -> str:
    """The last line of what was printed."""
    return out.splitlines()[-1]


async def test_a_killed_import_goes_on_and_every_balance_is_exact(installation: Installation, tmp_path: Path) -> None:
    path, rejects = tmp_path / "opening.csv", tmp_path / "rejects.csv"
    wanted, bad = balances_file(path, 2_000)
    good = 2_000 - len(bad)
    async with installation.points():
        code, out, err = await fealty(installation, "import", "accounts", str(path), "--dry-run")
        assert (code, await adjusts(installation)) == (1, 0)
        assert counts(out).startswith(f"{good:,} to import, 0 imported before, {len(bad)} refused")
        assert counts(out).endswith("; nothing was sent")

        command = [sys.executable, "-m", "cli", "import", "accounts", str(path), "--concurrency", "40"]
        process = await forks.start(command, installation.environment("cli", 0, {}))
        while await adjusts(installation) < good // 3:
            assert process.returncode is None
            await asyncio.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await installation.drained()
        half = await adjusts(installation)
        assert good // 3 <= half < good, "it was not killed half-way"

        code, out, err = await fealty(installation, "import", "accounts", str(path), "--rejects", str(rejects))
        assert code == 1
        assert counts(out).startswith(f"{good - half:,} imported, {half:,} imported before, {len(bad)} refused")
        assert told(err).keys() == bad.keys()
        assert all(told(err)[line].startswith(why) for line, why in bad.items())
        assert await booked(installation) == wanted
        assert await adjusts(installation) == good

        code, out, err = await fealty(installation, "import", "accounts", str(path))
        assert (code, await adjusts(installation)) == (1, good)
        assert counts(out).startswith(f"0 imported, {good:,} imported before, {len(bad)} refused")
        assert await booked(installation) == wanted

        with rejects.open(newline="") as file:
            refused = list(csv.DictReader(file))
        assert [row["refused_because"] for row in refused] == list(told(err).values())
        mended = tmp_path / "mended.csv"
        write(mended, [(row["account_number"], POINTS, "7", "", "", row["refused_because"]) for row in refused])
        for row in refused:
            wanted[row["account_number"], POINTS] += 7
        for count in (len(refused), 0):
            code, out, err = await fealty(installation, "import", "accounts", str(mended), "--strict")
            assert (code, err) == (0, "")
            assert counts(out).startswith(f"{count} imported, {len(refused) - count} imported before, 0 refused")
            assert await booked(installation) == wanted
    code, out, err = await fealty(installation, "verify")
    assert (code, err) == (0, "")


async def test_rows_that_the_service_refuses_can_be_imported_once_the_cause_is_gone(
    installation: Installation, tmp_path: Path
) -> None:
    """Also with another value, since a refusal booked none; the number of equal rows does not move meanwhile."""
    closed = Programme.model_validate({"id": "CLOSED", "descriptions": {"en": "closed"}, "openOnCredit": False})
    path = tmp_path / "opening.csv"
    write(path, [("C-1", "CLOSED", "5"), ("C-2", POINTS, "6"), ("C-1", "CLOSED", "7")])
    async with installation.points():
        await declare(installation, closed)
        for attempt in (1, 2):
            code, out, err = await fealty(installation, "import", "accounts", str(path))
            assert code == 1
            assert told(err).keys() == {2, 4}
            assert all(reason.startswith("account_unknown: ") for reason in told(err).values())
            assert counts(out).startswith(f"{2 - attempt} imported, {attempt - 1} imported before, 2 refused")
        await declare(installation, closed.model_copy(update={"open_on_credit": True}))
        write(path, [("C-1", "CLOSED", "50"), ("C-2", POINTS, "6"), ("C-1", "CLOSED", "7")])
        code, out, err = await fealty(installation, "import", "accounts", str(path))
        assert (code, err) == (0, "")
        assert counts(out).startswith("2 imported, 1 imported before, 0 refused")
        assert await booked(installation) == {("C-1", "CLOSED"): 57, ("C-2", POINTS): 6}
        assert await adjusts(installation, status="accepted") == 3


async def test_a_row_in_another_ones_place_is_refused_and_so_are_those_behind_it(
    installation: Installation, tmp_path: Path
) -> None:
    path = tmp_path / "opening.csv"
    write(path, [("R-1", POINTS, "5"), ("R-1", POINTS, "x"), ("R-1", POINTS, "7"), ("R-2", POINTS, "1")])
    async with installation.points():
        assert (await fealty(installation, "import", "accounts", str(path)))[0] == 1
        write(path, [("R-1", POINTS, "8"), ("R-1", POINTS, "5"), ("R-1", POINTS, "7"), ("R-2", POINTS, "1")])
        for arguments in (["--dry-run"], ["--strict"], []):
            code, _, err = await fealty(installation, "import", "accounts", str(path), *arguments)
            assert code == 1
            lines = told(err)
            assert "was imported earlier with another value (idempotency_key_reused)" in lines[2]
            assert lines[3].startswith("follows a row with the same account, programme and times")
            assert await booked(installation) == {("R-1", POINTS): 12, ("R-2", POINTS): 1}
        write(path, [("R-1", POINTS, "5"), ("R-1", POINTS, "8"), ("R-1", POINTS, "7"), ("R-2", POINTS, "1")])
        code, _, err = await fealty(installation, "import", "accounts", str(path))
        assert (code, err) == (0, "")
        assert await booked(installation) == {("R-1", POINTS): 20, ("R-2", POINTS): 1}


async def test_dates_in_the_zone_of_the_programme_and_credits_to_come(
    installation: Installation, tmp_path: Path
) -> None:
    path = tmp_path / "opening.jsonl"
    path.write_text(
        '{"account_number": "D-1", "programme": "CASHBACK", "value": 1.50, "expires_at": "2098-06-30"}\n'
        '{"account_number": "D-1", "programme": "CASHBACK", "value": 2, "active_from": "2097-01-01"}\n'
    )
    async with installation.points():
        for count in (2, 0):
            code, out, err = await fealty(installation, "import", "accounts", str(path), "--label", "L")
            assert (code, err) == (0, "")
            assert rows(out) == [
                [CASHBACK, str(count), "3.50" if count else "0", str(2 - count), "0" if count else "3.50"]
            ]
    stored = await installation.collection("points", "snapshots").find_one({"_id": {"$regex": "^account/"}})
    assert stored is not None
    view = shown(stored)["balances"][0]
    assert view["expiring"] == [{"at": "2098-06-30T22:00:00.000Z", "amount": 150}]
    assert view["scheduled"] == [{"at": "2096-12-31T23:00:00.000Z", "amount": 200}]


async def test_without_its_service_it_ends_and_what_was_sent_is_known_later(
    installation: Installation, tmp_path: Path
) -> None:
    path = tmp_path / "opening.csv"
    async with installation.points():
        pass
    write(path, [(f"W-{number}", POINTS, "5") for number in range(30)])
    code, out, err = await fealty(
        installation, "import", "accounts", str(path), "--concurrency", "8", FEALTY_NOT_AFTER_MS="500"
    )
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "check that the points service is running (0 rows were imported by this run" in err
    async with installation.points():
        await eventually(lambda: adjusts(installation), 8)
        code, out, err = await fealty(installation, "import", "accounts", str(path))
        assert (code, err, counts(out)) == (0, "", "22 imported, 8 imported before, 0 refused")
    assert set((await booked(installation)).values()) == {5}


async def test_what_cannot_be_imported_at_all_is_one_line(empty_installation: Installation, tmp_path: Path) -> None:
    installation = empty_installation
    path = tmp_path / "opening.csv"
    path.write_text("number,points\n1,2\n")
    nobody = {"MONGODB_URL": "mongodb://127.0.0.1:1/", "FEALTY_REQUEST_TIMEOUT_MS": "500"}
    good = tmp_path / "good.csv"
    write(good, [("A", POINTS, "5")])
    for arguments, more, why in (
        ([str(path)], {}, f"{path}:1: the header"),
        ([str(tmp_path / "none.csv")], {}, "there is no file"),
        ([str(good), "--format", "xlsx"], {}, "--format must be csv or jsonl"),
        ([str(good), "--rejects", str(path)], {}, f"{path} exists"),
        ([str(good)], nobody, "no connection to a server"),
    ):
        code, out, err = await fealty(installation, "import", "accounts", *arguments, **more)
        assert (code, out) == (2, "")
        assert err.startswith(f"fealty: {why}")
        assert len(err.splitlines()) == 1


async def declare(installation: Installation, programme: Programme) -> None:
    """Declare a programme and wait until it is."""
    command = Command.declaring(programme.model_dump(mode="json", by_alias=True, exclude_none=True))
    await installation.command(command)
    await installation.settled([command.id])


async def test_outcomes_are_found_behind_forwards_and_among_new_dead_letters(
    empty_installation: Installation,
) -> None:
    settings = empty_installation.settings
    journal = Journal(settings.mongodb, settings.database("points"), settings.request_timeout_ms)
    entries: list[dict[str, Any]] = [
        {"_id": "here", "status": "accepted"},
        {"_id": "sent on", "status": "forwarded"},
        {"_id": forward_id("sent on"), "status": "forwarded"},
        {"_id": forward_id(forward_id("sent on")), "status": "rejected"},
        {"_id": "under way", "status": "forwarded"},
    ]
    await journal.entries.insert_many(entries)
    try:
        found, pending = await outcomes(journal, ["here", "sent on", "under way", "nowhere"])
        assert {each: entry["status"] for each, entry in found.items()} == {"here": "accepted", "sent on": "rejected"}
        assert pending == {"under way": forward_id("under way"), "nowhere": "nowhere"}

        letter = {"_id": "t/0/1", "command_id": "nowhere", "reason": "defect", "detail": "d", "at": instant(0)}
        await journal.dead_letters.insert_one(letter)
        before = await letters(journal, pending)
        assert before.keys() == {"nowhere"}
        with pytest.raises(Unanswered):
            await settled(journal, ["nowhere"], before, 100, "points")
        await journal.dead_letters.insert_one({**letter, "_id": "t/0/2"})
        entry = (await settled(journal, ["nowhere", "here"], before, 100, "points"))["nowhere"]
        assert (entry["status"], entry["code"]) == (DEAD_LETTERED, "defect")
    finally:
        journal.close()
        await asyncio.sleep(0)


def test_the_demo_file_is_one_that_can_be_imported() -> None:
    from cli.importing import Format, count_rows

    assert count_rows(DEMO.with_name("opening_balances.csv"), Format.CSV, LAYOUT) == 6

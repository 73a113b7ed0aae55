"""One account on one screen, on real servers."""

from pathlib import Path

import pytest

from cli.commands.account import LOTS_MAX, MOVEMENTS_MAX
from shared.ids import account_id
from tests.harness import Command, Installation, eventually
from tests.real.test_cli import fealty, rows
from tests.real.test_import import write
from tests.real.test_liability import adjust

pytestmark = pytest.mark.real

POINTS, CASHBACK = "LOY22-BuyVouchers", "CASHBACK"


async def test_an_account_with_all_that_is_known_of_it(installation: Installation) -> None:
    number = "S-1"
    account = account_id("default", number)
    commands = [Command.transaction(number, POINTS, load=1 + each) for each in range(70)]
    for each in range(LOTS_MAX + 5):
        body = {"accountNumber": number, "programme": CASHBACK, "value": 1.5, "reason": "a test"}
        commands.append(Command("points.adjust.v1", account, {**body, "expiresAt": f"{2060 + each}-01-01T00:00:00Z"}))
    to_come = {
        "accountNumber": number,
        "programme": CASHBACK,
        "value": 9,
        "reason": "r",
        "activeFrom": "2050-01-01T00:00:00Z",
    }
    commands += [Command("points.adjust.v1", account, to_come), adjust(number, POINTS, -3)]
    async with installation.points():
        await installation.commands(commands)
        await installation.commands([Command.transaction(number, "UNKNOWN", load=1)])
        await installation.command(Command("points.adjust.v1", account, {"none": 1}))
        letters = installation.collection("points", "dead_letters")
        await eventually(lambda: letters.count_documents({}), 1)
        await installation.drained()
        code, out, err = await fealty(installation, "account", number)
    assert (code, err) == (0, "")
    plain = dict(line.split(None, 1) for line in out.split("\nbalances", 1)[0].splitlines())
    versions = len(commands)
    assert (plain["number"], plain["id"], plain["version"]) == (number, account, str(versions))
    assert plain["sequence"] == str(versions - 1)
    parts = out.split("\nbalances", 1)[1]
    balances, expiring, scheduled, movements, dead = (
        rows(part)
        for part in _split(parts, ["expiring", "scheduled", f"last {MOVEMENTS_MAX} movements", "dead letters"])
    )
    booked = sum(range(1, 71)) - 3
    assert [row[:3] for row in balances] == [[POINTS, str(booked), str(booked)], [CASHBACK, "37.50", "37.50"]]
    assert f"expiring (the first {LOTS_MAX} of {LOTS_MAX + 6})" in out
    assert len(expiring) == LOTS_MAX
    assert expiring[1] == [CASHBACK, "2060-01-01T00:00:00.000Z", "1.50"]
    assert scheduled == [[CASHBACK, "2050-01-01T00:00:00.000Z", "9.00"]]
    assert [row[0] for row in movements] == [str(versions - 1 - each) for each in range(MOVEMENTS_MAX)]
    assert movements[0][2:5] == [POINTS, "adjust", "-3"]
    assert movements[1][2:5] == [CASHBACK, "adjust", "1.50"]
    assert [row[2] for row in dead] == ["bad_payload"]


async def test_a_long_history_shows_its_last_movements(installation: Installation) -> None:
    """Also across many versions that moved nothing."""
    number = "S-2"
    loads = [Command.transaction(number, POINTS, load=1 + each) for each in range(25)]
    quiet = [
        Command(
            "points.adjust.v1",
            account_id("default", number),
            {
                "accountNumber": number,
                "programme": POINTS,
                "value": 1,
                "reason": "r",
                "activeFrom": f"2050-01-01T00:{each // 60:02d}:{each % 60:02d}Z",
            },
        )
        for each in range(120)
    ]
    async with installation.points():
        await installation.commands([*loads, *quiet])
        await installation.drained()
        code, out, _ = await fealty(installation, "account", number)
    assert code == 0
    movements = rows(out.split(f"last {MOVEMENTS_MAX} movements", 1)[1])
    assert [row[0] for row in movements] == [str(25 - each) for each in range(MOVEMENTS_MAX)]


async def test_a_number_that_leads_to_an_account(installation: Installation, tmp_path: Path) -> None:
    """It shows that account; and what is imported under it is booked there, once."""
    old, new, path = "S-3", "S-4", tmp_path / "opening.csv"
    replace = Command("points.replace_number.v1", account_id("default", old), {"accountNumber": old, "newNumber": new})
    write(path, [(new, POINTS, "7", "2090-12-31"), (new, CASHBACK, "1000000000000"), (new, CASHBACK, "0.5")])
    async with installation.points():
        await installation.commands([Command.transaction(old, POINTS, load=5), replace])
        await installation.drained()
        for imported in (3, 0):
            code, out, err = await fealty(installation, "import", "accounts", str(path))
            assert (code, err) == (0, "")
            assert f"{imported} imported, {3 - imported} imported before, 0 refused" in out
        code, out, err = await fealty(installation, "account", new)
    assert (code, err) == (0, "")
    plain = dict(line.split(None, 1) for line in out.split("\nbalances", 1)[0].splitlines())
    assert (plain["id"], plain["number"], plain["numbers"]) == (account_id("default", old), old, new)
    assert out.startswith(f"asked for    {new}\n")
    assert [row[:2] for row in rows(out)[:2]] == [[POINTS, "12"], [CASHBACK, "1000000000000.50"]]


async def test_an_unknown_number_is_one_line(installation: Installation) -> None:
    async with installation.points():
        pass
    code, out, err = await fealty(installation, "account", "nobody")
    assert (code, out, err) == (1, "", "fealty: no account has the number 'nobody'\n")


def _split(text: str, titles: list[str]) -> list[str]:
    """The text before, between and after lines that begin with these titles, in this order."""
    parts = []
    for title in titles:
        before, _, text = text.partition(f"\n{title}")
        parts.append(before)
    return [*parts, text]

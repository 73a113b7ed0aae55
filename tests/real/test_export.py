"""Exports on real servers: what the topics and the store say, each row once, although it is killed on the way."""

import json
import signal
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from schemas.points import PointsChanged
from tests import forks
from tests.harness import Installation
from tests.real.test_cli import fealty
from tests.real.workload import Workload

pytestmark = pytest.mark.real

KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from cli.commands import export
from cli.commands.environment import settings_given
from cli.exporting import sources
from cli.exporting.formats import Format

sources._PAGE_WRITES = sources._PAGE_STREAMS = 7
pages, after = export._pages, int(sys.argv[3])

async def cut(*arguments):
    count = 0
    async for page in pages(*arguments):
        if (count := count + 1) > after:
            os.kill(os.getpid(), signal.SIGKILL)
        yield page

export._pages = cut
asyncio.run(export.export(export.What(sys.argv[1]), Path(sys.argv[2]), Format.JSONL, settings_given(), 25))
"""


async def killed(installation: Installation, what: str, directory: Path, pages: int) -> bool:
    """Whether an export with small pages and files was killed after so many pages; else it came to its end."""
    command = [sys.executable, "-c", KILLED, what, str(directory), str(pages)]
    code, _, err = await forks.run(command, installation.environment("cli", 0, {}))
    assert code in (0, -signal.SIGKILL), err.decode()
    return code != 0


def rows(directory: Path) -> list[dict[str, Any]]:
    """All rows of a whole export in JSON lines, in the order of its files."""
    assert (directory / "_SUCCESS").exists()
    lines = [line for part in sorted(directory.glob("part-*")) for line in part.read_text().splitlines()]
    return [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in lines]


async def test_each_row_once_although_it_is_killed(installation: Installation, tmp_path: Path) -> None:
    work = Workload(seed=91, accounts=25)
    async with installation.points():
        await installation.settled(installation.declared)
        await installation.commands(work.more(250))
        await installation.drained()

    kills = 0
    for what, pages in (("changes", 10), ("balances", 2)):
        while await killed(installation, what, tmp_path / what, pages):
            assert not (tmp_path / what / "_SUCCESS").exists()
            kills, pages = kills + 1, pages * 3
    assert kills >= 2

    changes: dict[tuple[str, int], PointsChanged] = {}
    for record in await installation.read("points.changes"):
        change = PointsChanged.model_validate_json(record.value or b"")
        changes[change.account, change.sequence] = change
    exported = rows(tmp_path / "changes")
    assert [(row["account"], row["sequence"]) for row in exported] == sorted(changes)
    for row in exported:
        change = changes[row["account"], int(row["sequence"])]
        assert (row["kind"], row["delta"], row["booked"]) == (change.kind, change.delta, change.booked)
        assert (row["unit"], change.unit, row["account_number"]) == ("points", "points", change.account_number)

    balances = {row["account_number"]: row["balance"] for row in rows(tmp_path / "balances")}
    assert balances == {number: amount for number, amount in work.balances.items() if number in balances}
    assert {number for number, amount in work.balances.items() if amount} <= balances.keys()

    directory = str(tmp_path / "parquet")
    code, out, err = await fealty(installation, "export", "changes", directory, "--format", "parquet", "-o", "json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {"directory": directory, "rows": len(changes), "files": 1}
    code, _, err = await fealty(installation, "export", "changes", directory, "--format", "parquet")
    assert code == 1
    assert "has a complete export" in err

"""What the README shows is run as pasted: its reader sees each change exactly once, its calls are answered."""

import asyncio
import json
import os
import re
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.commands.demo_clients import demo_clients
from shared.embedded.endpoints import endpoints_of, write_endpoints
from tests.harness import Installation
from tests.real.workload import PROGRAMME, Workload

pytestmark = pytest.mark.real

README = (Path(__file__).parent.parent.parent / "README.md").read_text()
READER, CALLS = re.findall(r"test_readme\.py -->\n```sh\n(.*?)```", README, re.DOTALL)


@asynccontextmanager
async def running(installation: Installation, directory: Path) -> AsyncIterator[dict[str, str]]:
    """Points and an edge, to be found from `directory` as after `make run`; the environment of a shell there."""
    settings = installation.settings
    (directory / ".venv").symlink_to(sys.prefix)
    async with installation.points(), installation.edge() as url:
        root = directory / ".fealty"
        root.mkdir()
        write_endpoints(root, endpoints_of(url, settings))
        await demo_clients(root, settings)
        yield installation.environment("readme", 0, {})


async def read_to_the_end(
    installation: Installation, text: str, group: str, directory: Path, shell: dict[str, str]
) -> None:
    """Run the reader from the first record to the last that is there, then kill it."""
    settings = installation.settings
    here = {
        "points.changes": settings.topic("points.changes"),
        'group_id="totals"': f'group_id="{settings.group(group)}"',
    }
    for old, new in here.items():
        assert old in text
        text = text.replace(old, new)
    bash = await asyncio.create_subprocess_exec("bash", "-euc", text, cwd=directory, env=shell, start_new_session=True)
    try:
        await installation.drained(group=group, topic="points.changes")
    finally:
        os.killpg(bash.pid, signal.SIGKILL)
        await bash.wait()


async def test_the_reader_of_the_readme_sees_each_change_exactly_once(
    installation: Installation, tmp_path: Path
) -> None:
    work = Workload(seed=41)
    async with running(installation, tmp_path) as shell:
        await installation.commands(work.more(300))
        await installation.drained()
        for record in await installation.read("points.changes"):
            if record.offset % 3 == 0:  # Some come again, as after a crash.
                await installation.producer.send_and_wait(
                    record.topic, record.value, key=record.key, partition=record.partition, headers=list(record.headers)
                )
        for group in ("totals", "again"):  # The second starts over from the first record.
            await read_to_the_end(installation, READER, group, tmp_path, shell)
    db = sqlite3.connect(tmp_path / "totals.db")
    assert db.execute("SELECT programme, points FROM totals").fetchall() == [(PROGRAMME, sum(work.balances.values()))]
    db.close()


async def test_the_calls_of_the_readme_are_answered(installation: Installation, tmp_path: Path) -> None:
    began = datetime.now(UTC).replace(microsecond=0)
    async with running(installation, tmp_path) as shell:
        apart = CALLS.replace("\ncurl", "\necho; curl")
        bash = await asyncio.create_subprocess_exec(
            "bash", "-euc", apart, cwd=tmp_path, env=shell, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await bash.communicate()
    assert bash.returncode == 0
    booked, account, statement, now = map(json.loads, out.decode().split())
    assert booked["balances"] == [{"loyaltyProgramId": PROGRAMME, "pointsBalance": 1000}]
    assert account["balances"][0]["balance"] == 1000
    assert (statement["movements"], statement["next"]) == ([], None)
    assert datetime.fromisoformat(now["at"]) >= began

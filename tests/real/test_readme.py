"""What the README shows is run: its consumer sees each change exactly once, whatever is repeated to it; its calls."""

import asyncio
import contextlib
import json
import re
import sqlite3
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from shared.commands.demo_clients import demo_clients
from shared.embedded.endpoints import Endpoints, write_endpoints
from tests.harness import Installation
from tests.real.workload import PROGRAMME, Workload

pytestmark = pytest.mark.real

README = (Path(__file__).parent.parent.parent / "README.md").read_text()


def example() -> str:
    """The consumer's lines."""
    (lines,) = re.findall(r"test_readme\.py -->\n```python\n(.*?)```", README, re.DOTALL)
    assert lines.count("\n") <= 10
    return str(lines)


async def consume(installation: Installation, db: sqlite3.Connection, for_s: float) -> None:
    """Run the README's lines from the first record on, for a while."""
    code = f"async def run(consumer, db):\n{textwrap.indent(example(), '    ')}"
    scope: dict[str, Any] = {"json": json}
    exec(compile(code, "README.md", "exec"), scope)
    consumer = AIOKafkaConsumer(
        installation.settings.topic("points.changes"),
        bootstrap_servers=installation.settings.kafka,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(scope["run"](consumer, db), for_s)
    finally:
        await consumer.stop()


async def test_the_consumer_of_the_readme_sees_each_change_exactly_once(
    installation: Installation, tmp_path: Path
) -> None:
    work = Workload(seed=41)
    async with installation.points():
        await installation.commands(work.more(300))
        await installation.drained()
    for record in await installation.read("points.changes"):
        if record.offset % 3 == 0:  # Some come again, as after a crash.
            await installation.producer.send_and_wait(
                record.topic, record.value, key=record.key, partition=record.partition, headers=list(record.headers)
            )
    db = sqlite3.connect(tmp_path / "reader.db")
    for _ in range(2):  # The second run starts over from the first record.
        await consume(installation, db, for_s=6)
    assert db.execute("SELECT programme, points FROM totals").fetchall() == [(PROGRAMME, sum(work.balances.values()))]
    db.close()


async def test_the_calls_of_the_readme_are_answered(installation: Installation, tmp_path: Path) -> None:
    (lines,) = re.findall(r"test_readme\.py -->\n```sh\n(.*?)```", README, re.DOTALL)
    script = lines.replace(".venv/bin/fealty", f"{sys.executable} -m shared.cli")
    settings = installation.settings
    async with installation.points(), installation.edge() as url:
        write_endpoints(tmp_path, Endpoints(http=url, kafka=settings.kafka, mongodb=settings.mongodb))
        await demo_clients(tmp_path, settings)
        environment = installation.environment("readme", 0, {"HTTP": url, "FEALTY_ROOT": str(tmp_path)})
        bash = await asyncio.create_subprocess_exec(
            *("bash", "-euc", script.replace("\ncurl", "\necho; curl")), stdout=asyncio.subprocess.PIPE, env=environment
        )
        out, _ = await bash.communicate()
    assert bash.returncode == 0
    booked, account, statement, past = map(json.loads, out.decode().split())
    assert booked["balances"] == [{"loyaltyProgramId": PROGRAMME, "pointsBalance": 1000}]
    assert account["balances"][0]["balance"] == 1000
    assert (statement["movements"], statement["next"]) == ([], None)
    assert past["at"] == "2026-11-22T10:00:00.000Z"

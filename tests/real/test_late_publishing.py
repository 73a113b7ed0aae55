"""A worker frozen between its transaction and its publishing, which wakes when another has gone on (protocol P7).

What a consumer of changes that remembers the last sequence of each account sees is checked by `check`: the records of
each account come first in order, and a repeat says what it said. A view that applies only newer versions is `viewed`.
"""

import os
import signal
from pathlib import Path

import psutil
import pytest

from schemas.replies import TICK
from shared.embedded.process import Process
from tests.harness import Installation, eventually, header
from tests.real.test_cli import fealty
from tests.real.test_rebuild import BRIEF
from tests.real.test_republish import newest, versions
from tests.real.workload import Workload, check

pytestmark = pytest.mark.real


async def frozen_and_overtaken(installation: Installation, probe: str, work: Workload) -> tuple[Process, int]:
    """Freeze a worker at its sixth batch, let another one do all that, and as much again, and wake the first.

    The worker that was frozen, and how many changes there were before it woke.
    """
    async with installation.points(**BRIEF):
        await installation.settled(installation.declared)
    more = {**BRIEF, "FEALTY_BATCH_RECORDS_MAX": "20"}
    await installation.commands(work.more(300))
    frozen, _ = await installation.spawn("points", "points-0", {**more, "PROBE": probe}, wait=False)
    assert frozen.pid is not None
    process = psutil.Process(frozen.pid)

    async def status() -> str:
        return str(process.status())

    await eventually(status, psutil.STATUS_STOPPED, 60)
    booked = await installation.collection("points", "journal").count_documents({})
    assert booked < len(work.commands), "it was frozen amid its work"
    await installation.spawn("points", "points-1", more)
    await installation.drained()
    await installation.commands(work.more(300))
    await installation.drained()
    changes = len(await installation.read("points.changes"))
    os.kill(frozen.pid, signal.SIGCONT)
    return frozen, changes


async def viewed(installation: Installation) -> dict[str, int]:
    """What a view has that applies only newer versions: each stream's version."""
    found: dict[str, int] = {}
    for record in await installation.read("points.snapshots"):
        if header(record, "ce_type") != TICK:
            stream, _, version = (header(record, "ce_id") or "").rpartition("@")
            found[stream] = max(found.get(stream, 0), int(version))
    return found


async def test_frozen_before_its_lease_is_checked_a_worker_publishes_nothing_old(installation: Installation) -> None:
    """It drops its batch. What it polls again before it learns that it was shut out it finds done, and current."""
    work = Workload(seed=81, accounts=12)
    await frozen_and_overtaken(installation, "after_transaction:stop:6", work)

    async def given_up() -> bool:
        return "too late to publish" in (Path(installation.logs) / "points-0.log").read_text()

    await eventually(given_up, True)
    await installation.drained()
    await check(installation, work)
    assert await viewed(installation) == await versions(installation)
    assert await newest(installation) == await versions(installation)


async def test_frozen_after_it_the_compacted_topic_is_mended_by_republishing(installation: Installation) -> None:
    """It dies when it has published its batch, or else what it polled before would mend the topic, most of the time."""
    work = Workload(seed=82, accounts=12)
    probe = "before_publishing:stop:6,after_publishing:kill:6"
    frozen, changes = await frozen_and_overtaken(installation, probe, work)
    assert await frozen.wait_ended(30) == -signal.SIGKILL
    assert len(await installation.read("points.changes")) > changes
    counts = await check(installation, work)
    assert counts["repeated changes"] > 0
    assert await viewed(installation) == await versions(installation), "a view sees nothing wrong"
    before, stored = await newest(installation), await versions(installation)
    stale = {stream for stream in stored if before[stream] < stored[stream]}
    assert stale, "an old snapshot came after a newer one"

    code, out, err = await fealty(installation, "republish", "points", "--no-changes")
    assert (code, out, err) == (0, f"republished: 0 changes, {len(stored)} snapshots\n", "")
    assert await newest(installation) == stored

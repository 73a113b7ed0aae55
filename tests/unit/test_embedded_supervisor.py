"""Several processes: started together, started again when they crash, stopped together."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.embedded import supervisor as module
from shared.embedded.errors import StackError
from shared.embedded.supervisor import Child, ChildState, Supervisor

SLEEPS = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"


def child(directory: Path, name: str, code: str = SLEEPS) -> Child:
    """A Python process that touches the file of its name when it runs; ready when the file is there."""

    async def ready() -> bool:
        return (directory / name).exists()

    return Child(name, [sys.executable, "-c", code, str(directory / name)], dict(os.environ), ready)


async def until(condition: Callable[[], bool], timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_children_get_ready_and_are_stopped(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "logs", start_timeout_s=20)
    await supervisor.start([child(tmp_path, "edge"), child(tmp_path, "points")])
    rows = list(supervisor.statuses())
    assert [(row.name, row.state, row.restarts) for row in rows] == [
        ("edge", ChildState.READY, 0),
        ("points", ChildState.READY, 0),
    ]
    assert all(row.pid for row in rows)
    assert rows[0].log == tmp_path / "logs" / "edge.log"
    await supervisor.stop()
    assert [(row.state, row.pid) for row in supervisor.statuses()] == [(ChildState.STOPPED, None)] * 2


async def test_one_that_does_not_start_is_one_line_and_stops_the_others(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "logs", start_timeout_s=20)
    broken = child(tmp_path, "voucher", "raise RuntimeError('no template')")
    with pytest.raises(StackError, match=r"^voucher ended while starting: RuntimeError: no template \(see "):
        await supervisor.start([child(tmp_path, "edge"), broken])
    assert all(row.pid is None for row in supervisor.statuses())


async def test_a_crashed_child_is_started_again_each_time_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_RESTART_DELAY_S", 0.05)
    supervisor = Supervisor(tmp_path / "logs", start_timeout_s=20)
    await supervisor.start([child(tmp_path, "points")])
    for restarts in (1, 2):
        (row,) = supervisor.statuses()
        assert row.pid is not None
        os.kill(row.pid, signal.SIGKILL)
        await until(lambda n=restarts: [r.restarts for r in supervisor.statuses()] == [n])  # type: ignore[misc]
        await until(lambda: [r.state for r in supervisor.statuses()] == [ChildState.READY])
    await supervisor.stop()
    delays = [record.args[1] for record in caplog.records if isinstance(record.args, tuple)]
    assert delays == [0.05, 0.1]
    assert "points ended with exit code -9" in caplog.text


async def test_the_delay_is_bounded_and_falls_back_after_a_while_of_health(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_RESTART_DELAY_S", 0.05)
    monkeypatch.setattr(module, "_RESTART_DELAY_MAX_S", 0.1)
    supervisor = Supervisor(tmp_path / "logs", start_timeout_s=20)

    async def crash() -> None:
        before = sum(row.restarts for row in supervisor.statuses())
        supervisor.kill("points")
        await until(lambda: sum(row.restarts for row in supervisor.statuses()) > before)
        await until(lambda: [row.state for row in supervisor.statuses()] == [ChildState.READY])

    await supervisor.start([child(tmp_path, "points")])
    for _ in range(3):
        await crash()
    monkeypatch.setattr(module, "_HEALTHY_RESET_S", 0.0)
    await crash()
    await supervisor.stop()
    delays = [record.args[1] for record in caplog.records if isinstance(record.args, tuple)]
    assert delays == [0.05, 0.1, 0.1, 0.05]
    with pytest.raises(KeyError):
        supervisor.kill("nobody")


async def test_a_child_that_ignores_the_signal_is_killed_in_bounded_time(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "logs", start_timeout_s=20, stop_timeout_s=0.3)
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    await supervisor.start([child(tmp_path, "deaf", f"{deaf}; {SLEEPS}")])
    began = time.monotonic()
    await supervisor.stop()
    assert time.monotonic() - began < 3
    assert [row.pid for row in supervisor.statuses()] == [None]

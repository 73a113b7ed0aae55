"""Run several named processes, start again the one that crashes, stop them in order."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from shared.embedded.errors import StackError
from shared.embedded.process import Process, last_log_line, together

__all__ = ["Child", "ChildState", "ChildStatus", "Supervisor"]

_log = logging.getLogger(__name__)
_RESTART_DELAY_S = 1.0
_RESTART_DELAY_MAX_S = 30.0
_HEALTHY_RESET_S = 60.0
_STOP_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Child:
    """What to run: `argv` in the environment `env` (the whole of it); `ready` says when it serves.

    `ready` returns False, or raises OSError, as long as it does not.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    ready: Callable[[], Awaitable[bool]]


class ChildState(StrEnum):
    """Where a child is in its life."""

    STARTING = "starting"
    READY = "ready"
    WAITING = "waiting"
    """It ended, and is started again after a while."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ChildStatus:
    """One row of a table: `restarts` counts since the start, `pid` is None while the child does not run."""

    name: str
    state: ChildState
    pid: int | None
    restarts: int
    log: Path


class _Watched:
    """A child, its process, and the task that keeps it running."""

    def __init__(self, child: Child, process: Process) -> None:
        self.child = child
        self.process = process
        self.state = ChildState.STARTING
        self.restarts = 0
        self.task: asyncio.Task[None] | None = None

    async def start(self, start_timeout_s: float) -> None:
        """Start it and wait until it is ready; StackError when it is not, and then it is killed."""
        self.state = ChildState.STARTING
        try:
            await self.process.start(self.child.argv, self.child.env)
            await self.process.wait_ready(self.child.ready, start_timeout_s)
        except BaseException:
            self.process.kill()
            raise
        self.state = ChildState.READY

    async def keep_running(self, start_timeout_s: float) -> None:
        """Start it again whenever it ends, after 1 s, then 2 s, … at most 30 s; 60 s of health begin anew."""
        delay_s = _RESTART_DELAY_S
        while True:
            ready_at = time.monotonic()
            code = await self.process.wait()
            if self.state is ChildState.READY and time.monotonic() - ready_at >= _HEALTHY_RESET_S:
                delay_s = _RESTART_DELAY_S
            self.state = ChildState.WAITING
            reason = f"{self.process.name} ended with exit code {code}: {last_log_line(self.process.log)}"
            _log.warning("%s; it is started again in %g s", reason, delay_s)
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, _RESTART_DELAY_MAX_S)
            self.restarts += 1
            try:
                await self.start(start_timeout_s)
            except StackError:  # it was killed; the next round waits longer
                continue

    async def stop(self, stop_timeout_s: float) -> None:
        if self.task:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        await self.process.stop(stop_timeout_s)
        self.state = ChildState.STOPPED


class Supervisor:
    """Children with their output in `logs`/NAME.log; they die with this process, however it ends."""

    def __init__(self, logs: Path, *, start_timeout_s: float, stop_timeout_s: float = _STOP_TIMEOUT_S) -> None:
        self._logs = logs
        self._start_timeout_s = start_timeout_s
        self._stop_timeout_s = stop_timeout_s
        self._watched: list[_Watched] = []

    async def start(self, children: Sequence[Child]) -> None:
        """Start all at once and return when all are ready; from then on each that ends is started again.

        Raises StackError with the log's telling line when one does not get ready; then all are stopped.
        """
        new = [_Watched(child, Process(child.name, self._logs / f"{child.name}.log")) for child in children]
        self._watched += new
        try:
            await together(*(watched.start(self._start_timeout_s) for watched in new))
        except BaseException:
            await self.stop()
            raise
        for watched in new:
            watched.task = asyncio.create_task(watched.keep_running(self._start_timeout_s))

    async def stop(self) -> None:
        """SIGTERM to all at once, a bounded wait, then SIGKILL."""
        await asyncio.gather(*(watched.stop(self._stop_timeout_s) for watched in self._watched))

    def statuses(self) -> Iterator[ChildStatus]:
        """The children's present states, in the order in which they were given."""
        for watched in self._watched:
            process = watched.process
            yield ChildStatus(watched.child.name, watched.state, process.pid, watched.restarts, process.log)

    def kill(self, name: str) -> None:
        """SIGKILL a child, for tests; it is then started again. Raises KeyError for an unknown name."""
        for watched in self._watched:
            if watched.child.name == name:
                watched.process.kill()
                return
        raise KeyError(name)

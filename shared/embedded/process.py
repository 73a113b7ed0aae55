"""One child process with a log file: start, wait until ready, stop, kill. Servers and services alike."""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

from shared.embedded.errors import StackError

__all__ = ["Child", "Process", "guarded", "last_log_line", "together"]

_GUARD = Path(__file__).with_name("guard.py")
_TELLING = re.compile(r'\b(ERROR|FATAL|CRITICAL)\b|"s":"[EF]"|^\w*(Error|Exception)\b|(Error|Exception):')
_LOG_TAIL_BYTES = 64 * 1024
_LOG_LINE_CHARS_MAX = 300
_READY_POLL_S = 0.1
_READY_TIMEOUT_S = 5.0


class Child(Protocol):
    """What is used of an `asyncio.subprocess.Process`."""

    @property
    def pid(self) -> int:
        """The process id."""

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while the process runs."""

    async def wait(self) -> int:
        """Wait for the end; the exit code."""

    def send_signal(self, signal: int, /) -> None:
        """Send a signal, unless the process has ended."""


class Process:
    """A child process that dies with its parent; its output goes to `log`, the run before's to `log`.1.

    It leads a process group of its own, so that a Ctrl-C at the terminal reaches only the parent, which then
    stops its children in order. What it writes nobody else can read.
    """

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._process: Child | None = None
        self._killed = False

    @property
    def pid(self) -> int | None:
        """The process id while the process runs, else None; None at once after `kill`."""
        if self._process is None or self._killed or self._process.returncode is not None:
            return None
        return self._process.pid

    async def start(self, argv: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
        """Start `argv`; `env` None inherits ours. Waits first for an earlier, killed run to be gone."""
        await self.wait()
        self._killed = False
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_name(self.log.name + ".1"))
        self.log.touch(mode=0o600)
        with self.log.open("wb") as output:
            self._process = await self._spawn(argv, env, cwd, output)

    async def _spawn(
        self, argv: Sequence[str], env: Mapping[str, str] | None, cwd: Path | None, output: IO[bytes]
    ) -> Child:
        return await asyncio.create_subprocess_exec(
            *guarded(argv),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )

    async def wait(self) -> int | None:
        """Wait for the end of the process; its exit code, None if it was never started."""
        return await self._process.wait() if self._process else None

    async def wait_ended(self, run_timeout_s: float) -> int | None:
        """Wait for a process that ends by itself; its exit code. Raises StackError when the time is up."""
        try:
            return await asyncio.wait_for(self.wait(), run_timeout_s)
        except TimeoutError:
            raise StackError(f"{self.name} did not end in {run_timeout_s:g} s (see {self.log})") from None

    async def wait_ready(self, ready: Callable[[], Awaitable[bool]], start_timeout_s: float) -> None:
        """Poll `ready` until it says True.

        Raises StackError, with the log's telling line, when the process ends first or the time is up; the
        process is left as it is.
        """
        deadline = time.monotonic() + start_timeout_s
        while not await _answers(ready):
            if self.pid is None:
                raise StackError(f"{self.name} ended while starting: {last_log_line(self.log)}")
            if time.monotonic() > deadline:
                seconds = f"{start_timeout_s:g} s"
                raise StackError(f"{self.name} is not ready after {seconds}: {last_log_line(self.log)}")
            await asyncio.sleep(_READY_POLL_S)

    async def stop(self, stop_timeout_s: float) -> None:
        """SIGTERM, a bounded wait, then SIGKILL. Harmless when the process has ended already."""
        if self._process is None or self._process.returncode is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), stop_timeout_s)
        except TimeoutError:
            self.kill()
            await self._process.wait()

    def kill(self) -> None:
        """SIGKILL, at once. The next `start` waits until the process is gone."""
        self._killed = True
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)


def guarded(argv: Sequence[str]) -> list[str]:
    """The command that runs `argv` so that it dies with this process, however this one ends."""
    return [sys.executable, "-I", "-S", str(_GUARD), str(os.getpid()), *argv]


async def _answers(ready: Callable[[], Awaitable[bool]]) -> bool:
    try:
        async with asyncio.timeout(_READY_TIMEOUT_S):
            return await ready()
    except OSError:  # TimeoutError included
        return False


async def together(*starts: Coroutine[None, None, None]) -> None:
    """Run all at once; the first failure cancels the others and is raised as it is, not in a group."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for start in starts:
                tasks.create_task(start)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


def last_log_line(log: Path) -> str:
    """The last line of `log` that tells of an error, else its last line; with the log's path, on one line."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _LOG_TAIL_BYTES))
            lines = [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    except FileNotFoundError:
        lines = []
    telling = [line for line in lines if _TELLING.search(line)] or lines
    if not telling:
        return f"nothing was logged (see {log})"
    return f"{telling[-1].strip()[:_LOG_LINE_CHARS_MAX]} (see {log})"

"""One child process: ready or not, stopped or killed, gone with its parent."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from shared.embedded.errors import StackError
from shared.embedded.process import Process, last_log_line, together

PYTHON = sys.executable


async def no() -> bool:
    return False


def says(process: Process, word: str) -> Callable[[], Awaitable[bool]]:
    async def said() -> bool:
        return word in process.log.read_text()

    return said


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


async def test_a_process_that_ends_while_starting_is_one_line_with_its_error_and_log(tmp_path: Path) -> None:
    process = Process("Broker", tmp_path / "broker.log")
    await process.start([PYTHON, "-c", "print('hello'); raise ValueError('no such port')"])
    with pytest.raises(StackError) as caught:
        await process.wait_ready(no, start_timeout_s=20)
    assert str(caught.value) == (
        f"Broker ended while starting: ValueError: no such port (see {tmp_path / 'broker.log'})"
    )


async def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    process = Process("Broker", tmp_path / "broker.log")
    await process.start(["no-such-command"])
    with pytest.raises(StackError, match="cannot run no-such-command: No such file or directory"):
        await process.wait_ready(no, start_timeout_s=20)


async def test_a_process_that_is_never_ready_times_out_and_a_deaf_one_is_killed(tmp_path: Path) -> None:
    process = Process("Deaf", tmp_path / "deaf.log")
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ERROR deaf', flush=True)"
    await process.start([PYTHON, "-c", f"{deaf}; time.sleep(60)"])
    await process.wait_ready(says(process, "deaf"), start_timeout_s=20)
    with pytest.raises(StackError, match=r"Deaf is not ready after 0\.2 s: ERROR deaf"):
        await process.wait_ready(no, start_timeout_s=0.2)
    pid = process.pid
    assert pid is not None
    await process.stop(stop_timeout_s=0.3)
    assert process.pid is None
    assert not is_running(pid)
    assert await process.wait() == -signal.SIGKILL


async def test_start_works_again_after_a_kill_and_keeps_the_log_of_the_run_before(tmp_path: Path) -> None:
    process = Process("Server", tmp_path / "server.log")
    await process.start(["sh", "-c", "echo first; exec sleep 60"])
    await process.wait_ready(says(process, "first"), start_timeout_s=20)
    first = process.pid
    process.kill()
    assert process.pid is None
    await process.start(["sleep", "60"])
    assert process.pid not in (None, first)
    assert process.log.with_name("server.log.1").read_text() == "first\n"
    await process.stop(stop_timeout_s=5)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_a_child_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys, pathlib\n"
        "from shared.embedded.process import Process\n"
        "async def main():\n"
        "    process = Process('child', pathlib.Path(sys.argv[1]))\n"
        "    await process.start(['sleep', '60'])\n"
        "    print(process.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen(
        [PYTHON, "-c", code, str(tmp_path / "child.log")], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        wait_until(lambda: Path(f"/proc/{child}/cmdline").read_bytes() == b"sleep\x0060\x00")
        os.kill(parent.pid, signal.SIGKILL)
    wait_until(lambda: not is_running(child))


async def test_together_raises_the_failure_itself_and_cancels_the_others() -> None:
    cancelled = asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def failing() -> None:
        await asyncio.sleep(0.01)
        raise StackError("no")

    with pytest.raises(StackError, match=r"^no$"):
        await together(slow(), failing())
    assert cancelled.is_set()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "nothing was logged"),
        ("one\n\ntwo\n\n", "two"),
        ("12:00 ERROR the port is taken (Acceptor)\n\tat kafka.Kafka\nbye", "12:00 ERROR the port is taken (Acceptor)"),
        (
            '{"s":"I","msg":"a"}\n{"s":"E","msg":"Address in use"}\n{"s":"I","msg":"b"}',
            '{"s":"E","msg":"Address in use"}',
        ),
        (
            "Traceback\n  File x\nshared.errors.Broken\nConnectionRefusedError: [Errno 111]",
            "ConnectionRefusedError: [Errno 111]",
        ),
    ],
)
def test_the_telling_line_of_a_log(tmp_path: Path, text: str, line: str) -> None:
    log = tmp_path / "a.log"
    log.write_text(text)
    assert last_log_line(log) == f"{line} (see {log})"


def test_the_line_of_a_log_that_was_never_written(tmp_path: Path) -> None:
    assert last_log_line(tmp_path / "none.log").startswith("nothing was logged")

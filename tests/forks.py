"""Programs of the tests, started by fork servers (tests/forkserver.py) instead of as new interpreters."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from shared.embedded.process import Process

_PRIVATE = 0o077
_SERVERS: dict[int, socket.socket] = {}


class Child:
    """A running program: what :class:`Process` needs of an `asyncio.subprocess.Process`."""

    def __init__(self, pid: int, report: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._report = report
        self._ended = asyncio.create_task(self._read_end())

    async def _read_end(self) -> int:
        with self._report:
            said = await asyncio.get_running_loop().sock_recv(self._report, 32)
        self.returncode = int(said)
        return self.returncode

    async def wait(self) -> int:
        """Wait for the end; the exit code, negative for a signal."""
        return await asyncio.shield(self._ended)

    def send_signal(self, number: int) -> None:
        """Send a signal to a program that has not ended."""
        if self.returncode is None:
            os.kill(self.pid, number)


class Forked(Process):
    """A service's process. One that comes after another of its name has another hash seed, as a new process would."""

    def __init__(self, name: str, log: Path, earlier: int) -> None:
        super().__init__(name, log)
        self._server = earlier % 2

    async def _spawn(
        self, argv: Sequence[str], env: Mapping[str, str] | None, cwd: Path | None, output: IO[bytes]
    ) -> Child:
        assert cwd is None
        return await start(argv, env or os.environ, (output, output), server=self._server, umask=_PRIVATE)


async def start(
    argv: Sequence[str],
    environment: Mapping[str, str],
    output: tuple[IO[bytes], IO[bytes]] | None = None,
    *,
    server: int = 0,
    umask: int | None = None,
) -> Child:
    """Start `python -m MODULE …` or `python -c CODE …`; its output and errors go to these files, or nowhere."""
    interpreter, *arguments = argv
    assert interpreter == sys.executable, argv
    assert arguments[0] in ("-m", "-c"), argv
    program = {
        "arguments": arguments,
        "environment": dict(environment),
        "directory": str(Path.cwd()),
        "umask": _umask() if umask is None else umask,
    }
    report = _request(program, output, _server(server))
    pid = int(await asyncio.get_running_loop().sock_recv(report, 32))
    return Child(pid, report)


def _request(
    program: Mapping[str, object], output: tuple[IO[bytes], IO[bytes]] | None, control: socket.socket
) -> socket.socket:
    """Ask for a program; where its process id is told, and then its end."""
    report, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    report.setblocking(False)
    with theirs, Path(os.devnull).open("wb") as nowhere:
        out, err = output or (nowhere, nowhere)
        socket.send_fds(control, [json.dumps(program).encode()], [theirs.fileno(), out.fileno(), err.fileno()])
    return report


async def run(argv: Sequence[str], environment: Mapping[str, str], *, server: int = 0) -> tuple[int, bytes, bytes]:
    """Run a program to its end: exit status, standard output, standard error."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = await start(argv, environment, (out, err), server=server)
        try:
            code = await child.wait()
        except asyncio.CancelledError:
            child.send_signal(9)
            raise
        out.seek(0)
        err.seek(0)
        return code, out.read(), err.read()


def _server(number: int) -> socket.socket:
    """The control socket of a fork server of this process; each has a hash seed of its own."""
    if number not in _SERVERS:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1024 * 1024)
        with theirs:
            command = [sys.executable, "-m", "tests.forkserver", str(theirs.fileno()), str(os.getpid())]
            subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], cwd=_ROOT)
        _SERVERS[number] = ours
    return _SERVERS[number]


_ROOT = Path(__file__).parent.parent


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

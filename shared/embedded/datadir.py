"""What a server's data directory remembers between runs: its ports, its process, whether it is complete."""

import asyncio
import os
import secrets
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from shared.embedded.errors import StackError
from shared.embedded.ports import LOOPBACK, free_port, is_free
from shared.embedded.private import write_private

__all__ = ["DataDir"]

_ORPHAN_TERM_S = 10.0
_ORPHAN_KILL_S = 5.0
_ORPHAN_POLL_S = 0.05


class DataDir:
    """The directory of one server: `ports`, `pid`, the marker `complete`, and `content` with its own files."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.content = self.path / "content"
        self._marker = self.path / "complete"
        self._pid = self.path / "pid"
        self._ports = self.path / "ports"

    @property
    def complete(self) -> bool:
        """Whether the server's files were once written to the end; such a directory is never wiped."""
        return self._marker.exists()

    def mark_complete(self) -> None:
        """Write the marker; call it last."""
        write_private(self._marker, "")

    def wipe_incomplete(self) -> None:
        """Empty `content` unless the marker is there; afterwards `content` exists."""
        if not self.complete and self.content.exists():
            shutil.rmtree(self.content)
        self.content.mkdir(parents=True, exist_ok=True)

    def choose_ports(self, wanted: Sequence[int | None]) -> list[int]:
        """A port for each item of `wanted`: the given one, else the one used before if free, else a free one."""
        before = self._read_ports()
        chosen: list[int] = []
        for i, port in enumerate(wanted):
            earlier = before[i] if i < len(before) else None
            if port is None and earlier is not None and earlier not in chosen and is_free(LOOPBACK, earlier):
                port = earlier
            chosen.append(free_port(LOOPBACK, chosen) if port is None else port)
        write_private(self._ports, " ".join(map(str, chosen)))
        return chosen

    def _read_ports(self) -> list[int]:
        try:
            return [int(word) for word in self._ports.read_text().split()]
        except (FileNotFoundError, ValueError):
            return []

    def secret(self, name: str) -> str:
        """A secret of the server that goes with its files: drawn once, 64 characters that mean nothing anywhere."""
        path = self.path / name
        if not path.exists():
            write_private(path, secrets.token_hex(32))
        return path.read_text()

    def remember_process(self, pid: int) -> None:
        """Write the pid file."""
        write_private(self._pid, str(pid))

    def forget_process(self) -> None:
        """Remove the pid file."""
        self._pid.unlink(missing_ok=True)

    async def stop_orphan(self) -> None:
        """Stop the server of an earlier run that still holds this directory; forget a stale pid file.

        The process counts as ours only if an argument of its command line lies in this directory. Raises
        StackError when it survives SIGKILL.
        """
        try:
            pid = int(self._pid.read_text())
        except (FileNotFoundError, ValueError):
            return
        if self._is_ours(pid):
            await self._end(pid)
        self.forget_process()

    async def _end(self, pid: int) -> None:
        for number, wait_s in ((signal.SIGTERM, _ORPHAN_TERM_S), (signal.SIGKILL, _ORPHAN_KILL_S)):
            if self._is_ours(pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            for _ in range(round(wait_s / _ORPHAN_POLL_S)):
                if _is_gone(pid):
                    return
                await asyncio.sleep(_ORPHAN_POLL_S)
        raise StackError(f"process {pid} of an earlier run uses {self.path} and cannot be stopped")

    def _is_ours(self, pid: int) -> bool:
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        prefix = os.fsencode(self.path) + b"/"
        return any(argument.startswith(prefix) for argument in arguments)


def _is_gone(pid: int) -> bool:
    """Whether the process has let go of its files and ports; its command line is empty before that.

    A zombie counts as gone once it is its own last thread, since the threads share the open files.
    """
    process = Path(f"/proc/{pid}")
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        return state == "Z" and len(os.listdir(process / "task")) <= 1
    except OSError:
        return True

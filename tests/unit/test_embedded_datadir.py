"""What a data directory remembers: ports, the process of an earlier run, and whether it is complete."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.embedded.datadir import DataDir


@contextmanager
def sleeping(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", *arguments])
    while not Path(f"/proc/{process.pid}/cmdline").read_bytes():
        time.sleep(0.01)  # The kernel fills it in a moment after the exec that Popen waits for.
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_the_port_used_before_is_taken_again_when_it_is_free(tmp_path: Path) -> None:
    chosen = DataDir(tmp_path).choose_ports([None, None])
    assert len(set(chosen)) == 2
    assert DataDir(tmp_path).choose_ports([None, None]) == chosen
    with socket.create_server(("127.0.0.1", chosen[0])):
        other = DataDir(tmp_path).choose_ports([None, None])
    assert other[0] != chosen[0]
    assert other[1] == chosen[1]


def test_a_given_port_wins_and_a_broken_file_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "ports").write_text("12x")
    given, chosen = DataDir(tmp_path).choose_ports([19_123, None])
    assert given == 19_123
    assert DataDir(tmp_path).choose_ports([None, None]) == [19_123, chosen]


def test_only_a_directory_without_the_marker_is_wiped(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    data.wipe_incomplete()
    (data.content / "half").write_text("half")
    data.wipe_incomplete()
    assert list(data.content.iterdir()) == []
    (data.content / "whole").write_text("whole")
    data.mark_complete()
    data.wipe_incomplete()
    assert (data.content / "whole").read_text() == "whole"


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="reads /proc")
class TestOrphans:
    async def test_a_process_with_an_argument_in_the_directory_is_stopped(self, tmp_path: Path) -> None:
        data = DataDir(tmp_path)
        with sleeping(str(data.path / "server.properties")) as process:
            data.remember_process(process.pid)
            await DataDir(tmp_path).stop_orphan()
            assert process.wait(timeout=5) == -signal.SIGTERM
        assert not (tmp_path / "pid").exists()

    async def test_a_foreign_process_with_the_same_id_is_left_alone(self, tmp_path: Path) -> None:
        data = DataDir(tmp_path / "data")
        with sleeping(str(tmp_path / "data2" / "server.properties")) as process:
            data.remember_process(process.pid)
            await data.stop_orphan()
            assert process.poll() is None
        assert not (tmp_path / "data" / "pid").exists()

    @pytest.mark.parametrize("text", ["", "x", "999999999"])
    async def test_a_stale_or_broken_pid_file_is_harmless(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "pid").write_text(text)
        await DataDir(tmp_path).stop_orphan()

"""The processes among which a rebuild divides a large journal end with it, also when they have nothing to do."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
REBUILD = """
import os, time
from cli.commands.rebuild import pool_of
if __name__ == "__main__":
    with pool_of(2) as pool:
        busy = pool.submit(time.sleep, 60)
        print(pool.submit(os.getpid).result(), *pool._processes, flush=True)
        time.sleep(60)
"""


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_processes_of_a_killed_rebuild_end_idle_or_not(tmp_path: Path) -> None:
    script = tmp_path / "rebuild.py"
    script.write_text(REBUILD)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        idle, *pool = map(int, parent.stdout.readline().split())
        assert idle in pool
        assert len(pool) == 2
        assert all(map(is_running, pool))
        os.kill(parent.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while any(map(is_running, pool)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_running, pool))

"""What a service's process loads and how its threads allocate, in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

WORKER = """
import sys
import cli.main
from services.registry import runner_of
runner_of("points")
print("pymongo" in sys.modules, "cryptography" in sys.modules)
"""

THREADS = """
import threading
from shared.runtime.tuning import tune_memory
if "tuned" in sys.argv:
    tune_memory()
let_go = threading.Event()
def allocate():
    kept.append(bytearray(100_000))
    let_go.wait()
kept = []
threads = [threading.Thread(target=allocate) for _ in range(4)]
for thread in threads:
    thread.start()
libc = ctypes.CDLL(None)
report = ctypes.c_void_p.in_dll(libc, "stdout")
libc.malloc_info(0, report)
libc.fflush(None)
let_go.set()
"""


def printed_by(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", f"import ctypes, sys\n{code}", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_a_worker_does_not_load_a_second_tls_library() -> None:
    assert printed_by(WORKER).split() == ["True", "False"]


@pytest.mark.skipif(sys.platform != "linux", reason="arenas are glibc's")
def test_threads_allocate_from_one_arena_once_memory_is_tuned() -> None:
    assert printed_by(THREADS).count("<heap ") > 1
    assert printed_by(THREADS, "tuned").count("<heap ") == 1

"""Programs started by a fork server are as new interpreters would run them."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests import forks

ENVIRONMENT = {"PATH": os.environ["PATH"], "OWN": "its own"}


async def run(code: str, *arguments: str, server: int = 0) -> tuple[int, str, str]:
    code_, out, err = await forks.run([sys.executable, "-c", code, *arguments], ENVIRONMENT, server=server)
    return code_, out.decode(), err.decode()


async def test_arguments_environment_session_and_output_are_its_own() -> None:
    shown = (
        "import os, sys; print(sys.argv, dict(os.environ), os.getsid(0) == os.getpid()); print('e', file=sys.stderr)"
    )
    assert await run(shown, "a", "b") == (0, f"{['-c', 'a', 'b']} {ENVIRONMENT} True\n", "e\n")


async def test_it_runs_where_its_starter_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert await run("import os; print(os.getcwd())") == (0, f"{tmp_path}\n", "")


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("pass", 0),
        ("import sys; sys.exit(7)", 7),
        ("1 / 0", 1),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
        ("import atexit, os; atexit.register(os._exit, 4)", 4),
    ],
)
async def test_exit_codes(code: str, wanted: int) -> None:
    assert (await run(code))[0] == wanted


async def test_a_module_runs_as_the_main_one() -> None:
    code, out, err = await forks.run([sys.executable, "-m", "cli", "verify", "--bogus"], ENVIRONMENT)
    assert (code, out, err) == (2, b"", b"fealty: No such option: --bogus\n")


async def test_signals_reach_it_and_its_end_is_told() -> None:
    child = await forks.start([sys.executable, "-c", "import signal; signal.pause()"], ENVIRONMENT)
    assert child.returncode is None
    child.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(child.wait(), 30) == child.returncode == -signal.SIGTERM
    child.send_signal(signal.SIGTERM)


async def test_children_draw_different_ids_and_the_second_server_has_another_hash_seed() -> None:
    """Ids are unique over processes; an order that hangs on hashes must not look stable over a restart."""
    drawn = "from shared.ids import new_id; import random; print(new_id(), random.random(), hash('a'))"
    found = [(await run(drawn, server=server))[1].split() for server in (0, 0, 1)]
    ids, randoms, hashes = zip(*found, strict=True)
    assert len(set(ids)) == len(set(randoms)) == 3
    assert hashes[0] == hashes[1] != hashes[2]


async def test_a_server_has_one_thread_when_it_forks() -> None:
    """A fork has the forking thread alone: a lock that another one held would stay locked for ever."""
    threads = "import os; print(len(os.listdir(f'/proc/{os.getppid()}/task')))"
    assert (await run(threads))[1] == "1\n"

"""Commands that wait for servers tell whoever looks on within a second, on standard error alone."""

import importlib
import json
import os
import pkgutil
import pty
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from cli import commands
from cli.commands import console
from cli.main import app
from services.registry import SERVICES
from tests.harness import DEMO
from tests.unit.test_cli_output import ALL, example_of

WAITS_FOR_NOTHING = frozenset({"run", "up"})
"""`run` logs, and `up` says what it is about to do."""

INSTEAD = {
    "apply": ["apply", "-f", str(DEMO)],
    "programmes diff": ["programmes", "diff", "-f", str(DEMO)],
    "import accounts": ["import", "accounts", "opening.csv"],
    "import accounts, checked": ["import", "accounts", "opening.csv", "--dry-run"],
    "rebuild, forced": ["rebuild", "points", "--force"],
    "verify, in a pipe": ["verify", "-o", "json"],
}
"""Command lines in place of the examples, whose files are not there, and more of them."""

CALLS = {name: example_of(name) for name in ALL if name not in WAITS_FOR_NOTHING} | INSTEAD
_WITHIN_S = 10.0


@pytest.fixture(scope="module", autouse=True)
def _imported() -> None:
    """What commands import as they run, so that a child need not."""
    for each in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"{commands.__name__}.{each.name}")
    for row in SERVICES.values():
        importlib.import_module(row.module)


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The address of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield "{}:{}".format(*server.getsockname())


@pytest.mark.parametrize("name", sorted(CALLS))
def test_whoever_waits_for_servers_is_told(
    name: str, silent_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", silent_server)
    monkeypatch.setenv("MONGODB_URL", f"mongodb://{silent_server}")
    monkeypatch.setenv("FEALTY_ROOT", str(tmp_path))
    monkeypatch.setenv("TERM", "xterm")
    client = {"client_id": "c", "client_secret": "s"}
    (tmp_path / "endpoints.json").write_text(json.dumps({"http": f"http://{silent_server}"}))
    (tmp_path / "clients.json").write_text(json.dumps(dict.fromkeys(("admin", "till"), client)))
    (tmp_path / "opening.csv").write_text("account_number,programme,value\n6299000000000000017,CASHBACK,1\n")
    assert console._QUIET_MAX_S <= 1
    monkeypatch.setattr(console, "_QUIET_MAX_S", 0.05)

    told, printed = seen(lambda: app(CALLS[name], standalone_mode=False))
    assert told.strip(), "nothing was said while it waits"
    assert "defect" not in told
    assert "fealty: " not in told or "waiting " in told
    assert not printed


def seen(command: Callable[[], object]) -> tuple[str, bytes]:
    """What a command says first on a terminal, and what it has written to a pipe by then; it is killed for that."""
    terminal, theirs = pty.openpty()
    pipe, theirs_too = os.pipe()
    child = os.fork()
    if not child:
        _be(command, theirs_too, theirs)
    os.close(theirs)
    os.close(theirs_too)
    try:
        ready, _, _ = select.select([terminal], [], [], _WITHIN_S)
        time.sleep(0.05)  # For the rest of the line.
        told = os.read(terminal, 4_096).decode() if ready else ""
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    printed = os.read(pipe, 4_096)
    os.close(terminal)
    os.close(pipe)
    return told, printed


def _be(command: Callable[[], object], out: int, err: int) -> NoReturn:
    """Be a process that runs a command."""
    import sys

    try:
        os.dup2(out, 1)
        os.dup2(err, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
        command()
    finally:
        os._exit(0)

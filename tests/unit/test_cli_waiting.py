"""Commands that wait for servers tell whoever looks on within a second, on standard error alone."""

import asyncio
import importlib
import json
import os
import pkgutil
import pty
import select
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import ClassVar, NoReturn

import pytest

from cli import commands
from cli.commands import apply, console, declared, up, verify
from cli.commands.cross_checks import Known
from cli.main import app
from services.registry import SERVICES
from shared.embedded.supervisor import Supervisor
from shared.findings import Report
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
    (tmp_path / "cards.csv").write_text("card_id,serial_number,card_type,status\nC-1,S-1,GIFT-EUR,created\n")
    (tmp_path / "printed.csv").write_text("card_id,serial_number\nC-1,S-1\n")
    assert console._QUIET_MAX_S <= 1
    monkeypatch.setattr(console, "_QUIET_MAX_S", 0.05)

    told, printed = seen(lambda: app(CALLS[name], standalone_mode=False))
    assert told.strip(), "nothing was said while it waits"
    assert "defect" not in told
    assert "fealty: " not in told or "waiting " in told
    assert not printed


async def for_ever(*_: object, **__: object) -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError


def at_once(result: object) -> Callable[..., Awaitable[object]]:
    """In place of a step that has been waited for."""

    async def step(*_: object, **__: object) -> object:
        return result

    return step


@pytest.fixture
def soon_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(console, "_QUIET_MAX_S", 0.05)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FEALTY_ROOT", str(tmp_path))


@pytest.mark.usefixtures("soon_told")
def test_apply_waits_for_the_services_once_it_knows_what_is_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declared, "declared", at_once(Known({}, {}, {})))
    monkeypatch.setattr(apply, "apply", for_ever)
    told, printed = seen(lambda: app(["apply", "-f", str(DEMO)], standalone_mode=False))
    assert told.strip() == "fealty: waiting for replies of the services; press Ctrl-C to stop"
    assert not printed


@pytest.mark.usefixtures("soon_told")
def test_verify_shows_that_it_reads_topics_once_the_journals_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for step in ("verify_with_progress", "verify_transactions_with_progress"):
        monkeypatch.setattr(verify, step, at_once(Report()))
    monkeypatch.setattr(verify, "verify_published", for_ever)
    monkeypatch.setattr(verify, "journal_of", lambda *_: nullcontext())
    told, printed = seen(lambda: app(["verify", "--topics", "-o", "json"], standalone_mode=False))
    assert "reading topics" in told
    assert not printed


class Answering:
    """Servers that answer at once."""

    kafka = mongo = None
    settings: ClassVar[dict[str, object]] = {}

    def __init__(self, root: Path) -> None:
        self.root = root

    async def __aenter__(self) -> "Answering":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


class Silent(Answering):
    """Servers that never do."""

    async def __aenter__(self) -> "Answering":
        await for_ever()


@pytest.mark.usefixtures("soon_told")
@pytest.mark.parametrize(
    ("stack", "topics", "last"),
    [
        (Silent, for_ever, "starting Kafka and MongoDB"),
        (Answering, for_ever, "Kafka and MongoDB answer"),
        (Answering, at_once(["t"]), "topics exist, 1 of them new"),
    ],
    ids=["servers", "topics", "services"],
)
def test_up_says_each_step_that_it_has_come_to(
    stack: type[Answering], topics: object, last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(up, "Stack", stack)
    monkeypatch.setattr(up, "create_topics", topics)
    monkeypatch.setattr(up, "journal_of", lambda *_: nullcontext())
    monkeypatch.setattr(Supervisor, "start", for_ever)
    told, printed = seen(lambda: app(["up"], standalone_mode=False))
    assert not told
    lines = printed.decode().splitlines()
    assert [line.strip() for line in lines][-1].endswith(f"s  {last}")


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
        select.select([terminal, pipe], [], [], _WITHIN_S)
        time.sleep(0.05)  # For the rest of the line.
        ready, _, _ = select.select([terminal], [], [], 0)
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

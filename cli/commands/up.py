"""`fealty up`: broker, database and all services on this machine, in one process tree."""

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from cli.commands.children import ServiceChild, children
from cli.commands.console import Say, out, table
from cli.commands.demo_clients import demo_clients, file_of
from cli.commands.environment import ROOT, settings_given
from cli.commands.local_secrets import with_drawn_secrets
from cli.commands.stores import journal_of
from services.registry import JOURNALED
from shared.clock import monotonic_s
from shared.embedded import Stack, StackError, endpoints_of, write_client_files, write_endpoints
from shared.embedded.kafka import EmbeddedKafka
from shared.embedded.mongo import EmbeddedMongo
from shared.embedded.supervisor import Supervisor
from shared.runtime.topics import create_topics
from shared.secrecy import require_strong
from shared.settings import Settings

START_TIMEOUT_S = 60.0
_STOP_MARGIN_S = 5.0
_WATCH_INTERVAL_S = 1.0


async def up(root: Path, *, demo: bool, once: bool) -> int:
    """Start everything, play the demo if asked for, and serve until a signal or, with `once`, no longer.

    Returns the exit status: 0, 1 when the demo did not work as expected, 130 when stopped while starting.

    :raises StackError: a server or a service does not start; then nothing is left running.
    """
    os.umask(0o077)
    say = _clock()
    serving = False
    try:
        with _cancelled_by_signals():
            async with _running(root, settings_given(), say) as (settings, services):
                _show(root, settings, services)
                http = services["edge"].url
                stuck = await _tell_stuck(settings, say)
                customer = await _demo(root, settings, http, say) if demo and not stuck else None
                if demo and customer is None and (once or not stuck):
                    return 1
                if once:
                    return 0
                if customer is not None:
                    _show_ways(root, http, customer, say)
                serving = True
                say("serving until Ctrl-C")
                await asyncio.Event().wait()
                return 0
    except asyncio.CancelledError:
        return 0 if serving else 130
    finally:
        say("stopped")


async def _tell_stuck(settings: Settings, say: Say) -> bool:
    """Say which partitions are stuck; nothing is played on them, and everything else is served."""
    from cli.commands.doctor import diagnose

    stuck = await diagnose(settings)
    for each in stuck:
        say(f"{each.group} is stopped at {each.where}: {each.reason}")
    if stuck:
        say("the demo does not run; all other partitions are served; `fealty doctor` shows what to do")
    return bool(stuck)


async def _demo(root: Path, settings: Settings, http: str, say: Say) -> str | None:
    """Make the demo's clients and play it; the path of its customer, or None when it did not go as expected."""
    from cli.demo.play import play

    clients = await demo_clients(root, settings)
    say(f"clients {', '.join(clients)}: their secrets are in {file_of(root)}")
    return await play(settings, http, clients, say)


def _show_ways(root: Path, http: str, customer: str, say: Say) -> None:
    """How to go on from the demo: where the pages are, how to get a token, and a call that uses it."""
    invoked = sys.argv[0] if Path(sys.argv[0]).name == "fealty" else "fealty"  # As whoever reads it can call it, too.
    token = shlex.join([invoked, "token"] if root == ROOT else [invoked, "token", "--root", str(root)])
    say(f"API documentation: {http}/docs; access token: {token}; read the demo's customer in another terminal:")
    say(f'curl -sS -H "Authorization: Bearer $({token})" {http}{customer}')


@asynccontextmanager
async def _running(root: Path, settings: Settings, say: Say) -> AsyncIterator[tuple[Settings, dict[str, ServiceChild]]]:
    """Everything up and its addresses written; stopped in order at the end, services before servers."""
    started_s = monotonic_s()
    settings = with_drawn_secrets(settings, root)
    require_strong(settings)
    say("starting Kafka and MongoDB")
    async with Stack(root) as stack:
        say("Kafka and MongoDB answer")
        settings = settings.model_copy(update=stack.settings)
        for service in JOURNALED:
            async with journal_of(service, settings):  # Where its secrets are compared.
                pass
        created = await create_topics(settings)
        say(f"topics exist, {len(created)} of them new")
        services = children(settings, partial(_came_up, say))
        supervisor = Supervisor(
            stack.root / "logs",
            start_timeout_s=START_TIMEOUT_S,
            stop_timeout_s=settings.drain_timeout_s + _STOP_MARGIN_S,
        )
        await supervisor.start([service.child for service in services.values()])
        watching = [
            asyncio.create_task(_keep_running(name, server, say))
            for name, server in (("Kafka", stack.kafka), ("MongoDB", stack.mongo))
            if server is not None
        ]
        try:
            write_endpoints(stack.root, endpoints_of(services["edge"].url, settings))
            write_client_files(stack.root, settings)
            say(f"everything is running, {monotonic_s() - started_s:.1f} s after the start")
            yield settings, services
        finally:
            say("stopping")
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
            await supervisor.stop()


def _came_up(say: Say, name: str, stopped: Sequence[str]) -> None:
    say(f"{name} is running, but {'; '.join(stopped)}" if stopped else f"{name} is ready")


async def _keep_running(name: str, server: EmbeddedKafka | EmbeddedMongo, say: Say) -> None:
    """Start a server of ours again when it ends; its services wait for it meanwhile."""
    while True:
        await asyncio.sleep(_WATCH_INTERVAL_S)
        if server.pid is None:
            say(f"{name} ended; starting it again")
            try:
                await server.start()
                say(f"{name} is running again")
            except StackError as error:
                say(str(error))


class _cancelled_by_signals:  # noqa: N801 - used as a function
    """The first Ctrl-C or SIGTERM cancels what runs inside; later ones are ignored, since stopping is bounded."""

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task: asyncio.Task[object] | None = task
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._cancel)

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(ValueError):
                asyncio.get_running_loop().remove_signal_handler(number)

    def _cancel(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()


def _clock() -> Say:
    """Print lines with the seconds since now."""
    console, started_s = out(), monotonic_s()

    def say(text: str) -> None:
        console.print(f"{monotonic_s() - started_s:6.1f} s  {text}", soft_wrap=True)

    return say


def _show(root: Path, settings: Settings, services: Mapping[str, ServiceChild]) -> None:
    """Where everything is."""
    http = services["edge"].url
    shown = table("what", "where")
    shown.add_row("HTTP", http)
    shown.add_row("API documents", f"{http}/docs")
    shown.add_row("Kafka", settings.kafka)
    shown.add_row("MongoDB", settings.mongodb.rpartition("@")[2])
    for name, service in services.items():
        shown.add_row(f"{name}, health and metrics", service.health_url)
    shown.add_row("logs", str(root.resolve() / "logs"))
    out().print(shown)

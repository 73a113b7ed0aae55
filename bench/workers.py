"""The processes that are measured: the real service as in production, and its bare counterparts."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

import httpx

from bench.arena import Arena, until
from bench.stack import LOGS
from shared.embedded.process import Process
from shared.servers import environment_of

_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 30.0
_REQUESTS_PER_S = 100_000
"""The asker is one client that asks as fast as it is answered; the limit is counted, and not reached."""

_SESSION_TIMEOUT_MS = 30_000  # the workers are held while the topic is filled
_SETTLE_S = 0.5


class Contender(StrEnum):
    """Who does the work."""

    REAL = "real"
    BARE = "bare"
    ONE_A_MESSAGE = "one a message"


_MORE = {Contender.ONE_A_MESSAGE: {"MOTOR_MAX_WORKERS": "32"}}
"""The driver's default of five threads a core would hold back 16 records in parallel with two reads each."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One process at work and, when it has one, the address of its HTTP side."""

    process: Process
    port: int

    @property
    def pid(self) -> int:
        """Its process id; it runs."""
        assert self.process.pid is not None
        return self.process.pid

    async def ready(self) -> bool:
        """Whether it says that it is."""
        return (await fetch(self.port, "/health/ready")) is not None

    async def metrics(self) -> str:
        """What it publishes for Prometheus."""
        return await fetch(self.port, "/metrics") or ""

    def hold(self) -> None:
        """Stop it in its tracks."""
        os.kill(self.pid, signal.SIGSTOP)

    def release(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)


@asynccontextmanager
async def workers(
    arena: Arena, contender: Contender, count: int, templates: Path, more: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[list[Worker]]:
    """`count` running processes that have joined the group and have their partitions; `more` is set for them."""
    started: list[Worker] = []
    try:
        for number in range(count):
            name = f"{contender.replace(' ', '-')}-{number}"
            worker = Worker(Process(name, LOGS / f"{name}.log"), free_port())
            await worker.process.start(_argv(contender, templates), {**_environment(arena, contender, worker), **more})
            started.append(worker)
        for worker in started:
            await worker.process.wait_ready(worker.ready, _START_TIMEOUT_S)
        await until(arena.members, count)
        await asyncio.sleep(_SETTLE_S)
        yield started
    finally:
        await asyncio.gather(*(worker.process.stop(_STOP_TIMEOUT_S) for worker in started))


@asynccontextmanager
async def services(arena: Arena, *names: str) -> AsyncIterator[dict[str, Worker]]:
    """A process of each of these services, as in production, which says that it is ready; the edge is a service too."""
    async with processes(arena, {name: service_argv(name) for name in names}) as found:
        yield found


@asynccontextmanager
async def processes(arena: Arena, argv: Mapping[str, Sequence[str]]) -> AsyncIterator[dict[str, Worker]]:
    """The same of any processes that answer HTTP, by their names, with how each is started."""
    found = {name: Worker(Process(f"bench-{name}", LOGS / f"bench-{name}.log"), free_port()) for name in argv}
    try:
        for name, worker in found.items():
            await worker.process.start(argv[name], _environment(arena, Contender.REAL, worker))
        for worker in found.values():
            await worker.process.wait_ready(worker.ready, _START_TIMEOUT_S)
        yield found
    finally:
        await asyncio.gather(*(worker.process.stop(_STOP_TIMEOUT_S) for worker in found.values()))


@asynccontextmanager
async def turns(*sides: Iterable[Worker]) -> AsyncIterator[None]:
    """All are stopped in their tracks, until :func:`turn` lets one side go on; at the end they go on, all of them."""
    everybody = [worker for side in sides for worker in side]
    try:
        for worker in everybody:
            worker.hold()
        yield
    finally:
        for worker in everybody:
            worker.release()


@asynccontextmanager
async def turn(side: Iterable[Worker]) -> AsyncIterator[None]:
    """One side's turn, and a moment more for what it does when nobody waits any longer."""
    team = [*side]
    for worker in team:
        worker.release()
    try:
        yield
        await asyncio.sleep(_SETTLE_S)
    finally:
        for worker in team:
            worker.hold()


async def fetch(port: int, path: str) -> str | None:
    """What a worker answers, None unless it is 200."""
    async with httpx.AsyncClient(timeout=5) as client:
        try:
            answer = await client.get(f"http://127.0.0.1:{port}{path}", follow_redirects=True)
        except httpx.TransportError:
            return None
    return answer.text if answer.status_code == 200 else None


def environment(arena: Arena) -> dict[str, str]:
    """The environment in which anything of Fealty finds this arena."""
    settings = arena.settings
    return {
        **os.environ,
        **environment_of(settings),
        "FEALTY_PREFIX": settings.prefix,
        "FEALTY_PARTITIONS": str(settings.partitions),
    }


def cli() -> list[str]:
    """How the command line is called."""
    return [sys.executable, "-m", "cli"]


def service_argv(service: str) -> Sequence[str]:
    """How a process of a service is started, as in production."""
    return [*cli(), "run", service]


def _argv(contender: Contender, templates: Path) -> Sequence[str]:
    if contender is Contender.REAL:
        return service_argv("points")
    module = "bench.bare" if contender is Contender.BARE else "bench.one_a_message"
    return [sys.executable, "-m", module, str(templates)]


def _environment(arena: Arena, contender: Contender, worker: Worker) -> Mapping[str, str]:
    return {
        **environment(arena),
        "FEALTY_PORT": str(worker.port),
        "FEALTY_CLIENT_REQUESTS_PER_S": str(_REQUESTS_PER_S),
        "FEALTY_SESSION_TIMEOUT_MS": str(_SESSION_TIMEOUT_MS),
        **_MORE.get(contender, {}),
    }


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

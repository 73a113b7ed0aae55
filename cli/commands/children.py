"""The services as children of `fealty up`: how each is started, and where it answers."""

import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from cli.commands.console import Failure
from cli.commands.web import works
from services.registry import JOURNALED
from shared.embedded.ports import free_port, is_free
from shared.embedded.supervisor import Child
from shared.servers import environment_of
from shared.settings import Settings

EDGE_PORT = 8080
_ANYWHERE = ("0.0.0.0", "::", "")

CameUp = Callable[[str, Sequence[str]], None]


@dataclass(frozen=True, slots=True)
class ServiceChild:
    """A service's process: what to start, and the base addresses of its HTTP, and of its health and metrics."""

    child: Child
    url: str
    health_url: str


def children(settings: Settings, came_up: CameUp) -> dict[str, ServiceChild]:
    """The services to run, by name; `came_up` hears of each that got ready, each time, and what of it is stopped.

    The edge answers on FEALTY_PORT, else on 8080 when that is free.

    :raises Failure: FEALTY_PORT is taken.
    """
    if settings.port and not is_free(settings.host, settings.port):
        raise Failure(f"port {settings.port} on {settings.host} is in use; set FEALTY_PORT to a free port")
    ports: list[int] = []
    for _ in range(len(JOURNALED) + 2):
        ports.append(free_port(settings.host, ports))
    *others, health_port, edge_port = ports
    if settings.port or is_free(settings.host, EDGE_PORT):
        edge_port = settings.port or EDGE_PORT
    return {
        **{name: _child(name, port, port, settings, came_up) for name, port in zip(JOURNALED, others, strict=True)},
        "edge": _child("edge", edge_port, settings.health_port or health_port, settings, came_up),
    }


def _child(service: str, port: int, health_port: int, settings: Settings, came_up: CameUp) -> ServiceChild:
    base = f"http://{'127.0.0.1' if settings.host in _ANYWHERE else settings.host}"
    url = f"{base}:{port}"
    environment = {
        **os.environ,
        **environment_of(settings),
        "FEALTY_SECRET": settings.secret.get_secret_value(),
        "FEALTY_CLAIMS_SECRET": settings.claims_secret.get_secret_value(),
        "FEALTY_CODE_KEYS": settings.code_keys.get_secret_value(),
        "FEALTY_INSTANCE": f"{service}-0",
        "FEALTY_PORT": str(port),
        "FEALTY_HEALTH_PORT": str(health_port),
    }
    argv = [sys.executable, "-m", "cli", "run", service]
    child = Child(service, argv, environment, _telling(service, url, came_up))
    return ServiceChild(child, url, f"{base}:{health_port}")


def _telling(service: str, url: str, came_up: CameUp) -> Callable[[], Awaitable[bool]]:
    async def is_ready() -> bool:
        up, stopped = await works(url)
        if up:
            came_up(service, stopped)
        return up

    return is_ready

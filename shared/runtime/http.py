"""The HTTP servers of a process: uvicorn with httptools, with bounds on every connection."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, cast

import uvicorn

from shared.runtime import connections
from shared.runtime.connections import BoundedProtocol, Door
from shared.settings import Settings


def make_server(app: Any, settings: Settings, *, port: int | None = None) -> uvicorn.Server:
    """The HTTP server of a process, on the address of its settings (or `port`), without its own log set-up."""
    proxies = [str(network) for network in settings.trusted_proxies]
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port if port is None else port,
            http=cast(type[asyncio.Protocol], partial(BoundedProtocol, door=Door(settings))),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=proxies,
            lifespan="on",
            timeout_graceful_shutdown=settings.drain_timeout_s,
            timeout_keep_alive=connections.IDLE_S,
        )
    )


class NoSniff:
    """Pure ASGI around an application whose answers no browser shall take for something else."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Run one request, or the life of the application."""

        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"x-content-type-options", b"nosniff")]
            await send(message)

        await self._app(scope, receive, guarded)


class _Aside(uvicorn.Server):
    """A server beside another one, which alone listens to signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them to the other one."""
        yield


@asynccontextmanager
async def serving_aside(app: Any, settings: Settings, port: int) -> AsyncIterator[None]:
    """Serve `app` on a port of its own meanwhile.

    :raises SystemExit: the port is taken.
    """
    server = _Aside(make_server(app, settings, port=port).config)
    serving = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await serving

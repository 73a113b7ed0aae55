"""Whether MongoDB and Kafka answer, asked every second: what readiness says of them, whatever else a process does.

Each is asked over a connection of its own, so that neither slow work nor a client that got stuck is taken for a server
that is away, nor an idle process for one that can work (protocol P6).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from shared.errors import Unavailable
from shared.runtime.broker import Ping
from shared.runtime.health import Health, Part
from shared.servers import mongodb_options
from shared.settings import Settings

_INTERVAL_S = 1.0
_ANSWER_S = 2.0
"""Together they bound how long a process is ready with a server away: 3 s, and 5 s on a machine that is busy."""


class Availability:
    """Asks both servers until it is cancelled."""

    def __init__(self, settings: Settings, health: Health) -> None:
        self._settings = settings
        self._mongodb, self._kafka = health.server("mongodb"), health.server("kafka")

    async def run(self) -> None:
        """Ask, and tell the process's health."""
        await asyncio.gather(self._ask_mongodb(), self._ask_kafka())

    async def _ask_mongodb(self) -> None:
        timeout_ms = int(_ANSWER_S * 1000)
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            **mongodb_options(self._settings.mongodb, timeout_ms), socketTimeoutMS=timeout_ms, maxPoolSize=1
        )

        async def ping() -> None:
            try:
                await client.admin.command("ping")
            except PyMongoError as error:
                raise Unavailable(f"MongoDB: {type(error).__name__}") from error

        try:
            await _keep_asking(self._mongodb, ping)
        finally:
            await client.close()

    async def _ask_kafka(self) -> None:
        ping = Ping(self._settings, self._settings.topic("edge.replies"), _ANSWER_S)
        try:
            await _keep_asking(self._kafka, ping)
        finally:
            await ping.close()


async def _keep_asking(part: Part, ask: Callable[[], Awaitable[None]]) -> None:
    while True:
        part.beat()
        try:
            await asyncio.wait_for(ask(), _ANSWER_S + 0.1)
        except (Unavailable, TimeoutError) as error:
            part.trouble(str(error) or "no answer in time")
        else:
            part.joined()
        await asyncio.sleep(_INTERVAL_S)

"""Sending commands from the command line, and waiting for their replies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from shared.runtime.app import make_broker
from shared.runtime.health import Health
from shared.runtime.kafka import translated
from shared.runtime.requests import Requester
from shared.settings import Settings

SOURCE = "/cli"
ACTOR = "cli"
"""Who sends what an operator has sent from the command line."""

_STOP_TIMEOUT_S = 5.0


@asynccontextmanager
async def commander(settings: Settings) -> AsyncIterator[Requester]:
    """A requester that is ready for replies.

    :raises Unavailable: the broker is away, or has no topic of replies.
    """
    broker = make_broker(settings)
    requester = Requester(broker, settings, Health(settings.stall_timeout_s), SOURCE)
    try:
        async with translated(f"Kafka at {settings.kafka}"):
            await asyncio.wait_for(broker.start(), settings.request_timeout_ms / 1000)
        await requester.start()
        yield requester
    finally:
        await requester.stop()
        with suppress(Exception):
            await asyncio.wait_for(broker.stop(), _STOP_TIMEOUT_S)

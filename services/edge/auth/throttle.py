"""Throttling of failed authentications: ten attempts in a row for a client and an address, then none for a minute.

Attempts are counted per process, and also for unknown clients. Secrets cannot be guessed; the throttle keeps callers
with a wrong secret from loading the edge and its database. It never locks out the right secret: after ten attempts
the secret is compared with a client from the cache, which is a few seconds old.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from services.edge.auth.clients import Client
from shared.clock import monotonic_s

ATTEMPTS_MAX = 10
WINDOW_S = 60.0
CLIENT_CACHE_S = 5.0

_PAIRS_MAX = 10_000
_CLIENTS_MAX = 1_000
_CHARS_MAX = 64

Pair = tuple[str, str]


class Throttle:
    """Counts attempts in a row by client and address; of too many pairs, those counted longest ago are forgotten."""

    def __init__(self) -> None:
        self._attempts: OrderedDict[Pair, list[float]] = OrderedDict()

    def count(self, client: str, address: str) -> int:
        """Count an attempt before its check, so that concurrent attempts count too.

        Returns 0, or after too many attempts the seconds until the next one, rounded up. Attempts count for a minute.
        """
        pair, now_s = _pair(client, address), monotonic_s()
        attempts = self._attempts.pop(pair, [])
        locked = len(attempts) >= ATTEMPTS_MAX and attempts[-1] > now_s - WINDOW_S
        if not locked:
            attempts = [*(at_s for at_s in attempts if at_s > now_s - WINDOW_S), now_s][-ATTEMPTS_MAX:]
        self._attempts[pair] = attempts
        if len(self._attempts) > _PAIRS_MAX:
            self._attempts.popitem(last=False)
        return math.ceil(attempts[-1] + WINDOW_S - now_s) if locked else 0

    def succeeded(self, client: str, address: str) -> None:
        """Reset the attempts after a success."""
        self._attempts.pop(_pair(client, address), None)


class ClientCache:
    """Caches clients for a few seconds: one read for all requests in that time."""

    def __init__(self, read: Callable[[str], Awaitable[Client | None]]) -> None:
        self._read = read
        self._reads: OrderedDict[str, tuple[float, asyncio.Future[Client | None]]] = OrderedDict()

    async def client(self, id_: str) -> Client | None:
        """The client with this id.

        :raises Unavailable: the database cannot be reached.
        """
        started_s, read = self._reads.get(id_, (float("-inf"), None))
        if read is None or started_s <= monotonic_s() - CLIENT_CACHE_S or _failed(read):
            read = asyncio.ensure_future(self._read(id_))
            self._reads[id_] = (monotonic_s(), read)
            self._reads.move_to_end(id_)
            if len(self._reads) > _CLIENTS_MAX:
                self._reads.popitem(last=False)
        return await asyncio.shield(read)


def _failed(read: asyncio.Future[Client | None]) -> bool:
    return read.done() and (read.cancelled() or read.exception() is not None)


def _pair(client: str, address: str) -> Pair:
    """The key of the counter; a client id that is too long to exist is cut."""
    return client[:_CHARS_MAX], address

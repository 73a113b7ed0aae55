"""How often a wrong secret may be tried: ten times in a row for a client from an address, then not for a minute.

Counted in this process alone, and for clients that do not exist alike. The secrets are long enough to need no help;
this keeps callers with a wrong one from keeping the edge and its database busy. So the right secret is never locked
out: beyond the ten it is compared with the client as it was read a few seconds ago.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from services.edge.auth.clients import Client
from shared.clock import monotonic_s

TRIES_MAX = 10
WINDOW_S = 60.0
REMEMBERED_S = 5.0

_COUNTED_MAX = 10_000
_REMEMBERED_MAX = 1_000
_CHARS_MAX = 64

Pair = tuple[str, str]


class Throttle:
    """Tries in a row by client and address; those counted longest ago are forgotten when there are too many."""

    def __init__(self) -> None:
        self._tries: OrderedDict[Pair, list[float]] = OrderedDict()

    def count(self, client: str, address: str) -> int:
        """Count a try before it is checked, so that those that come at once count too.

        0, or for how many seconds, rounded up, there have been too many. Those of more than a minute ago count no more.
        """
        pair, now_s = _pair(client, address), monotonic_s()
        tries = self._tries.pop(pair, [])
        locked = len(tries) >= TRIES_MAX and tries[-1] > now_s - WINDOW_S
        if not locked:
            tries = [*(at_s for at_s in tries if at_s > now_s - WINDOW_S), now_s][-TRIES_MAX:]
        self._tries[pair] = tries
        if len(self._tries) > _COUNTED_MAX:
            self._tries.popitem(last=False)
        return math.ceil(tries[-1] + WINDOW_S - now_s) if locked else 0

    def succeeded(self, client: str, address: str) -> None:
        """Forget the tries: the next ones are in a row of their own."""
        self._tries.pop(_pair(client, address), None)


class Remembered:
    """Clients as they were read within the last seconds: one read for all who ask meanwhile."""

    def __init__(self, read: Callable[[str], Awaitable[Client | None]]) -> None:
        self._read = read
        self._reads: OrderedDict[str, tuple[float, asyncio.Future[Client | None]]] = OrderedDict()

    async def client(self, id_: str) -> Client | None:
        """The client of this id.

        :raises Unavailable: when the server that knows it is away.
        """
        began_s, reading = self._reads.get(id_, (float("-inf"), None))
        if reading is None or began_s <= monotonic_s() - REMEMBERED_S or _failed(reading):
            reading = asyncio.ensure_future(self._read(id_))
            self._reads[id_] = (monotonic_s(), reading)
            self._reads.move_to_end(id_)
            if len(self._reads) > _REMEMBERED_MAX:
                self._reads.popitem(last=False)
        return await asyncio.shield(reading)


def _failed(reading: asyncio.Future[Client | None]) -> bool:
    return reading.done() and (reading.cancelled() or reading.exception() is not None)


def _pair(client: str, address: str) -> Pair:
    """What is counted; of a client that cannot be one only the beginning is kept."""
    return client[:_CHARS_MAX], address

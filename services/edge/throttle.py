"""How often a wrong secret may be tried: ten times in a row for a client from an address, then not for a minute.

Counted in this process alone, and for clients that do not exist alike. The secrets are long enough to need no help;
this keeps callers with a wrong one from keeping the edge and its database busy.
"""

import math
from collections import OrderedDict

from shared.clock import monotonic_s

FAILURES_MAX = 10
WINDOW_S = 60.0

_COUNTED_MAX = 10_000
_CHARS_MAX = 64

Pair = tuple[str, str]


class Throttle:
    """Failures in a row by client and address; those counted longest ago are forgotten when there are too many."""

    def __init__(self) -> None:
        self._failures: OrderedDict[Pair, list[float]] = OrderedDict()

    def wait_s(self, client: str, address: str) -> int:
        """For how many seconds, rounded up, this client is not to be tried from this address; 0: it may be."""
        failures = self._failures.get(_pair(client, address), [])
        if len(failures) < FAILURES_MAX:
            return 0
        return max(0, math.ceil(failures[-1] + WINDOW_S - monotonic_s()))

    def failed(self, client: str, address: str) -> None:
        """Count a failure; those of more than a minute ago count no more."""
        pair, now_s = _pair(client, address), monotonic_s()
        recent = [at_s for at_s in self._failures.pop(pair, []) if at_s > now_s - WINDOW_S]
        self._failures[pair] = [*recent[-FAILURES_MAX + 1 :], now_s]
        if len(self._failures) > _COUNTED_MAX:
            self._failures.popitem(last=False)

    def succeeded(self, client: str, address: str) -> None:
        """Forget the failures: the next ones are in a row of their own."""
        self._failures.pop(_pair(client, address), None)


def _pair(client: str, address: str) -> Pair:
    """What is counted; of a client that cannot be one only the beginning is kept."""
    return client[:_CHARS_MAX], address

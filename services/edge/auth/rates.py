"""How many requests a client may send a second; in this process alone."""

import math
from collections import OrderedDict

from services.edge.http.problems import Problem
from shared.clock import monotonic_s

BURST_S = 2.0
"""Who was silent may send as many at once as it might have sent in this time."""

_KNOWN_MAX = 10_000


class Rates:
    """Keeps for each caller when all it has sent would have been due (the generic cell rate algorithm)."""

    def __init__(self, per_s: int) -> None:
        self._per_s = per_s
        self._due_s: OrderedDict[str, float] = OrderedDict()

    def take(self, who: str) -> None:
        """Count one request of a caller.

        :raises Problem: `too_many_requests`, which counts nothing.
        """
        now_s, step_s = monotonic_s(), 1 / self._per_s
        due_s = max(now_s, self._due_s.get(who, 0.0)) + step_s
        wait_s = due_s - now_s - BURST_S
        if wait_s > step_s / 2:  # Sums of steps are not exact.
            detail = f"At most {self._per_s} requests a second are allowed. Wait as long as Retry-After says."
            raise Problem("too_many_requests", detail, headers={"Retry-After": str(max(1, math.ceil(wait_s)))})
        self._due_s[who] = due_s
        self._due_s.move_to_end(who)
        if len(self._due_s) > _KNOWN_MAX:
            self._due_s.popitem(last=False)

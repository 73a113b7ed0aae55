"""Rate limits of requests, per process."""

import math
from collections import OrderedDict

from services.edge.http.problems import Problem
from shared.clock import monotonic_s

BURST_S = 2.0
"""The burst: how many seconds' worth of requests may be sent at once."""

_CALLERS_MAX = 10_000


class RateLimiter:
    """Limits each caller to `per_s` requests a second, by the generic cell rate algorithm.

    It keeps the theoretical arrival time of each caller's last request; the callers idle longest are forgotten.
    """

    def __init__(self, per_s: int) -> None:
        self._per_s = per_s
        self._due_s: OrderedDict[str, float] = OrderedDict()

    def take(self, caller: str) -> None:
        """Count one request of a caller.

        :raises Problem: `too_many_requests`; refused requests are not counted.
        """
        now_s, step_s = monotonic_s(), 1 / self._per_s
        due_s = max(now_s, self._due_s.get(caller, 0.0)) + step_s
        wait_s = due_s - now_s - BURST_S
        if wait_s > step_s / 2:  # Sums of steps are not exact.
            detail = f"At most {self._per_s} requests a second are allowed. Wait as long as Retry-After says."
            raise Problem("too_many_requests", detail, headers={"Retry-After": str(max(1, math.ceil(wait_s)))})
        self._due_s[caller] = due_s
        self._due_s.move_to_end(caller)
        if len(self._due_s) > _CALLERS_MAX:
            self._due_s.popitem(last=False)

"""Waiting longer after each failure, with jitter, so that many who failed together do not come back together."""

import asyncio
import random


class Backoff:
    """Doubles from `first_ms` to `longest_ms`; each wait is drawn between half of that and all of it."""

    def __init__(self, first_ms: int = 20, longest_ms: int = 2_000) -> None:
        self.first_ms = first_ms
        self.longest_ms = longest_ms
        self._failures = 0

    def next_s(self) -> float:
        """How long to wait after one more failure, in seconds."""
        ceiling = min(self.first_ms * 2**self._failures, self.longest_ms)
        self._failures = min(self._failures + 1, 32)
        return random.uniform(ceiling / 2, ceiling) / 1000

    async def wait(self) -> None:
        """Wait after one more failure."""
        await asyncio.sleep(self.next_s())

    def reset(self) -> None:
        """Begin again after a success."""
        self._failures = 0

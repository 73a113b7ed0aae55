"""The only place that reads the clocks; the domain never does."""

import time
from datetime import UTC, datetime
from functools import lru_cache


def now_ms() -> int:
    """Milliseconds since the epoch, by the wall clock."""
    return time.time_ns() // 1_000_000


@lru_cache(maxsize=4096)
def instant(epoch_ms: int) -> datetime:
    """The UTC instant of milliseconds since the epoch."""
    seconds, ms = divmod(epoch_ms, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=ms * 1000)


monotonic_s = time.monotonic
"""Seconds on a clock that never jumps, for durations and deadlines."""


def as_utc(stored: datetime | None) -> datetime | None:
    """An instant as a database gives it back: naive, or with another UTC."""
    return stored if stored is None or stored.tzinfo is UTC else stored.replace(tzinfo=UTC)

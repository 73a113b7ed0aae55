"""Writing what came with replies: one bulk at a time, and what arrives meanwhile goes with the next.

A service answers a batch at once, so its replies come together; one write for all of them costs little more than one
for each, like a group commit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import structlog
from prometheus_client import Counter

from shared.errors import TooSlow, Unavailable

Item = TypeVar("Item")

_PORTION_MAX = 512

log = structlog.get_logger()


class Applier(Generic[Item]):
    """`await applier(items)` returns once `write` has written them; it raises what `write` raised."""

    def __init__(self, write: Callable[[list[Item]], Awaitable[None]]) -> None:
        self._write = write
        self._waiting: list[tuple[Sequence[Item], asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def __call__(self, items: Sequence[Item]) -> None:
        """Have them written with the next bulk."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((items, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._run())
        await done

    async def _run(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, []
            error: BaseException | None = None
            try:
                await self._write([item for items, _ in taken for item in items])
            except Exception as raised:
                error = raised
            for _, done in taken:
                if done.done():
                    continue  # Whoever waited has left.
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)


async def applied(applier: Applier[Item], items: list[Item], counter: Counter) -> bool:
    """Have `items` written and counted; False when that failed."""
    if not items:
        return True
    try:
        await applier(items)
    except Unavailable as error:
        counter.labels("not_applied").inc(len(items))
        log.warning("the snapshots of a reply were not applied to the views", error=str(error))
        return False
    counter.labels("applied").inc(len(items))
    return True


class Portions:
    """Writes a batch in portions: after one that was too slow in smaller ones, down to a single item.

    So a feed comes on, whatever one record costs: its batch is fed again from the beginning, each portion has the whole
    time, and what is written already is only looked at.
    """

    def __init__(self) -> None:
        self.size = _PORTION_MAX

    async def write(self, items: Sequence[Item], write: Callable[[Sequence[Item]], Awaitable[None]]) -> None:
        """Have all `items` written, in order; raises what `write` raised."""
        for start in range(0, len(items), size := self.size):
            try:
                await write(items[start : start + size])
            except TooSlow:
                self.size = max(1, min(size, len(items)) // 2)
                raise
        self.size = min(_PORTION_MAX, size * 2)

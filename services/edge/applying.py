"""Writing what came with replies: one bulk at a time, and what arrives meanwhile goes with the next.

A service answers a batch at once, so its replies come together; one write for all of them costs little more than one
for each, like a group commit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")


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

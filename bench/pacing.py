"""Requests at a rate that does not wait for answers, as customers come, each timed from the moment it was due."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from random import Random
from time import perf_counter

Ask = Callable[[int], Awaitable[None]]
"""Makes the request of a number, and returns with its answer."""


def moments(rate: float, requests: int, seed: int) -> Iterator[float]:
    """When each is due, in seconds from the start, at so many a second on average; the same for the same seed.

    Gaps are exponential, as between callers who do not know of each other: at equal gaps a worker's loop could fall
    into step with them.
    """
    random, at_s = Random(seed), 0.0
    for _ in range(requests):
        yield at_s
        at_s += random.expovariate(rate)


async def offered(ask: Ask, first: int, due_s: Sequence[float]) -> list[float]:
    """Make the requests `first`, `first` + 1, … at these moments; how many ms each took, from when it was due.

    However long answers take, no request is held back by another: what has to wait, waits where it is measured.
    """
    started_s = perf_counter()

    async def one(number: int, at_s: float) -> float:
        await ask(number)
        return (perf_counter() - at_s) * 1e3

    async with asyncio.TaskGroup() as asking:
        tasks = []
        for number, after_s in enumerate(due_s, first):
            at_s = started_s + after_s
            await asyncio.sleep(at_s - perf_counter())
            tasks.append(asking.create_task(one(number, at_s)))
    return [task.result() for task in tasks]


async def side_by_side(ask: Ask, requests: int, parallel: int = 16) -> None:
    """Make so many requests as fast as answers come, a few at a time."""
    left = iter(range(requests))

    async def some() -> None:
        for number in left:
            await ask(number)

    await asyncio.gather(*(some() for _ in range(parallel)))

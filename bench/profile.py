"""`python -m bench.profile [MOVEMENTS]`: where a worker's time goes.

First the real process drains the topic, unhindered: its time by step. Then a worker in this process does the same
under cProfile, the driver's threads included: its most expensive functions. The second run is slower by half.
"""

import asyncio
import cProfile
import pstats
import signal
import sys
import threading
from types import FrameType
from typing import Any

import uvloop

from bench.arena import Arena, new_arena
from bench.figures import step_seconds
from bench.movements import Load, declarations, messages
from bench.stack import LOGS, fresh_stack
from bench.workers import Contender, workers
from services.points.main import SERVICE
from shared.embedded.stack import Stack
from shared.runtime.app import ServiceApp

FUNCTIONS_SHOWN = 40


async def main(movements: int) -> None:
    """Both runs, and what they tell."""
    load = Load(movements, max(1, movements // 20))
    async with fresh_stack() as stack:
        await by_step(stack, load)
        await by_function(stack, load)


async def by_step(stack: Stack, load: Load) -> None:
    """The steps' share of the time in the real process."""
    async with new_arena(stack) as arena:
        total = await _filled(arena, load)
        loop = asyncio.get_running_loop()
        async with workers(arena, Contender.REAL, 1, LOGS) as (worker,):
            before, done, started_s = step_seconds(await worker.metrics()), await arena.done(), loop.time()
            await _drained(arena, total)
            took_s, after = loop.time() - started_s, step_seconds(await worker.metrics())
    movements = total - done
    print(f"{movements} movements in {took_s:.1f} s: {movements / took_s:.0f} a second\n")
    print(f"{'step':<12}{'ms a batch':>12}{'µs a movement':>16}{'share':>8}")
    for step, (seconds, count) in after.items():
        earlier_s, earlier = before.get(step, (0.0, 0))
        spent_s, batches = seconds - earlier_s, max(1, count - earlier)
        each_us = spent_s / movements * 1e6
        print(f"{step:<12}{spent_s / batches * 1e3:>12.2f}{each_us:>16.1f}{spent_s / took_s:>8.0%}")
    print()


async def by_function(stack: Stack, load: Load) -> None:
    """The most expensive functions of a worker in this process."""
    async with new_arena(stack) as arena:
        total = await _filled(arena, load)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the server below ends by it, and raises it again
        profiles: list[cProfile.Profile] = []

        def profile_thread(_: FrameType, __: str, ___: Any) -> None:
            profile = cProfile.Profile()
            profiles.append(profile)
            profile.enable()

        threading.setprofile(profile_thread)
        app = ServiceApp(SERVICE, arena.settings)
        ending = asyncio.create_task(_end_when_drained(arena, total))
        main_thread = cProfile.Profile()
        main_thread.enable()
        await app.serve()
        main_thread.disable()
        threading.setprofile(None)  # type: ignore[arg-type]
        await ending
    for title, found in (("the event loop's thread", [main_thread]), ("the driver's threads", profiles)):
        print(f"── {title} " + "─" * 80)
        stats = pstats.Stats(*found, stream=sys.stdout)
        stats.strip_dirs().sort_stats("tottime").print_stats(FUNCTIONS_SHOWN)


async def _filled(arena: Arena, load: Load) -> int:
    partitions = arena.settings.partitions
    await arena.fill(arena.prepare(declarations(partitions)))
    await arena.fill(arena.prepare(messages(load, partitions)))
    return load.movements + len(list(declarations(partitions)))


async def _drained(arena: Arena, total: int) -> None:
    while await arena.done() < total:
        await asyncio.sleep(0.1)


async def _end_when_drained(arena: Arena, total: int) -> None:
    await _drained(arena, total)
    signal.raise_signal(signal.SIGTERM)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000))

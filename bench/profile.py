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
from dataclasses import replace
from types import FrameType
from typing import Any

import uvloop

from bench.arena import Arena, Prepared, new_arena, until
from bench.movements import Load, declarations, messages
from bench.run import measured
from bench.stack import LOGS, fresh_stack
from bench.workers import Contender
from services.points.main import SERVICE
from shared.embedded.stack import Stack
from shared.runtime.app import ServiceApp
from shared.runtime.tuning import tune_memory

FUNCTIONS_SHOWN = 40


async def main(movements: int) -> None:
    """Both runs, and what they tell."""
    load = Load(movements, max(1, movements // 20))
    async with fresh_stack() as stack:
        async with new_arena(stack) as arena:  # the broker's first thousands are slow
            await measured(stack, arena, Contender.REAL, 1, replace(load, movements=movements // 5), LOGS)
        await by_step(stack, load)
        await by_function(stack, load)


async def by_step(stack: Stack, load: Load) -> None:
    """The steps' share of the time in the real process."""
    async with new_arena(stack) as arena:
        run = await measured(stack, arena, Contender.REAL, 1, load, LOGS)
    print(f"{load.movements} movements in {run.seconds:.1f} s: {run.rate:.0f} a second\n")
    print(f"{'step':<12}{'ms a batch':>12}{'µs a movement':>16}{'share':>8}")
    for step, (seconds, batches) in run.steps.items():
        each_us = seconds / load.movements * 1e6
        print(f"{step:<12}{seconds / max(1, batches) * 1e3:>12.2f}{each_us:>16.1f}{seconds / run.seconds:>8.0%}")
    print(f"CPU, µs a movement: {', '.join(f'{who} {us:.0f}' for who, us in run.cpu_us.items())}\n")


async def by_function(stack: Stack, load: Load) -> None:
    """The most expensive functions of a worker in this process."""
    async with new_arena(stack) as arena:
        partitions = arena.settings.partitions
        declared = list(declarations(partitions))
        await arena.fill(arena.prepare(declared))
        prepared = arena.prepare(messages(load, partitions))
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the server below ends by it, and raises it again
        profiles: list[cProfile.Profile] = []

        def profile_thread(_: FrameType, __: str, ___: Any) -> None:
            profile = cProfile.Profile()
            profiles.append(profile)
            profile.enable()

        tune_memory()
        threading.setprofile(profile_thread)
        app = ServiceApp(SERVICE, arena.settings)
        ending = asyncio.create_task(_fill_and_end(arena, len(declared), prepared, len(declared) + load.movements))
        main_thread = cProfile.Profile()
        main_thread.enable()
        await app.serve()
        main_thread.disable()
        threading.setprofile(None)
        await ending
    for title, found in (("the event loop's thread", [main_thread]), ("the driver's threads", profiles)):
        print(f"── {title} " + "─" * 80)
        stats = pstats.Stats(*found, stream=sys.stdout)
        stats.strip_dirs().sort_stats("tottime").print_stats(FUNCTIONS_SHOWN)


async def _fill_and_end(arena: Arena, declared: int, prepared: Prepared, total: int) -> None:
    """The programmes are there and get booked first; then all the rest, and at its end a signal to the server."""
    await until(arena.done, declared)
    await arena.fill(prepared)
    await until(arena.done, total)
    signal.raise_signal(signal.SIGTERM)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000))

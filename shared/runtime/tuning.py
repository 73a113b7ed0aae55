"""How a process that works in batches uses memory, set before it starts any thread."""

import ctypes
import gc

_M_ARENA_MAX = -8


def tune_memory() -> None:
    """Look for cycles less often, and let all threads allocate from one arena.

    A batch makes tens of thousands of values and hardly a cycle: with the defaults the collector walks every live
    value of the batch again and again; measured, that was a third of the CPU a command. The driver's threads would
    each keep an arena with free memory that no other thread can use.
    """
    gc.freeze()
    gc.set_threshold(200_000, 50, 1_000)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc has it; other C libraries need no such limit
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)

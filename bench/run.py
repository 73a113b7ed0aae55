"""One measured run: workers that have joined are held, the topic is filled, they are let go, until it is drained."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import psutil

from bench.arena import Arena, until
from bench.figures import batch_count, batch_ms, step_seconds
from bench.movements import Load, Message, declarations, messages
from bench.workers import Contender, Worker, workers
from shared.embedded.stack import Stack

_POLL_S = 0.05
_FILL_MAX_S = 15.0


@dataclass(frozen=True, slots=True)
class Run:
    """What one run showed. CPU is in microseconds a movement, memory in MiB, batches in milliseconds."""

    movements: int
    seconds: float
    cpu_us: dict[str, float]
    memory_mib: float
    batches: int
    batch_p50_ms: float | None
    batch_p99_ms: float | None
    steps: dict[str, tuple[float, int]] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Movements a second."""
        return self.movements / self.seconds

    @property
    def cpu_total_us(self) -> float:
        """CPU of everything that took part, a movement."""
        return sum(self.cpu_us.values())


async def measured(stack: Stack, arena: Arena, contender: Contender, count: int, load: Load, templates: Path) -> Run:
    """Let `count` workers do `load`. The clock runs from their release to the last committed offset."""
    loop, partitions = asyncio.get_running_loop(), arena.settings.partitions
    declared = list(declarations(partitions))
    await arena.fill(arena.prepare(declared))
    prepared = arena.prepare(_messages(load, partitions))
    async with workers(arena, contender, count, templates) as team:
        await until(arena.done, len(declared))
        earlier = [await worker.metrics() for worker in team]
        for worker in team:
            worker.hold()
        try:
            async with asyncio.timeout(_FILL_MAX_S):  # well below the session time-out
                await arena.fill(prepared)
        finally:
            cpu_before = _cpu(stack, team)
            started_s = loop.time()
            for worker in team:
                worker.release()
        await until(arena.done, len(declared) + load.movements, _POLL_S)
        seconds = loop.time() - started_s
        cpu_after = _cpu(stack, team)
        memory_mib = max(_peak_mib(worker.pid) for worker in team)
        later = [await worker.metrics() for worker in team]
    return Run(
        load.movements,
        seconds,
        {who: (cpu_after[who] - spent) / load.movements * 1e6 for who, spent in cpu_before.items()},
        memory_mib,
        batch_count(earlier, later),
        batch_ms(earlier, later, 0.5),
        batch_ms(earlier, later, 0.99),
        _steps(earlier, later),
    )


@lru_cache(maxsize=1)
def _messages(load: Load, partitions: int) -> list[Message]:
    return list(messages(load, partitions))


def _cpu(stack: Stack, team: list[Worker]) -> dict[str, float]:
    return {"workers": sum(cpu_seconds(worker.pid) for worker in team), **cpu_spent(stack, {})}


def cpu_spent(stack: Stack, pids: Mapping[str, int]) -> dict[str, float]:
    """Seconds of CPU used so far by these and by the servers; servers that are not ours are left out."""
    spent = {name: cpu_seconds(pid) for name, pid in pids.items()}
    for name, server in (("mongod", stack.mongo), ("kafka", stack.kafka)):
        if server is not None and server.pid is not None:
            spent[name] = cpu_seconds(server.pid)
    return spent


def cpu_seconds(pid: int) -> float:
    """Seconds of CPU that a running process has used so far."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _peak_mib(pid: int) -> float:
    """The most that was ever resident; where the kernel does not tell, what is resident now."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return float(psutil.Process(pid).memory_info().rss) / 2**20


def _steps(earlier: list[str], later: list[str]) -> dict[str, tuple[float, int]]:
    """Seconds and batches by step, over all workers, in the order of the steps' first end."""
    steps: dict[str, tuple[float, int]] = {}
    for sign, texts in ((-1, earlier), (1, later)):
        for text in texts:
            for step, (seconds, count) in step_seconds(text).items():
                before_s, before = steps.get(step, (0.0, 0))
                steps[step] = (before_s + sign * seconds, before + sign * count)
    return steps

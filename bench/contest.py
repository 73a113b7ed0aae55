"""The rows of the table: what is compared, in alternating runs, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from bench.arena import Arena, new_arena
from bench.checks import check, verify
from bench.movements import Load
from bench.run import Run, measured
from bench.workers import Contender
from shared.embedded.stack import Stack

Say = Callable[[str], None]

_MOVED = "points.post_transaction.v1"
_ALIKE = 0.03
"""How much the bare side's documents may differ in size and its records in number from the real ones."""


@dataclass(frozen=True, slots=True)
class Row:
    """A comparison. `against_movements` is set when the other side gets less to do, `against_load` when something else.

    Without a target the ratio is only shown.
    """

    name: str
    workers: int
    load: Load
    against: Contender
    target: float | None
    reference: int | None = None
    against_movements: int | None = None
    against_load: Load | None = None


@dataclass
class Outcome:
    """A row's runs, in the order in which they were made, and what was found wrong."""

    row: Row
    real: list[Run] = field(default_factory=list)
    other: list[Run] = field(default_factory=list)
    repeats: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios."""
        return median(real.rate / other.rate for real, other in zip(self.real, self.other, strict=True))

    @property
    def cpu_ratio(self) -> float:
        """The same of CPU time a movement: what the ratio would be if CPU were all, whoever else uses the machine."""
        return median(other.cpu_total_us / real.cpu_total_us for real, other in zip(self.real, self.other, strict=True))

    @property
    def reached(self) -> bool:
        """Whether the ratio is what it should be."""
        return self.row.target is None or self.ratio >= self.row.target


def rows(movements: int, accounts: int) -> list[Row]:
    """All comparisons."""
    uniform, skewed = Load(movements, accounts), Load(movements, accounts, skew=1.0)
    shorter = Load(min(movements, 50_000), accounts)
    bare, one = Contender.BARE, Contender.ONE_A_MESSAGE
    return [
        Row("one worker", 1, uniform, bare, 0.6, 6_000),
        Row("two workers", 2, uniform, bare, 0.6, 8_500),
        Row("one worker, skewed", 1, skewed, bare, 0.6, 6_000),
        Row("two workers, skewed", 2, skewed, bare, 0.6, 8_500),
        Row("mixed load", 1, replace(uniform, mixed=True), Contender.REAL, None, against_load=uniform),
        Row("one a message", 1, shorter, one, 8.0, None, max(500, min(10_000, movements // 20))),
    ]


async def contest(stack: Stack, row: Row, rounds: int, templates: Path, say: Say) -> Outcome:
    """Real, other, real, other, …"""
    outcome = Outcome(row)
    for number in range(1, rounds + 1):
        async with new_arena(stack) as arena:
            run = await measured(stack, arena, Contender.REAL, row.workers, row.load, templates)
            outcome.real.append(run)
            say(f"{row.name}, round {number}, real: {run.rate:,.0f} a second")
            real = await _footprint(arena, run.movements)
            await _check(arena, row.load, outcome, thorough=number == rounds, say=say)
        async with new_arena(stack) as arena:
            load = _other_load(row)
            run = await measured(stack, arena, row.against, row.workers, load, templates)
            outcome.other.append(run)
            say(f"{row.name}, round {number}, {row.against}: {run.rate:,.0f} a second")
            if row.against_load is None:
                outcome.wrong.extend(unlike(real, await _footprint(arena, run.movements)))
    return outcome


def _other_load(row: Row) -> Load:
    """The row's own load or, when the other side gets less to do, as much per account over fewer accounts."""
    if row.against_load is not None:
        return row.against_load
    movements, load = row.against_movements, row.load
    if movements is None:
        return load
    return Load(movements, max(1, load.accounts * movements // load.movements), load.skew, load.seed)


async def _check(arena: Arena, load: Load, outcome: Outcome, *, thorough: bool, say: Say) -> None:
    findings = await check(arena, load)
    outcome.repeats += findings.repeats
    outcome.wrong.extend(findings.wrong)
    if thorough:
        said = await verify(arena)
        say(f"{outcome.row.name}, fealty verify: {said or 'all is well'}")
        if said is not None:
            outcome.wrong.append(said)


async def _footprint(arena: Arena, movements: int) -> dict[str, float]:
    """Average sizes of the documents of movements and accounts, and records a movement, of what a run left behind.

    Declarations are left out: the sides have as many of them, but not always as many movements.
    """
    found: dict[str, float] = {}
    of_movements = {"journal": {"type": _MOVED}, "snapshots": {"_id": {"$regex": "^account/"}}}
    for name, which in of_movements.items():
        size = {"$group": {"_id": None, "bytes": {"$avg": {"$bsonSize": "$$ROOT"}}}}
        (average,) = await (await arena.database[name].aggregate([{"$match": which}, size])).to_list()
        found[f"bytes of a document in {name}"] = average["bytes"]
    for name in ("points.events", "points.changes"):
        async with arena.reader(name) as (_, ends):
            found[f"records in {name}"] = sum(ends.values()) / movements
    return found


def unlike(real: dict[str, float], other: dict[str, float]) -> list[str]:
    """Where the two sides did not do the same work."""
    return [
        f"not the same work: {name}: {value:.2f} against {other[name]:.2f}"
        for name, value in real.items()
        if abs(other[name] / value - 1) > _ALIKE
    ]

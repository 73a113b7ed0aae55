"""The table on the terminal, and the same as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.contest import Outcome
from bench.run import Run
from bench.trial import Trial

COLD_START_MAX_S = 20.0
MEMORY_MAX_MIB = 120.0


@dataclass
class Report:
    """Everything that was measured."""

    machine: dict[str, Any]
    arguments: dict[str, Any]
    outcomes: list[Outcome] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    cold_starts_s: list[float] = field(default_factory=list)
    cold_started: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        """Checks that failed, each once, with its row."""
        found = [(each.row.name, each.wrong) for each in self.outcomes] + [
            (each.row, each.wrong) for each in self.trials
        ]
        return list(dict.fromkeys(f"{name}: {what}" for name, wrong in found for what in wrong))

    @property
    def memory_mib(self) -> float | None:
        """The most that any real worker had resident."""
        return max((run.memory_mib for each in self.outcomes for run in each.real), default=None)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "machine": self.machine,
            "arguments": self.arguments,
            "rows": [_row(outcome) for outcome in self.outcomes],
            "trials": [trial.document() for trial in self.trials],
            "cold_start_s": self.cold_starts_s,
            "cold_start_of": ["kafka", "mongodb", *self.cold_started] if self.cold_starts_s else [],
            "memory_peak_mib": self.memory_mib,
            "repeats_in_change_stream": sum(each.repeats for each in self.outcomes),
            "checks_failed": self.wrong,
        }

    def show(self, console: Console) -> None:
        """As tables."""
        if self.outcomes:
            console.print(self._ratios())
            console.print(self._costs())
        if self.trials:
            console.print(self._trials())
        for trial in self.trials:
            if trial.figures:
                told = "; ".join(f"{name.replace('_', ' ')} {_told(value)}" for name, value in trial.figures.items())
                console.print(f"{trial.row}: {told}")
        if self.cold_starts_s:
            seconds = median(self.cold_starts_s)
            what = ", ".join(["Kafka", "MongoDB", *self.cold_started])
            console.print(
                f"cold start ({what}): {seconds:.1f} s, at most {COLD_START_MAX_S:g}: "
                f"{_mark(seconds <= COLD_START_MAX_S)}"
            )
        if self.memory_mib is not None:
            peak = self.memory_mib
            console.print(f"peak memory of a worker: {peak:.0f} MiB, at most 120: {_mark(peak <= MEMORY_MAX_MIB)}")
        repeats = sum(each.repeats for each in self.outcomes)
        if self.outcomes:
            console.print(f"change streams read to the end; published again and skipped by their sequence: {repeats}")
        for what in self.wrong:
            console.print(f"[red]check failed:[/] {what}")

    def _ratios(self) -> Table:
        table = Table(title="movements a second, medians", box=SIMPLE_HEAD)
        for name in ("", "real", "other", "ratio", "target", "", "by CPU", "quiet"):
            table.add_column(name, justify="left" if not name else "right")
        for each in self.outcomes:
            row, times = each.row, (each.row.target or 0) > 1
            table.add_row(
                row.name,
                f"{_rate(each.real):,.0f}",
                f"{_rate(each.other):,.0f}",
                _ratio(each.ratio, times),
                _target(row.target),
                "" if row.target is None else _mark(each.reached),
                _ratio(each.cpu_ratio, times),
                "" if row.reference is None else f"≥ {row.reference:,}",
            )
        return table

    def _trials(self) -> Table:
        table = Table(title="each against its own counterpart, medians", box=SIMPLE_HEAD)
        for name in ("", "unit", "real", "other", "ratio", "target", "", "quiet"):
            table.add_column(name, justify="left" if name in ("", "unit") else "right")
        for each in self.trials:
            table.add_row(
                each.name if each.name == each.row else f"{each.row}: {each.name}",
                each.unit,
                *(f"{median(side):,.{1 if each.at_most else 0}f}" if side else "–" for side in (each.real, each.other)),
                "–" if each.ratio is None else f"{each.ratio:.2f} ×" if each.at_most else f"{each.ratio:.0%}",
                f"≤ {each.target:g} ×" if each.at_most and each.target else _target(each.target),
                "" if each.reached is None else _mark(each.reached),
                "" if each.reference is None else f"{'≤' if each.at_most else '≥'} {each.reference:g}",
            )
        return table

    def _costs(self) -> Table:
        title = "what a run costs, medians; n: batches; µs: CPU a movement; MiB: peak of a worker"
        table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        names = ("n", "p50 ms", "p99 ms", "worker µs", "mongod µs", "kafka µs", "MiB")
        table.add_column("")
        for name in names:
            table.add_column(name, justify="right")
        for each in self.outcomes:
            for who, runs in (("real", each.real), (str(each.row.against), each.other)):
                figures = _figures(runs)
                cells = [_cell(figures[name]) for name in _SHOWN]
                table.add_row(f"{each.row.name}: {who}", *cells, end_section=who != "real")
        return table


_SHOWN = ("batches", "batch_p50_ms", "batch_p99_ms", "cpu_us_workers", "cpu_us_mongod", "cpu_us_kafka", "memory_mib")


def _figures(runs: Sequence[Run]) -> dict[str, float | None]:
    """Medians over the runs; what is not known stays out."""
    known: dict[str, list[float]] = {name: [] for name in _SHOWN}
    for run in runs:
        values = {**asdict(run), **{f"cpu_us_{who}": spent for who, spent in run.cpu_us.items()}}
        for name in _SHOWN:
            if values.get(name) is not None:
                known[name].append(values[name])
    return {name: median(values) if values else None for name, values in known.items()}


def _row(outcome: Outcome) -> dict[str, Any]:
    row = outcome.row
    return {
        "name": row.name,
        "workers": row.workers,
        "load": asdict(row.load),
        "against": str(row.against),
        "real_rate": round(_rate(outcome.real)),
        "against_rate": round(_rate(outcome.other)),
        "ratio": round(outcome.ratio, 3),
        "cpu_ratio": round(outcome.cpu_ratio, 3),
        "target": row.target,
        "reached": outcome.reached,
        "quiet_machine_rate": row.reference,
        "real": [_run(run) for run in outcome.real],
        "against_runs": [_run(run) for run in outcome.other],
    }


def _run(run: Run) -> dict[str, Any]:
    steps = {step: round(seconds / max(1, batches) * 1e3, 2) for step, (seconds, batches) in run.steps.items()}
    rounded = {
        name: round(value, 2) if isinstance(value, float) else value
        for name, value in asdict(run).items()
        if name not in ("steps", "cpu_us")
    }
    cpu_us = {who: round(spent, 1) for who, spent in run.cpu_us.items()}
    return {"rate": round(run.rate), **rounded, "cpu_us": cpu_us, "step_mean_ms": steps}


def _rate(runs: Sequence[Run]) -> float:
    return median(run.rate for run in runs)


def _told(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_told, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_told(each)}" for name, each in value.items())
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _target(target: float | None) -> str:
    if target is None:
        return "–"
    return f"≥ {target:g} ×" if target > 1 else f"≥ {target:.0%}"


def _ratio(ratio: float, times: bool) -> str:
    return f"{ratio:.1f} ×" if times else f"{ratio:.0%}"


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _mark(good: bool) -> str:
    return "[green]reached[/]" if good else "[yellow]missed[/]"

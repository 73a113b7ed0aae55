"""`python -m bench`: measure, with a bare counterpart beside each figure. docs/benchmark.md says how to read it.

Exit code 0 whatever the figures are, 1 when a check failed: something lost, doubled, out of order, or unlike.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from time import monotonic

import uvloop
from rich.console import Console

from bench.arena import new_arena
from bench.cold_start import cold_start_s
from bench.contest import contest, rows
from bench.http_customers import CUSTOMER, customers
from bench.http_giftcards import REDEEM, redemptions
from bench.http_transactions import TRANSACTION, WITH_VOUCHERS, transactions, transactions_with_vouchers
from bench.machine import machine
from bench.movements import Load
from bench.rebuilding import REBUILD, rebuilds
from bench.report import Report
from bench.run import measured
from bench.stack import ROOT, fresh_stack
from bench.statements import STATEMENT, statements
from bench.sweeping import SWEEP, sweeps
from bench.templates import sample, save
from bench.trial import Sizes
from bench.workers import Contender
from shared.embedded.stack import Stack

RESULTS = Path(__file__).parent / "results" / "latest.json"
TEMPLATES = ROOT / "templates.bson"
COLD_START = "cold start"
TRIALS = {
    TRANSACTION: transactions,
    WITH_VOUCHERS: transactions_with_vouchers,
    REDEEM: redemptions,
    CUSTOMER: customers,
    REBUILD: rebuilds,
    SWEEP: sweeps,
    STATEMENT: statements,
}
"""The rows with counterparts of their own kinds."""

_WIDTH = 110
_WARM_UP_MIN, _WARM_UP_MAX = 5_000, 20_000
_SHORT = {"movements": 10_000, "accounts": 2_000, "stored": 20_000, "rounds": 1}
_STORED_SHARE = 5


def command_line() -> argparse.ArgumentParser:
    """What can be asked for."""
    names = [row.name for row in rows(1, 1)] + [*TRIALS, COLD_START]
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=(__doc__ or "").splitlines()[0],
        epilog='Example: python -m bench --only "one worker" --rounds 1',
    )
    parser.add_argument(
        "--movements", type=int, default=200_000, metavar="MOVEMENTS", help="movements a run (%(default)s)"
    )
    parser.add_argument(
        "--accounts",
        type=int,
        default=10_000,
        metavar="ACCOUNTS",
        help="accounts that they are spread over (%(default)s)",
    )
    parser.add_argument(
        "--rounds", type=int, default=3, metavar="ROUNDS", help="rounds: runs of each side, alternating (%(default)s)"
    )
    parser.add_argument("--only", action="append", choices=names, metavar="ROW", help=", ".join(names))
    parser.add_argument("--short", action="store_true", help="10,000 movements, one round")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON goes")
    return parser


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """What the command line asks for."""
    found = command_line().parse_args(argv)
    found.stored = found.movements * _STORED_SHARE  # Journal entries and snapshots of the rows in which many lie there.
    if found.short:
        vars(found).update(_SHORT)
    return found


async def bench(arguments: argparse.Namespace, console: Console) -> Report:
    """All rows that are wanted."""
    started_s = monotonic()

    def say(what: str) -> None:
        console.print(f"[dim]{monotonic() - started_s:6.0f} s[/]  {what}")

    sizes = Sizes(arguments.movements, arguments.accounts, arguments.stored, arguments.rounds)
    report = Report({}, asdict(sizes))
    if not arguments.only or COLD_START in arguments.only:
        for _ in range(arguments.rounds):
            seconds, report.cold_started = await cold_start_s()
            report.cold_starts_s.append(seconds)
            say(f"cold start: {seconds:.1f} s")
    chosen = [row for row in rows(sizes.movements, sizes.accounts) if row.name in (arguments.only or [row.name])]
    trials = [name for name in TRIALS if name in (arguments.only or TRIALS)]
    async with fresh_stack() as stack:
        report.machine = await machine(stack)
        if chosen or trials:
            await _warm_up(stack, arguments.movements)
            say("warmed up, and looked at what a worker writes")
        for row in chosen:
            report.outcomes.append(await contest(stack, row, arguments.rounds, TEMPLATES, say))
        for name in trials:
            report.trials += await TRIALS[name](stack, sizes, TEMPLATES, say)
    return report


async def _warm_up(stack: Stack, movements: int) -> None:
    """A small run of each side: the broker's first thousands are slow, and the bare side copies real documents."""
    number = min(max(movements // 4, _WARM_UP_MIN), _WARM_UP_MAX)
    load = Load(number, number // 10)
    for contender in (Contender.REAL, Contender.BARE):
        async with new_arena(stack) as arena:
            await measured(stack, arena, contender, 1, load, TEMPLATES)
            if contender is Contender.REAL:
                save(await sample(arena), TEMPLATES)


def main() -> int:
    """Measure, show, write, and say whether the checks held."""
    arguments = parse(sys.argv[1:])
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    report = uvloop.run(bench(arguments, console))
    report.show(console)
    output: Path = arguments.output
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report.document(), indent=2, ensure_ascii=False) + "\n")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(130)

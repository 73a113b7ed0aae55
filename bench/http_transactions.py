"""The rows `HTTP transaction`: how long a caller waits for a transaction, against a bare round trip at the same rate.

Both sides are up all the time, on topics and databases of their own, and have turns of a few seconds; who has none is
stopped in its tracks.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.arena import Arena, new_arena
from bench.asking import access_token, callers, p50_p99
from bench.contest import Say, unlike
from bench.copies import Place
from bench.movements import declarations
from bench.pacing import Ask, moments, offered, side_by_side
from bench.round_trip import Asker, asker
from bench.run import cpu_spent
from bench.templates import REPLIES, TOPICS, sample_round_trip, save
from bench.tills import ACCOUNTS, OPENING, Tills, check, issue, places
from bench.trial import Sizes, Trial
from bench.workers import Contender, Worker, services, turn, turns, workers
from shared.embedded.stack import Stack

TRANSACTION, WITH_VOUCHERS = "HTTP transaction", "HTTP transaction with vouchers"

_TURN_S, _LEAD_S = 5.5, 0.5
"""Of each turn the first half-second is not counted: who was stopped wakes up, and connections are made."""
_TURNS_MAX, _TURN_SHARE = 4, 50_000


@dataclass(frozen=True, slots=True)
class Row:
    """What is offered how often a second, and to whom; the most that p50 and p99 should be, as ratios and in ms."""

    name: str
    rate: int
    services: tuple[str, ...]
    ratios: tuple[float | None, float | None]
    quiet_ms: tuple[float | None, float | None]

    @property
    def with_vouchers(self) -> bool:
        """Whether its transactions buy and redeem vouchers."""
        return "voucher" in self.services

    @property
    def requests(self) -> int:
        """How many a turn has."""
        return int(self.rate * _TURN_S)

    @property
    def lead(self) -> int:
        """How many of them, the first, are not counted."""
        return int(self.rate * _LEAD_S)


_PLAIN = Row(TRANSACTION, 100, ("points",), (1.5, 2.0), (15, 60))
_SAGA = Row(WITH_VOUCHERS, 50, ("points", "voucher"), (3.5, None), (40, None))


@dataclass
class Side:
    """Who has turns: where, its processes by name, how it is asked; what was found, and the CPU time spent."""

    arena: Arena
    team: dict[str, Worker]
    ask: Ask
    turn_over: Callable[[], None] = lambda: None
    found_ms: list[float] = field(default_factory=list)
    spent_s: Counter[str] = field(default_factory=Counter)

    async def published(self) -> Counter[str]:
        """How many records there are in the topics that a transaction is told on."""
        found = Counter[str]()
        for name in (*TOPICS, REPLIES):
            async with self.arena.reader(name) as (_, ends):
                found[name] = sum(ends.values())
        return found


async def transactions(stack: Stack, sizes: Sizes, templates: Path, say: Say) -> list[Trial]:
    """Loads and redemptions; real, bare, real, bare, …"""
    return await _measured(stack, _PLAIN, sizes, templates, say)


async def transactions_with_vouchers(stack: Stack, sizes: Sizes, templates: Path, say: Say) -> list[Trial]:
    """With vouchers, which another service decides on; against the same bare round trip, which has none."""
    return await _measured(stack, _SAGA, sizes, templates, say)


async def _measured(stack: Stack, row: Row, sizes: Sizes, templates: Path, say: Say) -> list[Trial]:
    turns_each = turns_of(sizes)
    requests, path = sizes.rounds * turns_each * row.requests, templates.with_name("round_trip.bson")
    async with (
        new_arena(stack) as arena,
        new_arena(stack) as bare_arena,
        services(arena, *row.services, "edge") as team,
    ):
        port, settings = team["edge"].port, arena.settings
        token = await access_token(settings, port, "api_loyalty")
        tills = Tills(port, token, row.with_vouchers, places(settings.partitions))
        await prepare(arena, tills, requests, say)
        patterns = await sample_round_trip(arena)
        save(patterns, path)
        async with workers(bare_arena, Contender.BARE, 1, path) as (worker,), asker(bare_arena, patterns) as bare:
            sides = (
                Side(arena, team, tills.ask, tills.hang_up),
                Side(bare_arena, {"worker": worker}, bare_ask(bare, tills.places)),
            )
            await side_by_side(sides[1].ask, ACCOUNTS)
            before = [await side.published() for side in sides]
            trials = await alternating(stack, row, sides, sizes.rounds, turns_each, say)
            published = [await side.published() - counts for side, counts in zip(sides, before, strict=True)]
        trials[0].figures |= {"answered_later": len(tills.open)}
        if not row.with_vouchers and not tills.open:
            trials[0].wrong.extend(unlike(*(_each(counts, requests) for counts in published)))
        await tills.finish()
        async with callers(port, 1, await access_token(settings, port, "api_admin")) as (looking,):
            trials[0].wrong.extend(await check(arena, tills, looking))
    say(f"{row.name}, checks: {'; '.join(trials[0].wrong) or 'all is well'}")
    return trials


def _each(published: Counter[str], requests: int) -> dict[str, float]:
    return {f"records in {name} a request": count / requests for name, count in published.items()}


async def prepare(arena: Arena, tills: Tills, requests: int, say: Say) -> None:
    """What is declared, the accounts, and what they hold."""
    await arena.have_done(declarations(arena.settings.partitions))
    if tills.with_vouchers:
        await issue(arena, tills.places, requests)
        say(f"{WITH_VOUCHERS}: {requests:,} vouchers issued")
    await side_by_side(tills.open_accounts, OPENING * ACCOUNTS)
    tills.hang_up()


def turns_of(sizes: Sizes) -> int:
    """How many turns each side has in a round."""
    return max(1, min(_TURNS_MAX, sizes.movements // _TURN_SHARE))


def bare_ask(bare: Asker, accounts: Sequence[Place]) -> Ask:
    """Asks the bare side about one of these accounts after another."""

    async def ask(number: int) -> None:
        await bare.ask(accounts[number % len(accounts)])

    return ask


async def alternating(
    stack: Stack, row: Row, sides: tuple[Side, Side], rounds: int, turns_each: int, say: Say
) -> list[Trial]:
    """The rounds of a row: the real side's turn, the other's, and so on; p50 and p99 of each round."""
    names = zip(("p50", "p99"), row.ratios, row.quiet_ms, strict=True)
    trials = [Trial(row.name, name, "ms", ratio, at_most=True, reference=ms) for name, ratio, ms in names]
    async with turns(*(side.team.values() for side in sides)):
        for number in range(rounds):
            for side in sides:
                side.found_ms.clear()
            for each in range(number * turns_each, (number + 1) * turns_each):
                for side in sides:
                    await _turn(stack, side, each, row)
            for trial, real, other in zip(trials, *(p50_p99(side.found_ms) for side in sides), strict=True):
                trial.real.append(real)
                trial.other.append(other)
            told = ", ".join(f"{each.name} {each.real[-1]:.1f} and bare {each.other[-1]:.1f} ms" for each in trials)
            say(f"{row.name}, round {number + 1}: {told}")
    requests = rounds * turns_each * row.requests
    trials[0].figures |= {"requests_a_second": row.rate, "requests": requests}
    for name, side in zip(("cpu_ms_a_request", "bare_cpu_ms_a_request"), sides, strict=True):
        trials[0].figures[name] = {who: round(spent / requests * 1e3, 2) for who, spent in side.spent_s.items()}
    return trials


async def _turn(stack: Stack, side: Side, number: int, row: Row) -> None:
    """One side's turn; both have the same moments."""
    pids = {name: worker.pid for name, worker in side.team.items()}
    before_s = cpu_spent(stack, pids)
    async with turn(side.team.values()):
        due_s = [*moments(row.rate, row.requests, seed=number)]
        found = await offered(side.ask, number * len(due_s), due_s)
        side.turn_over()
    side.found_ms += found[row.lead :]
    side.spent_s.update({who: spent - before_s[who] for who, spent in cpu_spent(stack, pids).items()})

"""The row `sweep`: what commands get done while many quiet accounts fall due at once, against nothing being due.

The customers' commands come as fast as they are done: so many wait in the topic at a time, and no more, or else the
sweep's proposals would stand behind all of them.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import cast

from bench.arena import Arena, Prepared, new_arena, until
from bench.checks import read_changes, verify
from bench.contest import Say
from bench.copies import Place, dated, entry_at, new_command_id, place_of, snapshot_at
from bench.movements import Load, Message, declarations, messages
from bench.rebuilding import insert
from bench.templates import Document, load
from bench.trial import Sizes, Trial
from bench.workers import Contender, Worker, workers
from cli.rebuild import Fold
from services.points.main import SERVICE
from shared.embedded.stack import Stack
from shared.runtime.entries import JournalEntry

SWEEP = "sweep"
TARGET = 0.8

_DUE_SHARE = 100
_WAITING_MAX = 2_000
_CHUNK = 250
_LOOK_S = 0.05
_REST = 50
_PROFILE_BYTES = 64 * 1024 * 1024
"""A query is a few KB there, and by itself the server keeps one MB."""

_ENDLESS = 100_000_000
_PHASE_MAX_S = 900.0
_INTERVAL = {"FEALTY_SWEEP_INTERVAL_S": "1"}
_IDLE, _DUE = "6301", "6302"
"""What the numbers of accounts begin with that nobody uses: those with nothing due, and those with."""


@dataclass(frozen=True, slots=True)
class Phase:
    """The customers' commands that were done in a time."""

    commands: int
    seconds: float

    @property
    def rate(self) -> float:
        """Commands a second."""
        return self.commands / self.seconds


class Supply:
    """The customers' commands, in their order, encoded in chunks; `ahead` of their use as far as one knows."""

    def __init__(self, arena: Arena, accounts: int) -> None:
        self._arena = arena
        self._messages: Iterator[Message] = messages(Load(_ENDLESS, accounts), arena.settings.partitions)
        self._ready: deque[Prepared] = deque()
        self.sent = 0

    def ahead(self, commands: int) -> None:
        """Have so many ready."""
        while len(self._ready) * _CHUNK < commands:
            self._ready.append(self._arena.prepare(islice(self._messages, _CHUNK)))

    async def send(self) -> None:
        """Publish the next chunk."""
        self.ahead(_CHUNK)
        await self._arena.fill(self._ready.popleft())
        self.sent += _CHUNK


async def sweeps(stack: Stack, sizes: Sizes, templates: Path, say: Say) -> list[Trial]:
    """With accounts due, without, with, without, …: one worker throughout, and other accounts due in each round."""
    trial = Trial(SWEEP, SWEEP, "commands a second", TARGET)
    patterns, due = load(templates), sizes.stored // _DUE_SHARE
    async with new_arena(stack) as arena:
        declared, partitions = list(declarations(arena.settings.partitions)), arena.settings.partitions
        await arena.fill(arena.prepare(declared))
        supply, places = Supply(arena, sizes.accounts), list[Place]()
        async with workers(arena, Contender.REAL, 1, templates, _INTERVAL) as (worker,):
            await until(arena.done, len(declared))
            idle = (place_of(f"{_IDLE}{number:015d}", partitions) for number in range(sizes.stored - due))
            await insert(arena.database["snapshots"], (snapshot_at(patterns["account"], place) for place in idle))
            say(f"{SWEEP}: {sizes.stored - due:,} snapshots of accounts with nothing due for now")
            await arena.database.create_collection("system.profile", capped=True, size=_PROFILE_BYTES)
            await arena.database.command("profile", 1, filter=_profiled(arena))
            seconds_due = []
            for number in range(1, sizes.rounds + 1):
                supply.ahead(sizes.movements // 2)
                fresh = [place_of(f"{_DUE}{number:03d}{each:012d}", partitions) for each in range(due)]
                with_due = await _phase(arena, worker, supply, patterns["entries"]["open"], fresh)
                places += fresh
                supply.ahead(with_due.commands + _WAITING_MAX)
                without = await _phase(arena, worker, supply, {}, [], with_due.commands)
                trial.real.append(with_due.rate)
                trial.other.append(without.rate)
                seconds_due.append(round(with_due.seconds, 1))
                say(
                    f"{SWEEP}, round {number}: {with_due.rate:,.0f} a second while {due:,} were due, for "
                    f"{with_due.seconds:.1f} s; {without.rate:,.0f} with nothing due"
                )
        trial.figures |= {"snapshots": sizes.stored, "due": due, "seconds_until_none_was_due": seconds_due}
        trial.figures |= await _examined(arena)
        trial.wrong.extend(await _check(arena, supply.sent, places, say))
    return [trial]


async def _phase(
    arena: Arena, worker: Worker, supply: Supply, opening: Document, places: list[Place], commands: int = 0
) -> Phase:
    """Let accounts at `places` fall due and measure until none is; without any, until so many commands are done."""
    loop, before, sent_before = asyncio.get_running_loop(), await arena.done(), supply.sent
    worker.hold()
    try:
        await _fall_due(arena, opening, places)
    finally:
        worker.release()
    started_s = look_s = loop.time()
    left = len(places)
    async with asyncio.timeout(_PHASE_MAX_S):
        while True:
            if places and (now_s := loop.time()) >= look_s:
                left = await _left(arena)
                look_s = loop.time() + (loop.time() - now_s) * _REST  # What looks must not hinder what it looks at.
            done = await arena.done() - before - (len(places) - left)
            seconds = loop.time() - started_s
            if done >= commands if not places else not left:
                break
            while supply.sent - sent_before - done < _WAITING_MAX:
                await supply.send()
            await asyncio.sleep(_LOOK_S)
    await until(arena.done, before + supply.sent - sent_before + len(places), _LOOK_S)
    return Phase(done, seconds)


async def _fall_due(arena: Arena, opening: Document, places: list[Place]) -> None:
    """Accounts that were opened with a load yesterday, which expired an hour ago: the entry, and what it folds to."""
    if not places:
        return
    random, now = Random(places[0].number), datetime.now(UTC).replace(microsecond=0)
    template = dated(opening, now - timedelta(days=1), now - timedelta(hours=1))
    entries = [entry_at(template, place, new_command_id(random)) for place in places]
    snapshots = []
    for place, entry in zip(places, entries, strict=True):
        fold = Fold(place.stream, SERVICE.decider)
        fold.add(1, cast(JournalEntry, entry))
        snapshots.append(fold.snapshot())
    await insert(arena.database["journal"], iter(entries))
    await insert(arena.database["snapshots"], iter(snapshots))


async def _left(arena: Arena) -> int:
    """How many accounts are due now."""
    due = {"$lte": datetime.now(UTC), "$type": "date"}
    wanted = {"partition": {"$in": list(range(arena.settings.partitions))}, "state.due_at": due}
    return int(await arena.database["snapshots"].count_documents(wanted))


def _profiled(arena: Arena) -> Document:
    """What the server's profiler is to keep: the queries for what is due."""
    return {"ns": f"{arena.database.name}.snapshots", "op": "query", "command.hint.partition": 1}


async def _examined(arena: Arena) -> Document:
    """Documents that the queries for what is due examined, and returned, over all rounds."""
    sums = {"$group": {"_id": None, "queries": {"$sum": 1}, **{f"{name}": {"$sum": f"${name}"} for name in _COUNTED}}}
    found = await (await arena.database["system.profile"].aggregate([{"$match": _profiled(arena)}, sums])).to_list()
    counts = found[0] if found else {}
    return {"due_queries": counts.get("queries", 0), **{_COUNTED[name]: counts.get(name, 0) for name in _COUNTED}}


_COUNTED = {"docsExamined": "documents_examined", "nreturned": "documents_returned"}


async def _check(arena: Arena, sent: int, places: list[Place], say: Say) -> list[str]:
    """Nothing lost, each account booked once, no gap; and `fealty verify`, the idle accounts gone.

    These have no journal, which verify would tell of each.
    """
    journal, due, wrong = arena.database["journal"], len(places), []
    for type_, wanted in (("points.post_transaction.v1", sent + due), ("points.book_due.v1", due)):
        accepted = await journal.count_documents({"type": type_, "status": "accepted", "writes": {"$exists": True}})
        if accepted != wanted:
            wrong.append(f"{accepted} of {wanted} commands {type_} were accepted")
    if buried := await arena.database["dead_letters"].count_documents({}):
        wrong.append(f"{buried} dead letters")
    changes = await read_changes(arena, {place.account.encode(): 1 for place in places})
    wrong.extend(f"a gap in the change stream: {gap}" for gap in changes.gaps[:3])
    if changes.read != sent + due:
        wrong.append(f"{changes.read} changes were published for {sent + due} movements")
    await arena.database["snapshots"].delete_many({"state.number": {"$regex": f"^{_IDLE}"}})
    said = await verify(arena)
    say(f"{SWEEP}, fealty verify: {said or 'all is well'}")
    return wrong if said is None else [*wrong, said]

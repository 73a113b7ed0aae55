"""The row `rebuild`: all snapshots made again from the journal, against only reading the journal in the same order."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from random import Random
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from bench.arena import Arena, new_arena
from bench.contest import Say
from bench.copies import entry_at, new_command_id, place_of, snapshot_at
from bench.movements import Load
from bench.run import cpu_seconds, measured
from bench.stack import LOGS
from bench.templates import Document
from bench.trial import Sizes, Trial
from bench.workers import Contender, cli, environment
from shared.embedded.process import Process, last_log_line
from shared.embedded.stack import Stack

REBUILD = "rebuild"
TARGET = 0.5

_MOVEMENTS_PER_ACCOUNT = 20
_COPIES = 50
_REAL_MIN = 2_000
_INSERT = 5_000
_TIMEOUT_S = 1_800.0
_LOOK_S = 0.005
_STREAMS = {"_id": {"$not": {"$regex": "^fence/"}}}
_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)


async def rebuilds(stack: Stack, sizes: Sizes, templates: Path, say: Say) -> list[Trial]:
    """Reading, rebuilding, reading, rebuilding, …; and one rebuild that is killed half-way and called again."""
    trial = Trial(REBUILD, REBUILD, "events a second", TARGET)
    async with new_arena(stack) as arena:
        await _fill(stack, arena, sizes.stored, templates)
        wanted = await _snapshots(arena)
        entries, events = await _counts(arena)
        trial.figures |= {"entries": entries, "events": events, "snapshots": len(wanted)}
        say(f"{REBUILD}: {entries:,} journal entries, {len(wanted):,} snapshots")
        spent_us: dict[str, list[float]] = {"reading": [], "rebuilding": []}
        for number in range(1, sizes.rounds + 1):
            before_s = _cpu_s(stack)
            seconds, said = await _run("reading", [sys.executable, "-m", "bench.reading"], arena)
            spent_us["reading"].append((_cpu_s(stack) - before_s) / events * 1e6)
            trial.other.append(events / seconds)
            if not said.strip().isdigit() or int(said) < entries:  # One that wrote several streams may come again.
                trial.wrong.append(f"not all of {entries} entries were read: {said.strip()}")
            await _drop(arena)
            before_s = _cpu_s(stack)
            seconds, said = await _run("rebuilding", _rebuild(), arena)
            spent_us["rebuilding"].append((_cpu_s(stack) - before_s) / events * 1e6)
            trial.real.append(events / seconds)
            say(f"{REBUILD}, round {number}: {trial.real[-1]:,.0f} events a second, reading {trial.other[-1]:,.0f}")
            trial.wrong.extend(differences(wanted, await _snapshots(arena), f"round {number}", said))
        trial.figures |= {f"cpu_us_an_event_{who}": round(median(spent), 1) for who, spent in spent_us.items()}
        await _drop(arena)
        trial.wrong.extend(await _killed(arena, len(wanted) // 2 // (os.cpu_count() or 1)))
        trial.wrong.extend(differences(wanted, await _snapshots(arena), "after a kill", ""))
        say(f"{REBUILD}: killed half-way, and called again")
    return [trial]


async def _fill(stack: Stack, arena: Arena, stored: int, templates: Path) -> None:
    """A real worker's run, and its accounts copied until there are so many entries.

    The copies of one entry lie together, so that those of one account lie as far apart as a real worker's do.
    """
    movements = max(_REAL_MIN, stored // _COPIES)
    load = Load(movements, max(1, movements // _MOVEMENTS_PER_ACCOUNT))
    await measured(stack, arena, Contender.REAL, 1, load, templates)
    copies = max(0, stored // movements - 1)
    entries = [entry async for entry in arena.database["journal"].find({"type": "points.post_transaction.v1"})]
    await insert(arena.database["journal"], copied_entries(entries, copies, arena.settings.partitions))
    accounts = [each async for each in arena.database["snapshots"].find({"_id": {"$regex": "^account/"}})]
    await insert(arena.database["snapshots"], copied_snapshots(accounts, copies, arena.settings.partitions))


def copied_entries(entries: Sequence[Document], copies: int, partitions: int) -> Iterator[Document]:
    """Each entry at `copies` other accounts; all entries of one account go to the same ones."""
    random = Random("copies")  # Not the load's seed, or its ids would be drawn again.
    numbers = {event["data"]["accountNumber"] for entry in entries for event in entry["events"]}
    places = {number: [place_of(_number(number, copy), partitions) for copy in range(copies)] for number in numbers}
    for entry in entries:
        for place in places[entry["events"][0]["data"]["accountNumber"]]:
            yield entry_at(entry, place, new_command_id(random))


def copied_snapshots(snapshots: Sequence[Document], copies: int, partitions: int) -> Iterator[Document]:
    """Each snapshot at the accounts to which its account's entries go."""
    for snapshot in snapshots:
        for copy in range(copies):
            yield snapshot_at(snapshot, place_of(_number(snapshot["state"]["number"], copy), partitions))


def _number(number: str, copy: int) -> str:
    return f"63{copy:04d}{number[6:]}"


async def insert(collection: Any, documents: Iterator[Document]) -> None:
    """Insert many documents; the next thousands are made while the server takes the last."""
    waiting: asyncio.Task[Any] | None = None
    chunk: list[Document] = []
    for document in documents:
        chunk.append(document)
        if len(chunk) == _INSERT:
            if waiting is not None:
                await waiting
            waiting, chunk = asyncio.create_task(collection.insert_many(chunk, ordered=False)), []
            await asyncio.sleep(0)
    if waiting is not None:
        await waiting
    if chunk:
        await collection.insert_many(chunk, ordered=False)


async def _snapshots(arena: Arena) -> dict[str, bytes]:
    """Every snapshot by its stream, as it lies there; fences are none."""
    found = arena.database["snapshots"].with_options(codec_options=_RAW).find(_STREAMS)
    return {document["_id"]: bytes(document.raw) async for document in found}


async def _counts(arena: Arena) -> tuple[int, int]:
    """The entries that wrote something, and their events."""
    written = {"$match": {"writes": {"$exists": True}}}
    group = {"$group": {"_id": None, "entries": {"$sum": 1}, "events": {"$sum": {"$size": "$events"}}}}
    (found,) = await (await arena.database["journal"].aggregate([written, group])).to_list()
    return found["entries"], found["events"]


async def _drop(arena: Arena) -> None:
    await arena.database["snapshots"].delete_many(_STREAMS)


def _rebuild() -> list[str]:
    return [*cli(), "rebuild", "points"]


async def _run(name: str, argv: Sequence[str], arena: Arena) -> tuple[float, str]:
    """Seconds from the start of a process to its end, and what it said.

    :raises StackError: it took half an hour.
    """
    process, loop = Process(name, LOGS / f"{name}.log"), asyncio.get_running_loop()
    started_s = loop.time()
    try:
        await process.start(argv, environment(arena))
        code = await process.wait_ended(_TIMEOUT_S)
        seconds = loop.time() - started_s
    finally:
        process.kill()
    said = process.log.read_text() if code == 0 else f"exit code {code}: {last_log_line(process.log)}"
    return seconds, said


def _cpu_s(stack: Stack) -> float:
    """Seconds of CPU used so far by processes that have ended, and by a database of ours."""
    ended = getrusage(RUSAGE_CHILDREN)
    pid = stack.mongo.pid if stack.mongo is not None else None
    return ended.ru_utime + ended.ru_stime + (0.0 if pid is None else cpu_seconds(pid))


async def _killed(arena: Arena, streams: int) -> list[str]:
    """Kill a rebuild once it has remembered so many streams of one part, and call it again; what was wrong."""
    process, progress = Process(REBUILD, LOGS / "rebuild-killed.log"), arena.database["rebuild"]
    await process.start(_rebuild(), environment(arena))
    try:
        async for _ in _ticks():
            if await progress.count_documents({"streams": {"$gte": streams}}, limit=1):
                break
            if process.pid is None:
                return [f"a rebuild ended before it could be killed: {last_log_line(process.log)}"]
    finally:
        process.kill()
        await process.wait()
    if not await progress.count_documents({}):
        return ["a killed rebuild remembered nothing"]
    _, said = await _run("rebuild-again", _rebuild(), arena)
    return [] if "continued the interrupted run after" in said else [f"a rebuild after a kill began anew: {said}"]


async def _ticks() -> AsyncIterator[None]:
    while True:
        yield
        await asyncio.sleep(_LOOK_S)


def differences(wanted: dict[str, bytes], found: dict[str, bytes], when: str, said: str) -> list[str]:
    """What is not to the last byte as it was before."""
    changed = sum(found.get(stream) != document for stream, document in wanted.items())
    more = len(found.keys() - wanted.keys())
    if not changed and not more:
        return []
    return [f"{when}: {changed} snapshots are not as they were, {more} are new; {said.strip()}"]

"""What must hold after a real run, whatever its figures: nothing lost, nothing doubled, in order."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from bench.arena import Arena
from bench.movements import Load
from bench.stack import LOGS
from bench.workers import cli, environment
from shared.embedded.process import Process, last_log_line

_VERIFY_TIMEOUT_S = 600.0


@dataclass
class Findings:
    """What was found wrong, and how often a change was published again."""

    wrong: list[str] = field(default_factory=list)
    repeats: int = 0


@dataclass
class Changes:
    """A consumer that skips what it has seen: the last sequence of each account is all it remembers."""

    last: dict[bytes, int] = field(default_factory=dict)
    read: int = 0
    repeats: int = 0
    gaps: list[str] = field(default_factory=list)

    def take(self, account: bytes, sequence: int) -> None:
        """One change of an account."""
        last = self.last.get(account, 0)
        if sequence <= last:
            self.repeats += 1
            return
        if sequence != last + 1:
            self.gaps.append(f"{account.decode()}: {sequence} follows {last}")
        self.last[account] = sequence
        self.read += 1


async def check(arena: Arena, load: Load) -> Findings:
    """Journal and change stream against what was sent."""
    findings = Findings()
    journal = arena.database["journal"]
    wanted = {"type": {"$ne": "points.put_programme.v1"}, "status": "accepted"}
    accepted = await journal.count_documents(wanted)
    if accepted != load.movements:
        findings.wrong.append(f"{accepted} of {load.movements} commands were accepted")
    buried = await arena.database["dead_letters"].count_documents({})
    if buried:
        findings.wrong.append(f"{buried} dead letters")
    changes = await read_changes(arena)
    findings.repeats = changes.repeats
    findings.wrong.extend(f"a gap in the change stream: {gap}" for gap in changes.gaps[:3])
    movements = await _journalled(arena) if load.mixed else load.movements
    if changes.read != movements:
        findings.wrong.append(f"{changes.read} changes were published for {movements} movements")
    return findings


async def _journalled(arena: Arena) -> int:
    """The movements in the journal: an order's command books none, one, or several."""
    pipeline = [
        {"$unwind": "$events"},
        {"$match": {"events.data.sequence": {"$exists": True}}},
        {"$count": "movements"},
    ]
    async for found in await arena.database["journal"].aggregate(pipeline):
        return int(found["movements"])
    return 0


async def read_changes(
    arena: Arena, known: Mapping[bytes, int] = MappingProxyType({}), topic: str = "points.changes"
) -> Changes:
    """A whole change stream, by a consumer of the kind that the README shows; `known` it has seen before."""
    changes = Changes(dict(known))
    async with arena.reader(topic) as (consumer, ends):
        left = {place: end for place, end in ends.items() if end}
        while left:
            for place, records in (await consumer.getmany(timeout_ms=500)).items():
                for record in records:
                    changes.take(record.key or b"", int(dict(record.headers)["ce_sequence"]))
                if records[-1].offset + 1 >= left[place]:
                    del left[place]
                    consumer.pause(place)
    return changes


async def verify(arena: Arena, service: str = "points") -> str | None:
    """`fealty verify` of a service on this arena: None when all is well, else what it said."""
    if await _call([*cli(), "verify", "--service", service], arena) == 0:
        return None
    return f"fealty verify --service {service}: {last_log_line(_log())}"


async def _call(argv: list[str], arena: Arena) -> int | None:
    process = Process("fealty verify", _log())
    await process.start(argv, environment(arena))
    try:
        async with asyncio.timeout(_VERIFY_TIMEOUT_S):
            return await process.wait()
    finally:
        process.kill()


def _log() -> Path:
    return LOGS / "verify.log"

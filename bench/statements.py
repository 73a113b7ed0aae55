"""The row `statement`: what reading an account's past takes with very many movements, against with few."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from bench.arena import Arena, new_arena
from bench.asking import Caller, access_token, callers, latencies_ms, p50_p99
from bench.contest import Say
from bench.rebuilding import insert
from bench.templates import Document, load
from bench.trial import Sizes, Trial
from bench.workers import services
from schemas.base import format_instant
from schemas.points import ACCOUNT_VIEW
from schemas.replies import SnapshotPart
from services.edge.views import changes, snapshots
from shared.embedded.stack import Stack
from shared.ids import account_id

STATEMENT = "statement"
TARGET = 1.5

_LONG, _SHORT = "6303000000000000001", "6303000000000000002"
_LONG_MAX, _SHORT_LENGTH = 100_000, 100
_PROGRAMMES = ("LOY22-BuyVouchers", "CASHBACK")
_KINDS = ("load", "redeem")
_STARTED = datetime(2026, 1, 1, tzinfo=UTC)
_PARALLEL = 8
_BLOCK = 50
_REQUESTS_MIN, _REQUESTS_SHARE = 200, 100

_READS = {
    "a page": "/v1/accounts/{number}/statement",
    "a page, filtered": "/v1/accounts/{number}/statement?kind=redeem&from={start}",
    "the past": "/v1/accounts/{number}/balances?at={middle}",
}
"""Each gives as much for either account: a whole page, or two programmes."""


async def statements(stack: Stack, sizes: Sizes, templates: Path, say: Say) -> list[Trial]:
    """Long account, short one, long one, …, in blocks of requests: one at a time, and several in parallel."""
    lengths = {_LONG: max(1_000, min(_LONG_MAX, sizes.stored)), _SHORT: _SHORT_LENGTH}
    requests = max(_REQUESTS_MIN, sizes.movements // _REQUESTS_SHARE)
    trials: list[Trial] = []
    async with new_arena(stack) as arena, services(arena, "edge") as running:
        port = running["edge"].port
        await _book(arena, load(templates), lengths)
        say(f"{STATEMENT}: an account of {lengths[_LONG]:,} movements, and one of {lengths[_SHORT]:,}")
        async with callers(port, _PARALLEL, await access_token(arena.settings, port, "api_admin")) as team:
            wrong = await _unlike(team[0], lengths)
            for together in (1, _PARALLEL):
                for name, path in _READS.items():
                    how = "one at a time" if together == 1 else f"{together} in parallel"
                    trials += await _trials(team[:together], f"{name}, {how}", path, lengths, requests, sizes.rounds)
                    say(f"{STATEMENT}, {name}, {how}: {trials[-2].real[-1]:.1f} ms, {trials[-2].other[-1]:.1f} ms")
    trials[0].wrong.extend(wrong)
    trials[0].figures |= {"movements": list(lengths.values()), "requests_each_round": requests}
    return trials


async def _trials(
    team: list[Caller], name: str, path: str, lengths: dict[str, int], requests: int, rounds: int
) -> list[Trial]:
    """Median and 99th percentile of one read."""
    trials = [Trial(STATEMENT, f"{name}, {each}", "ms", TARGET, at_most=True) for each in ("p50", "p99")]
    paths = {number: _filled(path, number, length) for number, length in lengths.items()}
    for each in paths.values():
        await latencies_ms(team, repeat(each, _BLOCK))  # The first ones read from the disk.
    for _ in range(rounds):
        found: dict[str, list[float]] = {_LONG: [], _SHORT: []}
        for _ in range(-(-requests // _BLOCK)):
            for number, each in paths.items():
                found[number] += await latencies_ms(team, repeat(each, _BLOCK))
        for trial, real, other in zip(trials, p50_p99(found[_LONG]), p50_p99(found[_SHORT]), strict=True):
            trial.real.append(real)
            trial.other.append(other)
    return trials


async def _unlike(caller: Caller, lengths: dict[str, int]) -> list[str]:
    """Where the two accounts are not given as much, or not what was asked for."""
    wrong = []
    for name, path in _READS.items():
        counts = []
        for number, length in lengths.items():
            status, body = await caller.get(_filled(path, number, length))
            document = orjson.loads(body)
            if status != 200 or document.get("accountNumber") != number:
                wrong.append(f"{name}: {status} {body[:200].decode(errors='replace')}")
            counts.append(len(document.get("movements", document.get("balances", ()))))
        if len(set(counts)) > 1 or not counts[0]:
            wrong.append(f"{name}: not the same work: {counts}")
    return wrong


def _filled(path: str, number: str, length: int) -> str:
    """The path for an account: `start` is its first instant, `middle` halfway through its movements."""
    instants = {"start": _STARTED, "middle": _booked_at(length // 2)}
    return path.format(number=number, **{name: quote(format_instant(at)) for name, at in instants.items()})


def _booked_at(sequence: int) -> datetime:
    return _STARTED + timedelta(seconds=sequence)


async def _book(arena: Arena, patterns: Document, lengths: dict[str, int]) -> None:
    """The views of the accounts and their movements, put where the edge keeps them."""
    database = arena.mongo[arena.settings.database("edge")]
    (change,) = patterns["records"]["points.changes"].values()
    view = orjson.loads(patterns["records"]["points.snapshots"]["points/account/v1"]["value"])
    for number, length in lengths.items():
        account = account_id("default", number)
        value = {**view, "account": account, "accountNumber": number, "version": length, "sequence": length}
        stream = f"account/default/{account}"
        upsert = snapshots.of_part(SnapshotPart(stream=stream, version=length, type=ACCOUNT_VIEW, value=value))
        assert upsert is not None
        await database[upsert.collection].insert_one(upsert.document)
        await insert(database["statements"], _documents(orjson.loads(change["value"]), number, length))


def _documents(change: Document, number: str, length: int) -> Iterator[Any]:
    """Movements as the edge stores them: copies of a real one, by turns of both kinds, in pairs of both programmes."""
    for sequence in range(1, length + 1):
        movement = changes.of_value(movement_at(change, number, sequence))
        assert movement is not None
        yield movement.document


def movement_at(change: Document, number: str, sequence: int) -> Document:
    """A change that an account saw, as the movement `sequence` of another, one booked each second."""
    booked_at = format_instant(_booked_at(sequence))
    return {
        **change,
        "account": account_id("default", number),
        "accountNumber": number,
        "programme": _PROGRAMMES[sequence // 2 % 2],
        "kind": _KINDS[sequence % 2],
        "sequence": sequence,
        "occurredAt": booked_at,
        "bookedAt": booked_at,
    }

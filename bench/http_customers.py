"""The row `HTTP get customer`: how many customers a second one edge process shows, against a bare route."""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter
from typing import Any

import orjson

from bench.arena import Arena, new_arena
from bench.asking import Caller, access_token, callers, latencies_ms
from bench.contest import Say
from bench.movements import declarations, definitions
from bench.run import cpu_spent
from bench.trial import Sizes, Trial
from bench.workers import Worker, processes, services, turn, turns
from shared.embedded.stack import Stack

CUSTOMER = "HTTP get customer"
TARGET, QUIET = 0.6, 800

_CUSTOMERS = 100
_PARALLEL = 16
_TURN, _LEAD = 1_000, 100
"""The first of each turn are not counted: who was stopped wakes up, and connections are made."""
_TURNS_MAX, _TURN_SHARE = 8, 25_000
_FAMILY = "/api/v1.0/Switch/Crm/Customer/"
_INFO = {
    "firstName": "Anna",
    "lastName": "de Vries",
    "dateOfBirth": "1990-09-11",
    "street": "Oudegracht",
    "houseNumber": "12",
    "postalCode": "3511 AB",
    "city": "Utrecht",
}
_HAS = {"LOY22-BuyVouchers": 650, "LOY22-IssueThreshold": 400, "CASHBACK": 12.5, "LOY22-Orders": 0}
_BOUGHT = {"VOUCHER-5": 500, "VOUCHER-10": 950}
_LOOK_BYTES = 16 * 1024 * 1024


async def customers(stack: Stack, sizes: Sizes, _templates: Path, say: Say) -> list[Trial]:
    """Real, bare, real, bare, …, in turns of a second or two over the same customers; who has no turn is stopped."""
    trial = Trial(CUSTOMER, CUSTOMER, "requests a second", TARGET, reference=QUIET)
    turns_each = max(1, min(_TURNS_MAX, sizes.movements // _TURN_SHARE))
    async with new_arena(stack) as arena, services(arena, "edge") as edge:
        port = edge["edge"].port
        token = await access_token(arena.settings, port, "api_crm")
        paths = await _created(arena, port, token)
        say(f"{CUSTOMER}: {len(paths)} customers with balances and vouchers")
        async with processes(arena, {"route": [sys.executable, "-m", "bench.bare_route"]}) as bare:
            for name, worker in (edge | bare).items():
                async with callers(worker.port, 1, token) as (caller,):
                    reads = await _reads(arena, caller, paths)
                    answer = (await caller.get(paths[0]))[1]
                trial.figures[f"{name}_bytes"] = len(answer)
                trial.wrong.extend(f"{name}: {what}" for what in unfit(reads, answer, paths))
            async with turns(edge.values(), bare.values()):
                for number in range(sizes.rounds):
                    rates = await _round(stack, trial, {**edge, **bare}, token, paths, turns_each)
                    trial.real.append(rates["edge"])
                    trial.other.append(rates["route"])
                    say(f"{CUSTOMER}, round {number + 1}: {rates['edge']:,.0f} a second, bare {rates['route']:,.0f}")
    return [trial]


async def _round(
    stack: Stack, trial: Trial, sides: dict[str, Worker], token: str, paths: list[str], turns_each: int
) -> dict[str, float]:
    """Requests a second of each side, over several turns; and in the figures, the CPU of the last."""
    seconds = dict.fromkeys(sides, 0.0)
    for _ in range(turns_each):
        for name, worker in sides.items():
            async with turn([worker]), callers(worker.port, _PARALLEL, token) as team:
                await latencies_ms(team, islice(cycle(paths), _LEAD))
                before_s, started_s = cpu_spent(stack, {name: worker.pid}), perf_counter()
                await latencies_ms(team, islice(cycle(paths), _TURN))
                seconds[name] += perf_counter() - started_s
                after_s = cpu_spent(stack, {name: worker.pid})
            spent = {who: round((after_s[who] - before) / _TURN * 1e6) for who, before in before_s.items()}
            trial.figures[f"{name}_cpu_us"] = spent
    return {name: turns_each * _TURN / spent_s for name, spent_s in seconds.items()}


async def _created(arena: Arena, port: int, token: str) -> list[str]:
    """Customers who registered, loaded points and bought vouchers, by their paths; the edge composed their documents.

    :raises ValueError: a call was refused, or a customer is not as it must be.
    """
    partitions = arena.settings.partitions
    async with services(arena, "points", "voucher", "customer"), callers(port, _PARALLEL, token) as team:
        await arena.have_done(declarations(partitions))
        await arena.have_done(definitions(partitions), "voucher")
        left, paths = iter(range(_CUSTOMERS)), list[str]()

        async def create(caller: Caller) -> None:
            for number in left:
                paths.append(await _one(caller, number))

        await asyncio.gather(*map(create, team))
        for path in paths:
            await _look(team[0], path)
    return paths


async def _one(caller: Caller, number: int) -> str:
    info = {**_INFO, "emailAddress": f"anna.{number}@example.com"}
    created = await _posted(caller, "Create", {"customerInfo": info, "cardNumber": f"6305{number:015d}"}, number)
    who: str = created["customerId"]
    programmes: list[dict[str, Any]] = [
        {"loyaltyPointDefinitionId": name, "loads": [{"value": value}]} for name, value in _HAS.items() if value
    ]
    programmes[0]["loads"][0]["value"] += sum(_BOUGHT.values())
    programmes[0]["purchases"] = [{"voucherId": code} for code in _BOUGHT]
    await _posted(caller, f"{who}/Transaction", {"loyaltyPrograms": programmes}, number)
    return _FAMILY + who


async def _posted(caller: Caller, path: str, body: dict[str, Any], number: int) -> dict[str, Any]:
    status, answer = await caller.post(_FAMILY + path, orjson.dumps(body), f"{path}-{number}")
    if status != 200:
        raise ValueError(f"{path}: {status} {answer[:200].decode(errors='replace')}")
    found: dict[str, Any] = orjson.loads(answer)
    return found


async def _look(caller: Caller, path: str) -> None:
    status, answer = await caller.get(path)
    found = orjson.loads(answer)
    has = {each["loyaltyProgramId"]: each["pointsBalance"] for each in found.get("balances", ())}
    bought = {each["code"] for each in found.get("vouchers", ())}
    if status != 200 or has != _HAS or bought != {*_BOUGHT}:
        raise ValueError(f"{path} is not as it must be: {status} {answer[:500].decode(errors='replace')}")


def unfit(reads: Counter[str], answer: bytes, paths: Sequence[str]) -> Iterator[str]:
    """What is wrong with a side: it took not one read for each customer, or what it answers is not the customer.

    Some reads are the edge's own: it looks at declarations, and at who is still a client, every few seconds.
    """
    if reads["customers"] != len(paths) or reads.total() > len(paths) * 1.5:
        yield f"{len(paths)} requests took these reads: {dict(reads)}"
    if paths[0].rpartition("/")[2].encode() not in answer:
        yield f"this is not the customer: {answer[:200].decode(errors='replace')}"


async def _reads(arena: Arena, caller: Caller, paths: Sequence[str]) -> Counter[str]:
    """The reads that the server saw while each customer was asked for once, by collection."""
    database = arena.database_of("edge")
    await database.drop_collection("system.profile")
    await database.create_collection("system.profile", capped=True, size=_LOOK_BYTES)
    await database.command("profile", 2)
    await latencies_ms([caller], paths)
    await database.command("profile", 0)
    wanted = {"op": {"$in": ["query", "getmore", "command"]}, "ns": {"$not": {"$regex": "system.profile$"}}}
    found = await database["system.profile"].find(wanted, {"ns": 1}).to_list(None)
    return Counter(each["ns"].split(".", 1)[1] for each in found)

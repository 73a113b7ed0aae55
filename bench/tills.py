"""Tills that post transactions: accounts opened, vouchers in hand, and what must stand there in the end."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from bench.arena import Arena
from bench.asking import Caller
from bench.checks import read_changes, verify
from bench.copies import Place, place_of
from bench.movements import PROGRAMME, Message, definitions, record
from bench.posting import Posts
from schemas.envelope import Envelope

ACCOUNTS = 200
OPENING = 4
"""So many transactions each account has had before anything is measured; the first one opens it."""

_FIRST_LOAD, _REDEMPTION, _PRICE = 10_000, 100, 500
_VOUCHER = "VOUCHER-5"
_VARIETY = 50
_PATH = "/api/v1.0/LoyaltyVault/Account/{}/Transaction"
_LOOK = "/v1/accounts/{}"


@dataclass
class Tills(Posts):
    """Requests by number, each under a key of its own."""

    with_vouchers: bool
    places: list[Place]
    sent: int = 0
    wanted: Counter[str] = field(default_factory=Counter)

    async def open_accounts(self, number: int) -> None:
        """One of the transactions that go before; without vouchers, whatever the others are."""
        place = self.places[number % len(self.places)]
        first = number < len(self.places)
        await self._post(f"opening-{number}", place, _transaction(_FIRST_LOAD if first else _load(number)))

    async def ask(self, number: int) -> None:
        """Post a transaction: a load and a redemption; with vouchers, a purchase and the redemption of one besides."""
        place, more = self.places[number % len(self.places)], {}
        if self.with_vouchers:
            more = {"purchases": [{"voucherId": _VOUCHER}], "voucherRedemptions": [{"serialId": serial_of(number)}]}
        self.sent += 1
        self.wanted[place.number] -= _PRICE if self.with_vouchers else 0
        load = _load(number) + (_PRICE if self.with_vouchers else 0)
        await self._post(f"bench-{number}", place, _transaction(load, more))

    async def _post(self, key: str, place: Place, body: dict[str, Any]) -> None:
        (part,) = body["loyaltyPrograms"]
        self.wanted[place.number] += part["loads"][0]["value"] - part["redemptions"][0]["value"]
        await self.post(key, _PATH.format(place.number), orjson.dumps(body))


def _load(number: int) -> int:
    return _REDEMPTION + number % _VARIETY


def _transaction(load: int, more: dict[str, Any] | None = None) -> dict[str, Any]:
    loaded = {"loads": [{"value": load}], "redemptions": [{"value": _REDEMPTION}]}
    part = {"loyaltyPointDefinitionId": PROGRAMME, **loaded, **(more or {})}
    return {"loyaltyPrograms": [part], "context": {"receiptNr": "R-1001", "shopId": "Utrecht", "posId": "T-01"}}


def places(partitions: int) -> list[Place]:
    """The accounts."""
    return [place_of(f"6304{number:015d}", partitions) for number in range(ACCOUNTS)]


def serial_of(number: int) -> str:
    """The voucher that a request redeems."""
    return f"S-{number:09d}"


async def issue(arena: Arena, places: list[Place], count: int) -> None:
    """The demo's vouchers declared, and one issued for each of so many requests, to the account that it is for."""
    await arena.have_done(definitions(arena.settings.partitions), "voucher")
    await arena.have_done(_issues(places, count, arena.settings.partitions), "voucher")


def _issues(places: list[Place], count: int, partitions: int) -> Iterator[Message]:
    for number in range(count):
        place = places[number % len(places)]
        envelope = Envelope(
            id=str(UUID(int=number, version=4)), type="voucher.issue.v1", source="/bench", subject=place.account
        )
        owner = {"account": place.account, "accountNumber": place.number}
        body = {"voucherId": _VOUCHER, "serialId": serial_of(number), **owner, "reason": "for the benchmark"}
        yield record(envelope, body, partitions)


async def check(arena: Arena, tills: Tills, looking: Caller) -> list[str]:
    """Every answer good, every balance as it must be, no gap, no dead letter, every voucher used once; and verify."""
    wrong = [*tills.wrong[:3]]
    for place in tills.places:
        status, answer = await looking.get(_LOOK.format(place.number))
        balances = {each["programme"]: each["balance"] for each in orjson.loads(answer).get("balances", ())}
        if (found := balances.get(PROGRAMME)) != tills.wanted[place.number]:
            wrong.append(f"{place.number} has {found} points instead of {tills.wanted[place.number]} ({status})")
    services = ["points", "voucher"] if tills.with_vouchers else ["points"]
    buried = [await arena.database_of(service)["dead_letters"].count_documents({}) for service in services]
    if any(buried):
        wrong.append(f"{sum(buried)} dead letters")
    changes = await read_changes(arena)
    wrong.extend(f"a gap in the change stream: {gap}" for gap in changes.gaps[:3])
    if tills.with_vouchers:
        for state in ("redeemed", "issued"):  # Each transaction redeemed one and bought one; none is left otherwise.
            count = await arena.database_of("voucher")["snapshots"].count_documents({"state.state": state})
            if count != tills.sent:
                wrong.append(f"{count} vouchers of {tills.sent} are {state}")
    said = [await verify(arena, service) for service in services]
    return [*wrong[:10], *(each for each in said if each is not None)]

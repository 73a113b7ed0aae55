"""A mixed load: of ten commands five load, one redeems, two place orders, two say that such an order was delivered."""

from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Any

from schemas.envelope import Envelope
from shared.hashing import request_hash
from shared.ids import account_id, derived_id

PROGRAMME = "LOY22-BuyVouchers"
_KINDS = ("load", "load", "place", "load", "fulfil", "load", "redeem", "place", "load", "fulfil")


def commands(number_of: int, accounts: int, weights: list[float], random: Random) -> Iterator[tuple[Envelope, Any]]:
    """The commands, in the order in which they are to be decided per account; each is accepted."""
    population = range(accounts)
    balances = [0] * accounts
    placed: deque[tuple[int, str]] = deque()
    for number in range(number_of):
        kind = _KINDS[number % len(_KINDS)]
        account = random.choices(population, cum_weights=weights)[0]
        order = f"W-{number:09d}"
        if kind == "fulfil":
            account, order = placed.popleft()
        if kind == "redeem" and not balances[account]:
            kind = "load"
        body: dict[str, Any] = {"accountNumber": f"6299{account:015d}"}
        match kind:
            case "place":
                placed.append((account, order))
                lines = [
                    {"line": str(at), "quantity": 1, "netAmount": random.randint(100, 9_999) / 100} for at in (1, 2)
                ]
                body |= {"order": order, "currency": "EUR", "placedAt": "2026-11-22T10:00:00Z", "lines": lines}
                yield _envelope("points.place_order.v1", body, random), body
            case "fulfil":
                body |= {"order": order, "fact": "F-1", "lines": [{"line": "1", "quantity": 1}]}
                yield _envelope("points.fulfil_order.v1", body, random), body
            case _:
                amount = random.randint(100, 999) if kind == "load" else random.randint(1, balances[account])
                balances[account] += amount if kind == "load" else -amount
                part = {"loyaltyPointDefinitionId": PROGRAMME}
                name = "loads" if kind == "load" else "redemptions"
                body["loyaltyPrograms"] = [{**part, name: [{"value": amount}]}]
                body["context"] = {"receiptNr": f"R-{number:09d}", "shopId": "Webshop", "posId": "T-01"}
                yield _envelope("points.post_transaction.v1", body, random), body


def _envelope(type_: str, body: dict[str, Any], random: Random) -> Envelope:
    """The headers that a reaction gives its commands."""
    command_id = derived_id("bench", type_, random.getrandbits(62))
    return Envelope(
        id=command_id,
        type=type_,
        source="/points/reactions",
        subject=account_id("default", body["accountNumber"]),
        store="default",
        correlation_id=command_id,
        causation_id=command_id,
        request_hash=request_hash(b"bench", command_id),
    )

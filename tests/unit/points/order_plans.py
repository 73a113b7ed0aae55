"""Orders and facts that agree with each other, drawn by chance: told in any order of arrival they come to the same."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from schemas.orders import CancelOrder, FulfilOrder, PlaceOrder, ReturnOrder
from tests.unit.points.world import NUMBER, T0

Quantities = dict[str, Decimal]
Told = PlaceOrder | FulfilOrder | CancelOrder | ReturnOrder


@dataclass
class Plan:
    """An order, its amendment if there is one, and facts that agree with both.

    It is `settled` when they leave nothing open, and `returned` when all that was fulfilled came back.
    """

    told: list[Told]
    settled: bool
    returned: bool


def plan(random: Random) -> Plan:
    """Draw an order of 1 to 4 lines and cut it into facts, all by amounts, or by lines, which may earn nothing.

    The last of them may be about all that is left; an amendment changes quantities, or prices up and down.
    """
    pick = random.choice
    nets = {str(index): Decimal(random.randrange(1, 4000)) / 100 for index in range(pick([1, 2, 3, 4]))}
    quantities = {name: Decimal(pick([1, 2, 3, 7])) for name in nets}
    by_lines = pick([True, False])
    idle = pick([(), (), None, {name for name in nets if pick([True, False])}]) if by_lines else ()
    settled, returned, amended = pick([True, False]), pick([True, False]), pick(["", "", "up", "down", "price"])
    settled = settled and amended != "up"
    pieces = _lines_cut(random, quantities) if by_lines else _amount_cut(random, sum(nets.values(), Decimal(0)))
    if (not settled or amended == "down") and len(pieces) > 1:
        pieces.pop()
        settled = False
    facts: list[Told] = []
    for index, piece in enumerate(pieces):
        what = pick([FulfilOrder, CancelOrder] if index else [FulfilOrder, FulfilOrder, FulfilOrder, CancelOrder])
        last = drawn_fact(what, f"f{index}", piece)
        facts.append(last)
        if what is FulfilOrder and (returned or pick([True, False])):
            facts.append(drawn_fact(ReturnOrder, f"r{index}", piece))
    told: list[Told] = [drawn_order(1, nets, quantities, idle)]
    if amended == "up":
        told.append(drawn_order(2, {**nets, "new": Decimal("9.99")}, {**quantities, "new": Decimal(1)}, idle))
    elif amended == "down" and by_lines:
        gone: Quantities = {}
        for piece in pieces:
            for name, part in piece.items():
                gone[name] = gone.get(name, Decimal(0)) + part
        kept = {name: nets[name] * part / quantities[name] for name, part in gone.items()}
        if all(net * 100 % 1 == 0 for net in kept.values()):
            told.append(drawn_order(2, kept, gone, idle))
            settled = True
    elif amended == "down":
        told.append(drawn_order(2, {"0": sum((piece[""] for piece in pieces), Decimal(0))}, {"0": Decimal(1)}))
        settled = True
    elif amended == "price" and by_lines:
        told.append(drawn_order(2, {name: Decimal(random.randrange(1, 4000)) / 100 for name in nets}, quantities, idle))
    if pick([True, False]):
        facts = [*facts[: facts.index(last)], *_rest_of(random, returned)]
        settled = True
    again = [pick(facts)] if pick([True, False]) else []
    return Plan([*told, *facts, *again], settled, returned)


def _rest_of(random: Random, returned: bool) -> list[Told]:
    """Facts about all that is left, instead of the last piece: fulfilled, cancelled, or told to be both."""
    whats: list[type[Any]] = random.choice([[FulfilOrder], [CancelOrder], [FulfilOrder, CancelOrder]])
    if FulfilOrder in whats and (returned or random.choice([True, False])):
        whats.append(ReturnOrder)
    return [drawn_fact(what, f"rest{index}", {}) for index, what in enumerate(whats)]


def _lines_cut(random: Random, quantities: Quantities) -> list[Quantities]:
    """Every line's quantity in one to three parts, and facts of one to all lines."""
    pieces: list[Quantities] = [{} for _ in range(random.choice([1, 2, 2, 3]))]
    for name, quantity in quantities.items():
        parts = random.choice([1, 2]) if len(pieces) > 1 else 1
        for piece in random.sample(pieces, parts):
            piece[name] = quantity / parts
    return [piece for piece in pieces if piece]


def _amount_cut(random: Random, worth: Decimal) -> list[Quantities]:
    """The whole in one to three amounts of whole cents; the name of no line."""
    cents = int(worth * 100)
    cuts = sorted({random.randrange(cents) for _ in range(random.choice([0, 1, 2, 2]))} - {0})
    return [{"": Decimal(end - start) / 100} for start, end in zip([0, *cuts], [*cuts, cents], strict=True)]


def drawn_order(
    revision: int, nets: Quantities, quantities: Quantities, idle: Collection[str] | None = ()
) -> PlaceOrder:
    """The order; `idle` lines earn nothing, and None: no line does, since points paid for all of them."""
    lines: list[dict[str, Any]] = [{"line": name, "netAmount": net} for name, net in nets.items()]
    for line in lines:
        line |= {"quantity": quantities[line["line"]], "earns": line["line"] not in (idle or ())}
    body = {"order": "W-1", "accountNumber": NUMBER, "revision": revision, "currency": "EUR", "lines": lines}
    if idle is None:
        body["payments"] = [{"kind": "points", "amount": sum(nets.values())}]
    return PlaceOrder.model_validate({**body, "placedAt": T0.isoformat()})


def drawn_fact(what: type[Any], name: str, piece: Quantities) -> Told:
    body: dict[str, Any] = {"order": "W-1", "accountNumber": NUMBER, "fact": name}
    if "" in piece:
        body["amount"] = piece[""]
    elif piece:
        body["lines"] = [{"line": line, "quantity": part} for line, part in piece.items()]
    told: Told = what.model_validate(body)
    return told

"""What was undone of a transaction: a small stream of its own, begun when it is first reversed (rules 4.1.13)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from pydantic import TypeAdapter

from schemas.reversals import ReversalEvent, ReversalHeld, ReversalReleased, Reversed
from schemas.text import STORED
from shared.decider import Document

_HELD: TypeAdapter[ReversalHeld] = TypeAdapter(ReversalHeld)


class Reversals(NamedTuple):
    """By operation of the transaction `id`, the amount undone so far, in the programme's smallest unit.

    `vouchers` has the operations whose vouchers are dealt with, each with the id of the reversal that did it; `cards`
    those whose gift cards got their money back. `held` is the reversal that waits for other services, if any.
    """

    id: str
    undone: Mapping[int, int] = MappingProxyType({})
    vouchers: Mapping[int, str] = MappingProxyType({})
    held: ReversalHeld | None = None
    cards: Mapping[int, str] = MappingProxyType({})


def evolve_reversals(reversals: Reversals, event: ReversalEvent) -> Reversals:
    """After one more reversal, or one that waits, or is refused after all."""
    match event:
        case ReversalHeld():
            return reversals._replace(held=event)
        case ReversalReleased():
            return reversals._replace(held=None)
        case Reversed():
            undone = dict(reversals.undone)
            for each in event.operations:
                undone[each.operation] = undone.get(each.operation, 0) + each.amount
            vouchers = dict(reversals.vouchers)
            vouchers.update({each.operation: event.reversal_id for each in (*event.restored, *event.voided)})
            cards = {**reversals.cards, **{each.operation: event.reversal_id for each in event.cards or ()}}
            return Reversals(reversals.id, undone, vouchers, cards=cards)


def dump_reversals(reversals: Reversals) -> Document:
    """A BSON-ready document."""
    document: Document = {"undone": [[operation, amount] for operation, amount in reversals.undone.items()]}
    if reversals.vouchers:
        document["vouchers"] = [[operation, by] for operation, by in reversals.vouchers.items()]
    if reversals.cards:
        document["cards"] = [[operation, by] for operation, by in reversals.cards.items()]
    if reversals.held is not None:
        document["held"] = reversals.held.model_dump_json(by_alias=True, exclude_none=True)
    return document


def load_reversals(name: str, document: Document) -> Reversals:
    """What `dump_reversals` gave."""
    text = document.get("held")
    held = None if text is None else _HELD.validate_json(text, context=STORED)
    vouchers, cards = (dict(document.get(kind, ())) for kind in ("vouchers", "cards"))
    return Reversals(name, dict(document["undone"]), vouchers, held, cards)

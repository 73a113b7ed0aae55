"""What was undone of a transaction: a small stream of its own, begun when it is first reversed (RULES 4.1.13)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from schemas.points import Reversed


class Reversals(NamedTuple):
    """By operation of the transaction `id`, the amount undone so far, in the programme's smallest unit."""

    id: str
    undone: Mapping[int, int] = MappingProxyType({})


def evolve_reversals(reversals: Reversals, event: Reversed) -> Reversals:
    """After one more reversal."""
    undone = dict(reversals.undone)
    for each in event.operations:
        undone[each.operation] = undone.get(each.operation, 0) + each.amount
    return Reversals(reversals.id, undone)

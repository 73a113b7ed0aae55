"""The parts of events that every booking makes anew: where it comes from, and what it did to which lot."""

from typing import Any, TypeVar, get_args

from schemas.base import Published
from schemas.movements import LotPart, Movement, Source
from schemas.transaction import Context
from services.points.state import Lot

NO_SOURCE = Source()

_Model = TypeVar("_Model", bound=Published)
_GIVEN: dict[type[Published], set[str]] = {
    model: set(model.model_fields) for model in (*get_args(Movement), Source, LotPart)
}


def source_of(context: Context) -> Source:
    """Where a command's operations come from, in the words of its context."""
    if not context.model_fields_set:
        return NO_SOURCE
    return trusted(
        Source,
        {
            "order": None,
            "receipt": context.receipt_nr,
            "shop": context.shop_id,
            "till": context.pos_id,
            "operator": context.operator_id,
        },
    )


def part_of(lot: Lot, amount: int) -> LotPart:
    """`amount` of a lot, as an event says it."""
    return trusted(
        LotPart,
        {
            "lot": lot.id,
            "amount": amount,
            "active_from": lot.active_from,
            "expires_at": lot.expires_at,
            "restriction": lot.restriction,
            "campaign": lot.campaign,
        },
    )


def trusted(model: type[_Model], fields: dict[str, Any]) -> _Model:
    """A wire value made of fields that this package computed itself, all of them given.

    Validating what we have just computed costs more than deciding it, and pydantic's own `model_construct` as much;
    a test holds that these values equal validated ones.
    """
    made = model.__new__(model)
    put = object.__setattr__
    put(made, "__dict__", fields)
    put(made, "__pydantic_fields_set__", _GIVEN[model])
    put(made, "__pydantic_extra__", None)
    put(made, "__pydantic_private__", None)
    return made

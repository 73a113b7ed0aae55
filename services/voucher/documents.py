"""States as documents: how the snapshots keep them, with their datetimes."""

from functools import lru_cache
from typing import assert_never

from schemas.text import STORED
from schemas.vouchers import VoucherDefinition, VoucherIssued, VoucherState
from services.voucher.events import dump_event, load_event
from services.voucher.state import DecisionEvent, Definition, Pivot, State, Voucher, aggregate_of, initial
from shared.clock import as_utc
from shared.decider import Document
from shared.shapes import Shape, unchanged


def _counts(voucher: Document) -> Document:
    """Of vouchers from before their steps were counted, so many as their state takes at least."""
    if "state" in voucher and "issued" in voucher:
        least = 1 if voucher["state"] == VoucherState.ISSUED else 2
        voucher.setdefault("sequence", 0 if voucher["issued"] is None else least)
    return voucher


SHAPES = {
    Definition: Shape("voucher.definition", unchanged),
    Voucher: Shape("voucher.voucher", unchanged, unchanged, _counts, unchanged),
    Pivot: Shape("voucher.decision", unchanged, unchanged),
}
"""By the type of the state; a step that is added upgrades what is stored already."""


def dump_state(state: State) -> Document:
    """A BSON-ready document; that of a voucher says in `due_at` when it expires, as long as it can."""
    return SHAPES[type(state)].stamp(_dumped(state))


def _dumped(state: State) -> Document:
    match state:
        case Voucher():
            return {
                "issued": None if state.issued is None else dump_event(state.issued),
                "state": state.state.value,
                "expires_at": state.expires_at,
                "changed_at": state.changed_at,
                "redeemed_in": state.redeemed_in,
                "redeemed_by": state.redeemed_by,
                "sequence": state.sequence,
                "due_at": state.expires_at if state.state is VoucherState.ISSUED else None,
            }
        case Pivot():
            return {"decision": None if state.decision is None else dump_event(state.decision)}
        case Definition():
            text = None if state.definition is None else state.definition.model_dump_json(by_alias=True)
            return {"version": state.version, "definition": text}
        case _:
            assert_never(state)


def load_state(stream: str, document: Document) -> State:
    """The state of `stream` that `dump_state` gave; instants may come back naive or with another UTC."""
    name, empty = aggregate_of(stream), initial(stream)
    document = SHAPES[type(empty)].upgrade(document)
    match empty:
        case Voucher():
            issued = _issued(document["issued"])
            return Voucher(
                name if issued is None else issued.serial_id,
                issued,
                VoucherState(document["state"]),
                as_utc(document["expires_at"]),
                as_utc(document["changed_at"]),
                document["redeemed_in"],
                document["redeemed_by"],
                document["sequence"],
            )
        case Pivot():
            return Pivot(name, _decision(document["decision"]))
        case Definition():
            text = document["definition"]
            return Definition(name, None if text is None else _definition(text), document["version"])
        case _:
            assert_never(empty)


def _issued(document: Document | None) -> VoucherIssued | None:
    if document is None:
        return None
    event = load_event(document)
    if not isinstance(event, VoucherIssued):
        raise TypeError(f"{event.type} issues no voucher")
    return event


def _decision(document: Document | None) -> DecisionEvent | None:
    if document is None:
        return None
    event = load_event(document)
    if not isinstance(event, DecisionEvent):
        raise TypeError(f"{event.type} is no decision")
    return event


@lru_cache(maxsize=1024)
def _definition(text: str) -> VoucherDefinition:
    return VoucherDefinition.model_validate_json(text, context=STORED)

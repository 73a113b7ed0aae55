"""States as documents: how the snapshots keep them, with their datetimes."""

from datetime import timedelta
from functools import lru_cache
from typing import assert_never

from schemas.giftcard_batches import BatchState
from schemas.giftcard_saga import PaymentCancelled, PaymentHeld, PaymentRefused
from schemas.giftcards import CardStatus, CardType, CodeSource
from schemas.text import STORED
from services.giftcard.events import dump_event, load_event
from services.giftcard.state import (
    AwaitedCancel,
    Batch,
    Card,
    CardHold,
    DeclaredType,
    Mutation,
    Payment,
    SerialNumber,
    State,
    aggregate_of,
    initial,
)
from shared.clock import as_utc
from shared.decider import Document
from shared.shapes import Shape

Decided = PaymentHeld | PaymentRefused | PaymentCancelled


def _without_holds(card: Document) -> Document:
    """Of cards from before they paid in transactions."""
    if "latest" in card:
        card.setdefault("holds", [])
        if card["latest"] is not None:
            card["latest"].setdefault("operation", None)
    return card


FILLING_LATE = timedelta(minutes=1)
"""A batch that is not full and did not move for so long is woken by the sweep."""


def _without_batch(document: Document) -> Document:
    document["batch"] = None
    return document


SHAPES = {
    DeclaredType: Shape("giftcard.type"),
    SerialNumber: Shape("giftcard.serial"),
    Card: Shape("giftcard.card", _without_batch, _without_holds),
    Payment: Shape("giftcard.payment"),
    Batch: Shape("giftcard.batch"),
}
"""By the type of the state; a step that is added upgrades what is stored already."""


def dump_state(state: State) -> Document:
    """A BSON-ready document; `due_at` is when a card expires, if it can and nothing is held, or a batch is late."""
    return SHAPES[type(state)].stamp(_dumped(state))


def _dumped(state: State) -> Document:
    match state:
        case Card():
            usable = state.status in (CardStatus.ACTIVE, CardStatus.REDEEMED)
            return {
                "status": None if state.status is None else state.status.value,
                "serial_number": state.serial_number,
                "rules": _type_text(state.rules),
                "balance": state.balance,
                "expires_at": state.expires_at,
                "code": None if state.code is None else state.code.model_dump(),
                "batch": state.batch,
                "sequence": state.sequence,
                "changed_at": state.changed_at,
                "latest": None if state.latest is None else _dump_mutation(state.latest),
                "awaited": [each._asdict() for each in state.awaited],
                "holds": [each._asdict() for each in state.holds],
                "due_at": state.expires_at if usable and not state.holds else None,
            }
        case Payment():
            decided = None if state.decided is None else dump_event(state.decided)
            return {"decided": decided, "executed": state.executed}
        case SerialNumber():
            return {"card_id": state.card_id}
        case DeclaredType():
            return {"version": state.version, "card_type": _type_text(state.card_type)}
        case Batch():
            return _dump_batch(state)
        case _:
            assert_never(state)


def load_state(stream: str, document: Document) -> State:
    """The state of `stream` that `dump_state` gave; instants may come back naive or with another UTC."""
    name, empty = aggregate_of(stream), initial(stream)
    document = SHAPES[type(empty)].upgrade(document)
    match empty:
        case Card():
            return _load_card(name, document)
        case Payment():
            return Payment(name, _decided(document["decided"]), document["executed"])
        case SerialNumber():
            return SerialNumber(name, document["card_id"])
        case DeclaredType():
            return DeclaredType(name, _card_type(document["card_type"]), document["version"])
        case Batch():
            return _load_batch(name, document)
        case _:
            assert_never(empty)


def _load_card(card_id: str, document: Document) -> Card:
    status, latest = document["status"], document["latest"]
    return Card(
        card_id=card_id,
        status=None if status is None else CardStatus(status),
        serial_number=document["serial_number"],
        rules=_card_type(document["rules"]),
        balance=document["balance"],
        expires_at=as_utc(document["expires_at"]),
        code=None if document["code"] is None else CodeSource(**document["code"]),
        batch=document["batch"],
        sequence=document["sequence"],
        changed_at=as_utc(document["changed_at"]),
        latest=None if latest is None else _load_mutation(latest),
        awaited=tuple([_load_awaited(each) for each in document["awaited"]]),
        holds=tuple([CardHold(**each) for each in document["holds"]]),
    )


def _decided(document: Document | None) -> Decided | None:
    if document is None:
        return None
    event = load_event(document)
    if not isinstance(event, Decided):
        raise TypeError(f"{event.type} decides nothing")
    return event


def _dump_batch(batch: Batch) -> Document:
    stored = {**batch._asdict(), "rules": _type_text(batch.rules)}
    del stored["batch_id"]
    filling = batch.state is BatchState.FILLING
    return {**stored, "due_at": batch.changed_at + FILLING_LATE if filling and batch.changed_at else None}


def _load_batch(batch_id: str, document: Document) -> Batch:
    names = ("wanted", "key", "seed", "created", "position", "export_id", "confirmed")
    return Batch(
        batch_id,
        rules=_card_type(document["rules"]),
        opened_at=as_utc(document["opened_at"]),
        changed_at=as_utc(document["changed_at"]),
        **{name: document[name] for name in names},
    )


def _dump_mutation(mutation: Mutation) -> Document:
    before = mutation.status_before
    return {**mutation._asdict(), "status_before": None if before is None else before.value}


def _load_mutation(document: Document) -> Mutation:
    before = document["status_before"]
    read = {
        "status_before": None if before is None else CardStatus(before),
        "expires_before": as_utc(document["expires_before"]),
    }
    return Mutation(**{**document, **read})


def _load_awaited(document: Document) -> AwaitedCancel:
    at = as_utc(document["at"])
    if at is None:
        raise ValueError("an awaited cancel without an instant")
    return AwaitedCancel(document["transaction_id"], at)


def _type_text(card_type: CardType | None) -> str | None:
    return None if card_type is None else card_type.model_dump_json(by_alias=True)


@lru_cache(maxsize=1024)
def _card_type(text: str | None) -> CardType | None:
    return None if text is None else CardType.model_validate_json(text, context=STORED)

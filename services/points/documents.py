"""States and events as documents: how the journal and the snapshots keep them.

Events are stored as the wire shows them, members that are null left out; states with their datetimes. Rebuilding
and checking read events back through pydantic; the daily path writes them by hand, and a test holds both equal.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, assert_never

from pydantic import TypeAdapter

from schemas.base import format_instant
from schemas.points import (
    AccountOpened,
    Activated,
    Adjusted,
    Expired,
    Loaded,
    LotPart,
    Movement,
    PointsEvent,
    ProgrammeApplied,
    Redeemed,
    Scheduled,
    Source,
)
from schemas.programme import Programme
from services.points.due import due_at
from services.points.state import Account, Balance, Event, Lot, ProgrammeRules, State, aggregate_of, initial
from shared.decider import Document

_EVENTS: TypeAdapter[Event] = TypeAdapter(PointsEvent)


# ── states ────────────────────────────────────────────────────────────────────────────────────────────────────────


def dump_state(state: State) -> Document:
    """A BSON-ready document; an account's says in `due_at` from when there is something to book."""
    if isinstance(state, ProgrammeRules):
        programme = state.programme
        return {
            "version": state.version,
            "programme": None if programme is None else programme.model_dump_json(by_alias=True),
        }
    return {
        "number": state.account_number,
        "sequence": state.sequence,
        "booked_at": state.booked_at,
        "due_at": due_at(state),
        "balances": [_dump_balance(balance) for balance in state.balances.values()],
    }


def load_state(stream: str, document: Document) -> State:
    """The state of `stream` that `dump_state` gave; instants may come back naive or with another UTC."""
    text = document.get("programme")
    if text is not None:
        return _rules(text, document["version"])
    if "balances" not in document:
        return initial(stream)
    return Account(
        aggregate_of(stream),
        document["number"],
        document["sequence"],
        _utc(document["booked_at"]),
        {each["programme"]: _load_balance(each) for each in document["balances"]},
    )


@lru_cache(maxsize=1024)
def _rules(text: str, version: int) -> ProgrammeRules:
    return ProgrammeRules.of(Programme.model_validate_json(text), version)


def _dump_balance(balance: Balance) -> Document:
    return {
        "programme": balance.programme,
        "version": balance.programme_version,
        "scale": balance.scale,
        "booked": balance.booked,
        "earned": balance.earned,
        "redeemed": balance.redeemed,
        "expired": balance.expired,
        "up": balance.adjusted_up,
        "down": balance.adjusted_down,
        "next_lot": balance.next_lot,
        "lots": [_dump_lot(lot) for lot in balance.lots],
        "scheduled": [_dump_lot(lot) for lot in balance.scheduled],
        "account_expires_at": balance.account_expires_at,
    }


def _load_balance(document: Document) -> Balance:
    return Balance(
        document["programme"],
        document["version"],
        document["scale"],
        document["booked"],
        document["earned"],
        document["redeemed"],
        document["expired"],
        document["up"],
        document["down"],
        document["next_lot"],
        tuple([_load_lot(lot) for lot in document["lots"]]),
        tuple([_load_lot(lot) for lot in document["scheduled"]]),
        _utc(document["account_expires_at"]),
    )


def _dump_lot(lot: Lot) -> list[Any]:
    """`[id, amount, expires_at]`, and for the few that need it `active_from, restriction, campaign`."""
    if lot.active_from is None and lot.restriction is None and lot.campaign is None:
        return [lot.id, lot.amount, lot.expires_at]
    return [lot.id, lot.amount, lot.expires_at, lot.active_from, lot.restriction, lot.campaign]


def _load_lot(stored: list[Any]) -> Lot:
    if len(stored) == 3:
        lot_id, amount, expires_at = stored
        return Lot(lot_id, amount, _utc(expires_at))
    lot_id, amount, expires_at, active_from, restriction, campaign = stored
    return Lot(lot_id, amount, _utc(expires_at), _utc(active_from), restriction, campaign)


def _utc(stored: datetime | None) -> datetime | None:
    return stored if stored is None or stored.tzinfo is UTC else stored.replace(tzinfo=UTC)


# ── events ────────────────────────────────────────────────────────────────────────────────────────────────────────


def dump_event(event: Event) -> Document:
    """The event in JSON's types, with the wire's names; what is null is left out."""
    match event:
        case Loaded() | Redeemed() | Expired() | Adjusted() | Activated():
            return _dump_movement(event)
        case AccountOpened() | ProgrammeApplied() | Scheduled():
            return event.model_dump(mode="json", by_alias=True, exclude_none=True)
        case _:
            assert_never(event)


def load_event(document: Document) -> Event:
    """The event that `dump_event` gave.

    :raises pydantic.ValidationError: when the document is no event of this service.
    """
    return _EVENTS.validate_python(document)


def _dump_movement(event: Movement) -> Document:
    booked_at = format_instant(event.booked_at)
    document: Document = {
        "type": event.type,
        "kind": event.kind,
        "account": event.account,
        "accountNumber": event.account_number,
        "programme": event.programme,
        "programmeVersion": event.programme_version,
        "scale": event.scale,
        "transactionId": event.transaction_id,
        "operation": event.operation,
        "source": _dump_source(event.source),
        "occurredAt": booked_at if event.occurred_at is event.booked_at else format_instant(event.occurred_at),
        "bookedAt": booked_at,
        "lots": [_dump_part(part) for part in event.lots],
        "sequence": event.sequence,
        "delta": event.delta,
        "pendingDelta": event.pending_delta,
        "booked": event.booked,
        "pending": event.pending,
    }
    if event.reason is not None:
        document["reason"] = event.reason
    if event.account_expires_at is not None:
        document["accountExpiresAt"] = format_instant(event.account_expires_at)
    return document


def _dump_source(source: Source) -> Document:
    return {name: value for name, value in source.__dict__.items() if value is not None}


def _dump_part(part: LotPart) -> Document:
    document: Document = {"lot": part.lot, "amount": part.amount}
    if part.active_from is not None:
        document["activeFrom"] = format_instant(part.active_from)
    if part.expires_at is not None:
        document["expiresAt"] = format_instant(part.expires_at)
    if part.restriction is not None:
        document["restriction"] = part.restriction
    if part.campaign is not None:
        document["campaign"] = part.campaign
    return document

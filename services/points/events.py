"""Events as documents: how the journal keeps them, as the wire shows them, members that are null left out.

Movements, which are nearly all of what a journal holds, are written and read by hand, which takes a fraction of what
pydantic takes; a test holds both equal. What is not as it should be is left to pydantic to refuse.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import get_args

from pydantic import TypeAdapter

from schemas.base import format_instant
from schemas.movements import LotPart, Moved, Movement, Source
from schemas.points import PointsEvent
from schemas.text import STORED
from services.points.parts import NO_SOURCE, trusted
from services.points.state import Event
from shared.decider import Document

_EVENTS: TypeAdapter[Event] = TypeAdapter(PointsEvent)
_MOVEMENTS: Mapping[str, tuple[type[Movement], str]] = {
    model.model_fields["type"].default: (model, model.model_fields["kind"].default) for model in get_args(Movement)
}
"""By type: the model, and the kind that goes with it."""
_NUMBERS = itemgetter(
    "programmeVersion", "scale", "operation", "sequence", "delta", "pendingDelta", "booked", "pending"
)
_TEXTS = itemgetter("account", "accountNumber", "programme", "transactionId", "occurredAt", "bookedAt")
_SOURCE = ("order", "receipt", "shop", "till", "operator")
_INTS, _STRS = {int}, {str}


def dump_event(event: Event) -> Document:
    """The event in JSON's types, with the wire's names; what is null is left out."""
    if isinstance(event, Moved):
        return _dump_movement(event)
    return event.model_dump(mode="json", by_alias=True, exclude_none=True)


def load_event(document: Document) -> Event:
    """The event that `dump_event` gave.

    :raises pydantic.ValidationError: when the document is no event of this service.
    """
    known = _MOVEMENTS.get(document.get("type", ""))
    if known is not None:
        try:
            return _load_movement(*known, document)
        except (KeyError, TypeError, ValueError, AttributeError):
            pass
    return _EVENTS.validate_python(document, context=STORED)


def _load_movement(model: type[Movement], kind: str, document: Document) -> Movement:
    """A movement exactly as it is dumped.

    :raises TypeError: a member has another type, Int64 and the like included.
    """
    numbers, texts, get = _NUMBERS(document), _TEXTS(document), document.get
    closing, notice_days, debt_delta, reason, unit = (
        get("accountExpiresAt"),
        get("noticeDays"),
        get("debtDelta"),
        get("reason"),
        get("unit"),
    )
    if (
        set(map(type, numbers)) != _INTS
        or set(map(type, texts)) != _STRS
        or document["kind"] != kind
        or (notice_days is not None and type(notice_days) is not int)
        or (debt_delta is not None and type(debt_delta) is not int)
        or (reason is not None and type(reason) is not str)
        or (unit is not None and type(unit) is not str)
    ):
        raise TypeError("not a movement as it is dumped")
    version, scale, operation, sequence, delta, pending_delta, booked, pending = numbers
    account, account_number, programme, transaction_id, occurred_at, booked_at = texts
    return trusted(
        model,
        {
            "account": account,
            "account_number": account_number,
            "programme": programme,
            "programme_version": version,
            "scale": scale,
            "unit": unit,
            "transaction_id": transaction_id,
            "operation": operation,
            "source": _load_source(document["source"]),
            "reason": reason,
            "occurred_at": _instant(occurred_at),
            "booked_at": _instant(booked_at),
            "lots": tuple(map(_load_part, document["lots"])),
            "account_expires_at": None if closing is None else _instant(closing),
            "notice_days": notice_days,
            "sequence": sequence,
            "delta": delta,
            "pending_delta": pending_delta,
            "booked": booked,
            "pending": pending,
            "debt_delta": debt_delta,
            "type": document["type"],
            "kind": kind,
        },
    )


def _load_source(document: Document) -> Source:
    if not document:
        return NO_SOURCE
    if set(map(type, document.values())) != _STRS:
        raise TypeError("a source of another type")
    return trusted(Source, {name: document.get(name) for name in _SOURCE})


def _load_part(document: Document) -> LotPart:
    lot, amount, get = document["lot"], document["amount"], document.get
    if type(lot) is not int or type(amount) is not int:
        raise TypeError("a part of another type")
    active_from = expires_at = restriction = campaign = None
    if len(document) > 2:
        active_from, expires_at, restriction, campaign = (
            get("activeFrom"),
            get("expiresAt"),
            get("restriction"),
            get("campaign"),
        )
        if (restriction or campaign) and {type(restriction or ""), type(campaign or "")} != _STRS:
            raise TypeError("a part of another type")
    return trusted(
        LotPart,
        {
            "lot": lot,
            "amount": amount,
            "active_from": None if active_from is None else _instant(active_from),
            "expires_at": None if expires_at is None else _instant(expires_at),
            "restriction": restriction,
            "campaign": campaign,
        },
    )


@lru_cache(maxsize=65_536)
def _instant(text: str) -> datetime:
    """The instant that `format_instant` wrote.

    :raises ValueError: when it is none, or not written like that.
    """
    value = datetime.fromisoformat(text)
    if format_instant(value) != text:
        raise ValueError("not as it is written here")
    return value


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
    if event.unit is not None:
        document["unit"] = event.unit
    if event.reason is not None:
        document["reason"] = event.reason
    if event.account_expires_at is not None:
        document["accountExpiresAt"] = format_instant(event.account_expires_at)
    if event.notice_days is not None:
        document["noticeDays"] = event.notice_days
    if event.debt_delta is not None:
        document["debtDelta"] = event.debt_delta
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

"""A transaction that is held: a small stream of its own, until the voucher service has decided (rules 4.2.2)."""

from datetime import datetime
from typing import NamedTuple

from pydantic import TypeAdapter

from schemas.holds import CancelRequested, HoldEvent, TransactionClosed, TransactionHeld
from schemas.text import STORED
from shared.clock import as_utc
from shared.decider import Document

_HELD: TypeAdapter[TransactionHeld] = TypeAdapter(TransactionHeld)


class Hold(NamedTuple):
    """The transaction `id`: what it comes to when it is executed, and how it ended.

    `held` is None before it is held; `decision` as long as it is open. `due_at` is when to ask for its cancellation.
    """

    id: str
    held: TransactionHeld | None = None
    decision: str | None = None
    due_at: datetime | None = None


def evolve_hold(hold: Hold, event: HoldEvent) -> Hold:
    """The transaction after `event`."""
    match event:
        case TransactionHeld():
            return Hold(hold.id, event, None, event.deadline)
        case CancelRequested():
            return hold._replace(due_at=event.again_at)
        case TransactionClosed():
            return Hold(hold.id, hold.held, event.decision)


def dump_hold(hold: Hold) -> Document:
    """A BSON-ready document; the account stands apart for the sweep, which looks at nothing else."""
    return {
        "held": None if hold.held is None else hold.held.model_dump_json(by_alias=True, exclude_none=True),
        "account": None if hold.held is None else hold.held.account,
        "decision": hold.decision,
        "due_at": hold.due_at,
    }


def load_hold(name: str, document: Document) -> Hold:
    """The transaction that `dump_hold` gave; instants may come back naive or with another UTC."""
    text = document["held"]
    held = None if text is None else _HELD.validate_json(text, context=STORED)
    return Hold(name, held, document["decision"], as_utc(document["due_at"]))

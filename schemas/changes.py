"""The public stream of balance changes (`points.changes`): one record for each movement of a balance."""

from typing import Annotated, Any, get_args

from pydantic import Field

from schemas.base import Instant, Published
from schemas.movements import Movement, Source, Unit

CHANGED = "points.changed.v1"
KINDS = [movement.model_fields["kind"].default for movement in get_args(Movement)]

OpenKind = Annotated[str, Field(json_schema_extra={"examples": KINDS, "x-extensible-enum": KINDS})]
"""A kind of movement. Later versions add kinds: a reader goes by the amounts where it does not know one."""


_SOURCE = ("order", "receipt", "shop", "till", "operator")


def cause_of(event: dict[str, Any]) -> dict[str, Any]:
    """What every change ends with, of points and of vouchers: its operation, where that came from, why and when."""
    return {
        "transactionId": event["transactionId"],
        "operation": event["operation"],
        "source": source_of(event),
        "reason": event.get("reason"),
        "occurredAt": event["occurredAt"],
        "bookedAt": event["bookedAt"],
    }


def source_of(event: dict[str, Any]) -> dict[str, Any]:
    """Where a stored event comes from, with every member: those that it does not have are null."""
    given = event["source"].get
    return {name: given(name) for name in _SOURCE}


class PointsChanged(Published):
    """`points.changed.v1` on `points.changes`: one balance movement, in order of `sequence` per account.

    A public contract: fields are added, never renamed; kinds are an open list. All fields are there, but the `unit` of
    what was booked before it was recorded: that is the programme's, which never changes.
    """

    account: str
    account_number: str
    programme: str
    programme_version: int
    sequence: int
    kind: OpenKind
    delta: int
    pending_delta: int
    scale: int
    unit: Unit | None = None
    booked: int
    pending: int
    transaction_id: str
    operation: int
    source: Source
    reason: str | None
    occurred_at: Instant
    booked_at: Instant


def example() -> dict[str, Any]:
    """A load of ten points, for the generated documents."""
    return {
        "account": "0b1f3c5e-7c00-5000-8000-00000000000a",
        "accountNumber": "6299000000000000017",
        "programme": "LOY22-BuyVouchers",
        "programmeVersion": 1,
        "sequence": 42,
        "kind": "load",
        "delta": 1000,
        "pendingDelta": 0,
        "scale": 0,
        "unit": "points",
        "booked": 5200,
        "pending": 0,
        "transactionId": "0199d2a5-7c00-7000-8000-000000000001",
        "operation": 0,
        "source": {"order": None, "receipt": "R-1001", "shop": "Webshop", "till": None, "operator": None},
        "reason": None,
        "occurredAt": "2026-11-22T10:00:01.123Z",
        "bookedAt": "2026-11-22T10:00:01.123Z",
    }

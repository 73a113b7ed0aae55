"""From movements on the wire to the documents of statements; what cannot be one is logged, counted and left out.

A document is `{_id, at, change}`: its id is `account#sequence`, `at` the time of booking, and `change` the value as it
was published, so that members which this edge does not know yet are kept.
"""

from dataclasses import dataclass
from typing import Any

import bson
import orjson
import structlog
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from prometheus_client import Counter
from pydantic import TypeAdapter

from schemas.envelope import Envelope, EnvelopeError
from schemas.points import CHANGED, PointsChanged
from services.edge.views.shapes import STATEMENT
from shared.runtime.kafka import ConsumerRecord

log = structlog.get_logger()

CHANGES = Counter("fealty_view_changes_total", "Balance changes read for the statements, by outcome.", ["outcome"])

_CHANGED: TypeAdapter[PointsChanged] = TypeAdapter(PointsChanged)
_WHOLE = ("sequence", "delta", "pendingDelta", "scale", "booked", "pending", "operation")


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of an account, as the document that it becomes."""

    id: str
    document: RawBSONDocument


def of_record(record: ConsumerRecord[bytes, bytes]) -> Movement | None:
    """The movement in a record of the changes topic; None for an unknown type, or the unreadable."""
    try:
        envelope = Envelope.from_headers(record.headers)
        if envelope.type != CHANGED:
            CHANGES.labels("skipped").inc()
            return None
        return _movement(orjson.loads(record.value or b""))
    except (EnvelopeError, ValueError, BSONError, OverflowError) as error:
        CHANGES.labels("unreadable").inc()
        where = f"{record.topic}/{record.partition}/{record.offset}"
        log.error("a balance change could not be read", record=where, error=type(error).__name__)
        return None


def of_value(value: dict[str, Any]) -> Movement | None:
    """The movement that came with a reply; None for changes of vouchers and gift cards."""
    if "serialId" in value or "cardId" in value:
        return None
    try:
        return _movement(value)
    except (ValueError, BSONError, OverflowError) as error:
        CHANGES.labels("unreadable").inc()
        log.error("a balance change in a reply could not be read", error=type(error).__name__)
        return None


def _movement(value: dict[str, Any]) -> Movement:
    """The document of one movement.

    :raises ValueError: when it is none; whole numbers written as texts are none either, although they could be read.
    """
    read = _CHANGED.validate_python(value, by_alias=True, by_name=False)
    if not all(type(value[name]) is int for name in _WHOLE):
        raise ValueError("a movement with a number that is none")
    id_ = f"{read.account}#{read.sequence}"
    return Movement(
        id_, RawBSONDocument(bson.encode(STATEMENT.stamp({"_id": id_, "at": read.booked_at, "change": value})))
    )

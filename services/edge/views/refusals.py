"""From refusal events of the points service to the documents that operators look through."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
import structlog
from prometheus_client import Counter

from schemas.base import format_instant, to_instant
from schemas.envelope import Envelope, EnvelopeError
from schemas.orders import OrderAwardRefused, OrderFactRefused
from schemas.points import REJECTIONS
from services.edge.views import refusal_store as refusals
from services.edge.views.refusal_store import INDEXES, REFUSAL, REFUSALS, Query
from services.edge.views.view import Stored, View
from shared.clock import instant
from shared.decider import Document
from shared.runtime.consumer import Batch
from shared.runtime.kafka import ConsumerRecord

log = structlog.get_logger()

SEEN = Counter("fealty_view_refusals_total", "Refusals read by the edge, by outcome.", ["outcome"])

_LATER: tuple[str, ...] = tuple(each.model_fields["type"].default for each in (OrderFactRefused, OrderAwardRefused))
"""Refusals of a part of what was accepted: an order's fact that waited and cannot have its effect, and an award."""
_TYPES = frozenset(name.encode() for name in (*REJECTIONS.values(), *_LATER))
_SHOWN = ("command", "code", "detail", "pointer", "accountNumber", "order", "shop", "fact", "sender", "input")


class Refusals(View):
    """Refusals as this installation's edges know them."""

    collections = (Stored(REFUSALS, INDEXES),)
    topic = "points.events"

    async def feed(self, batch: Batch) -> None:
        """Store the refusals among a batch of events; the others are skipped, what is unreadable logged and counted."""
        found = [refusal for record in batch.records if (refusal := of_record(record)) is not None]
        async with self._connection.keeping() as database:
            await refusals.store(database, found)
        SEEN.labels("fed").inc(len(found))

    async def page(self, query: Query, number: str | None) -> list[Document]:
        """The refusals of a query, and with a number those of its account alone."""
        async with self._connection.reading() as database:
            if number is not None:
                query = replace(query, accounts=await refusals.accounts_of(database, query.store, number))
            return await refusals.page(database, query)

    async def one(self, store: str, id_: str) -> Document | None:
        """The refusal of this id, if it is of this store."""
        async with self._connection.reading() as database:
            return await refusals.one(database, store, id_)


def of_record(record: ConsumerRecord[bytes, bytes]) -> Document | None:
    """The document of a refusal event; None for other events, and the unreadable."""
    if not any(name == "ce_type" and value in _TYPES for name, value in record.headers):
        return None
    try:
        return _document(record, Envelope.from_headers(record.headers), orjson.loads(record.value or b""))
    except (EnvelopeError, KeyError, TypeError, ValueError) as error:
        SEEN.labels("unreadable").inc()
        where = f"{record.topic}/{record.partition}/{record.offset}"
        log.error("a refusal could not be read", record=where, error=type(error).__name__)
        return None


def _document(record: ConsumerRecord[bytes, bytes], envelope: Envelope, value: dict[str, Any]) -> Document:
    at = instant(record.timestamp) if envelope.time is None else to_instant(datetime.fromisoformat(envelope.time))
    refusal: Document = {
        "id": envelope.id,
        "at": format_instant(at),
        "type": envelope.type,
        **{name: value.get(name) for name in _SHOWN},
        "code": value["code"],
        "transactionId": envelope.causation_id,
        "correlationId": envelope.correlation_id,
    }
    account = value.get("account") or envelope.subject
    document = {"_id": envelope.id, "at": at, "store": envelope.store, "subject": account, "refusal": refusal}
    return REFUSAL.stamp(document)

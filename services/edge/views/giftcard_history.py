"""The history of gift cards: one document a mutation, from `giftcard.changes` and from replies.

A document is `{_id, card, change}`: its id is `store/card#sequence`, `card` is `store/card`, and `change` the value as
it was published, so that members which this edge does not know yet are kept.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import bson
import orjson
import structlog
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pydantic import TypeAdapter
from pymongo import ASCENDING, DESCENDING, IndexModel

from schemas.envelope import Envelope, EnvelopeError
from schemas.giftcards import CHANGED, CardChanged
from services.edge.views.applying import Applier, applied
from services.edge.views.changes import CHANGES, Movement
from services.edge.views.connection import Connection
from services.edge.views.shapes import GIFT_CARD_CHANGE
from services.edge.views.statements import insert, insert_missing
from services.edge.views.view import Stored, View
from shared.clock import monotonic_s
from shared.decider import Document
from shared.runtime.consumer import Batch
from shared.runtime.kafka import ConsumerRecord

GIFT_CARD_HISTORY = "giftcard_history"

WAIT_S = 1.0
_LOOK_S = 0.03

log = structlog.get_logger()

_CHANGED: TypeAdapter[CardChanged] = TypeAdapter(CardChanged)
_SEQUENCE = "change.sequence"
_WHOLE = ("sequence", "delta", "balance", "scale")
INDEXES = (IndexModel([("card", ASCENDING), (_SEQUENCE, DESCENDING)], name="card"),)


class GiftCardHistory(View):
    """Reads give values of `giftcard.changes`."""

    collections = (Stored(GIFT_CARD_HISTORY, INDEXES),)
    topic = "giftcard.changes"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._book = Applier(self.book)

    async def feed(self, batch: Batch) -> None:
        """Insert the mutations of a batch; what is none is skipped, what is unreadable logged and counted."""
        mutations = [each for record in batch.records if (each := of_record(record)) is not None]
        async with self._connection.feeding() as database:
            await insert_missing(database[GIFT_CARD_HISTORY], mutations)
        CHANGES.labels("fed").inc(len(mutations))

    async def apply(self, store: str, values: Sequence[Document]) -> bool:
        """Insert the mutations that came with a reply; True when the next read sees them all."""
        mutations = [each for value in values if (each := of_value(store, value)) is not None]
        return await applied(self._book, mutations, CHANGES)

    async def book(self, mutations: list[Movement]) -> None:
        """Insert mutations so that the next read sees them; the feed brings them again, durably."""
        async with self._connection.applying() as database:
            await insert(database[GIFT_CARD_HISTORY], mutations)

    async def page(self, store: str, card_id: str, up_to: int, limit: int) -> list[Document] | None:
        """The mutations of a card up to a sequence number, newest first, without a gap.

        Cards and their mutations come by two topics: what is not there yet is waited for; None when it did not come.
        """
        wanted = {"card": f"{store}/{card_id}", _SEQUENCE: {"$lte": up_to}}
        until = monotonic_s() + WAIT_S
        while True:
            async with self._connection.reading() as database:
                cursor = database[GIFT_CARD_HISTORY].find(wanted).hint("card").sort(_SEQUENCE, DESCENDING)
                found = await cursor.limit(limit).to_list(limit)
            if len(found) == min(limit, up_to):
                return [GIFT_CARD_CHANGE.upgrade(document)["change"] for document in found]
            if monotonic_s() > until:
                return None
            await asyncio.sleep(_LOOK_S)


def of_record(record: ConsumerRecord[bytes, bytes]) -> Movement | None:
    """The mutation in a record of the changes topic; None for an unknown type, or the unreadable."""
    try:
        envelope = Envelope.from_headers(record.headers)
        if envelope.type != CHANGED or envelope.store is None:
            CHANGES.labels("skipped").inc()
            return None
        return _mutation(envelope.store, orjson.loads(record.value or b""))
    except (EnvelopeError, ValueError, BSONError, OverflowError) as error:
        CHANGES.labels("unreadable").inc()
        where = f"{record.topic}/{record.partition}/{record.offset}"
        log.error("a mutation of a gift card could not be read", record=where, error=type(error).__name__)
        return None


def of_value(store: str, value: dict[str, Any]) -> Movement | None:
    """The mutation that came with a reply; None for changes of accounts and vouchers."""
    if "cardId" not in value:
        return None
    try:
        return _mutation(store, value)
    except (ValueError, BSONError, OverflowError) as error:
        CHANGES.labels("unreadable").inc()
        log.error("a mutation of a gift card in a reply could not be read", error=type(error).__name__)
        return None


def change_id(store: str, card_id: str, sequence: int) -> str:
    """The id of the document of a mutation."""
    return f"{store}/{card_id}#{sequence}"


def _mutation(store: str, value: dict[str, Any]) -> Movement:
    """The document of one mutation.

    :raises ValueError: when it is none; whole numbers written as texts are none either, although they could be read.
    """
    read = _CHANGED.validate_python(value, by_alias=True, by_name=False)
    if not all(type(value[name]) is int for name in _WHOLE):
        raise ValueError("a mutation with a number that is none")
    id_ = change_id(store, read.card_id, read.sequence)
    document = GIFT_CARD_CHANGE.stamp({"_id": id_, "card": f"{store}/{read.card_id}", "change": value})
    return Movement(id_, RawBSONDocument(bson.encode(document)))

"""The collection of statements: one document a movement, and reads that touch nothing but what they return.

Within an account the time of booking never decreases with the sequence (protocol P4). So an index that ends in both
serves a period and the order at once, and the place of one movement bounds all that lie before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern

from services.edge.views import changes
from services.edge.views.applying import Applier, applied
from services.edge.views.changes import CHANGES, Movement
from services.edge.views.connection import Connection
from services.edge.views.shapes import STATEMENT
from services.edge.views.view import Stored, View
from shared.decider import Document
from shared.runtime.consumer import Batch

STATEMENTS = "statements"

_ACCOUNT, _PROGRAMME, _KIND, _SEQUENCE = "change.account", "change.programme", "change.kind", "change.sequence"
_NEWEST_FIRST = (("at", DESCENDING), (_SEQUENCE, DESCENDING))
_MS = timedelta(milliseconds=1)
_DUPLICATE_KEY = 11000


def _index(name: str, *equal: str) -> IndexModel:
    return IndexModel([*((field, ASCENDING) for field in (_ACCOUNT, *equal)), *_NEWEST_FIRST], name=name)


INDEXES = (
    _index("account"),
    _index("account_programme", _PROGRAMME),
    _index("account_kind", _KIND),
    _index("account_programme_kind", _PROGRAMME, _KIND),
)
"""One for each combination of filters. Reads name theirs: a planner that guesses may read on until it finds enough."""


class Place(NamedTuple):
    """Where a movement stands in its account."""

    at: datetime
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Movements of an account, newest first; `from_` is inclusive, `until` exclusive, both by time of booking.

    No kinds means all of them. `below` is the place of the last movement of the page before; it lies within the period.
    """

    account: str
    programme: str | None = None
    kinds: tuple[str, ...] = ()
    from_: datetime | None = None
    until: datetime | None = None
    below: Place | None = None
    limit: int


async def insert(collection: AsyncCollection[Document], movements: Sequence[Movement]) -> None:
    """Insert movements; one that is there already stays as it is, since a movement never changes."""
    if not movements:
        return
    try:
        await collection.insert_many([movement.document for movement in movements], ordered=False)
    except BulkWriteError as error:
        details = error.details or {}
        others = [item for item in details.get("writeErrors", []) if item["code"] != _DUPLICATE_KEY]
        if others or details.get("writeConcernErrors"):
            raise


async def insert_missing(collection: AsyncCollection[Document], movements: Sequence[Movement]) -> None:
    """Insert what a majority has not yet got, most of which came with replies before: refusing repeats costs more."""
    safe = collection.with_options(read_concern=ReadConcern("majority"))
    ids = [movement.id for movement in movements]
    there = {found["_id"] async for found in safe.find({"_id": {"$in": ids}}, {"_id": True})}
    await insert(collection, [movement for movement in movements if movement.id not in there])


def find(collection: AsyncCollection[Document], query: Query) -> AsyncCursor[Document]:
    """The documents of a query. Several kinds are scanned side by side and merged by the server."""
    wanted: Document = {_ACCOUNT: query.account}
    index = "account"
    if query.programme is not None:
        wanted[_PROGRAMME] = query.programme
        index += "_programme"
    if query.kinds:
        wanted[_KIND] = {"$in": [*query.kinds]}
        index += "_kind"
    if query.below is not None:
        wanted[_SEQUENCE] = {"$lt": query.below.sequence}
    period: Document = {} if query.from_ is None else {"$gte": query.from_}
    if query.below is not None:
        # At its instant or before, said so that it never is a single instant: that would take away the index's order.
        period["$lt"] = query.below.at + _MS
    elif query.until is not None:
        period["$lt"] = query.until
    if period:
        wanted["at"] = period
    return collection.find(wanted).sort([*_NEWEST_FIRST]).limit(query.limit).hint(index)


STANDING_INDEX = "account_programme"


def standing(account: str, at: datetime) -> list[Document]:
    """The pipeline for the last movement of each programme at `at`; the index is skipped through, not read."""
    return [
        {"$match": {_ACCOUNT: account, "at": {"$lte": at}}},
        {"$sort": {_PROGRAMME: ASCENDING, **dict(_NEWEST_FIRST)}},
        {"$group": {"_id": "$" + _PROGRAMME, "v": {"$first": "$v"}, "change": {"$first": "$change"}}},
    ]


class Statements(View):
    """Reads give values of `points.changes`."""

    collections = (Stored(STATEMENTS, INDEXES),)
    topic = "points.changes"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._book = Applier(self.book)

    async def feed(self, batch: Batch) -> None:
        """Insert the movements of a batch; what is none is skipped, what is unreadable logged and counted."""
        movements = [movement for record in batch.records if (movement := changes.of_record(record)) is not None]
        async with self._connection.feeding() as database:
            await insert_missing(database[STATEMENTS], movements)
        CHANGES.labels("fed").inc(len(movements))

    async def apply(self, values: Sequence[Document]) -> bool:
        """Insert the movements that came with a reply; True when the next read sees them all."""
        movements = [movement for value in values if (movement := changes.of_value(value)) is not None]
        return await applied(self._book, movements, CHANGES)

    async def book(self, movements: list[Movement]) -> None:
        """Insert movements so that the next read sees them; the feed brings them again, durably."""
        async with self._connection.applying() as database:
            await insert(database[STATEMENTS], movements)

    async def page(self, query: Query) -> list[Document]:
        """The movements that a query asks for, newest first."""
        async with self._connection.reading() as database:
            found = await find(database[STATEMENTS], query).to_list(query.limit)
        return [STATEMENT.upgrade(document)["change"] for document in found]

    async def standing(self, account: str, at: datetime) -> list[Document]:
        """The last movement of each programme, booked at or before `at`, in order of programme."""
        async with self._connection.reading() as database:
            cursor = await database[STATEMENTS].aggregate(standing(account, at), hint=STANDING_INDEX)
            found = sorted(await cursor.to_list(None), key=lambda document: str(document["_id"]))
        return [STATEMENT.upgrade(document)["change"] for document in found]

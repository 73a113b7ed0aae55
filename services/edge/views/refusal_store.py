"""Refused commands in the edge's database, so that operators find them: one document each, for 28 days.

A document is `{_id, v, at, store, subject, refusal}`: its id is the refusal event's, `subject` the account's id, and
`refusal` what is shown. The edge writes them from `points.events`; the edge and the command line read them.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pymongo
from pymongo import ASCENDING, DESCENDING, AsyncMongoClient, IndexModel, ReplaceOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from shared.errors import Unavailable
from shared.ids import account_id
from shared.servers import mongodb_options
from shared.settings import Settings
from shared.shapes import Shape, unchanged

Document = dict[str, Any]
REFUSALS = "refusals"


def _of_no_shop(refusal: Document) -> Document:
    """Refusals from before they said the shop; a read may not have what is shown."""
    if "refusal" in refusal:
        refusal["refusal"].setdefault("shop", None)
    return refusal


REFUSAL = Shape("view.refusal", unchanged, _of_no_shop)

KEPT = timedelta(days=28)
"""As long as the topic keeps the events that they are made of."""
_READ_TIMEOUT_S = 10
_NEWEST_FIRST = (("at", DESCENDING), ("_id", DESCENDING))
_TOPIC, _CODE, _ORDER = "refusal.input.topic", "refusal.code", "refusal.order"


def _index(name: str, *equal: str) -> IndexModel:
    return IndexModel([*((field, ASCENDING) for field in ("store", *equal)), *_NEWEST_FIRST], name=name)


INDEXES = (
    _index("store"),
    _index("order", _ORDER),
    _index("account", "subject"),
    _index("topic", _TOPIC),
    _index("code", _CODE),
    _index("topic_code", _TOPIC, _CODE),
    IndexModel([("at", ASCENDING)], name="kept", expireAfterSeconds=int(KEPT.total_seconds())),
)
"""Reads name theirs. Of an order or an account, which have few refusals, further filters read on within them."""


class Place(NamedTuple):
    """Where a refusal stands among all, newest first."""

    at: datetime
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Refusals of a store, newest first; `from_` is inclusive, `until` exclusive; `below` ends the page before."""

    store: str
    topic: str | None = None
    code: str | None = None
    accounts: tuple[str, ...] = ()
    order: str | None = None
    from_: datetime | None = None
    until: datetime | None = None
    below: Place | None = None
    limit: int


async def store(database: AsyncDatabase[Document], documents: Sequence[Document]) -> None:
    """Write refusals; one that is there already is written again, as it was."""
    if documents:
        writes = [ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in documents]
        await database[REFUSALS].bulk_write(writes, ordered=False)


def find(collection: AsyncCollection[Document], query: Query) -> AsyncCursor[Document]:
    """The documents of a query, by the index of the filter that leaves the fewest."""
    wanted: Document = {"store": query.store}
    for field, value in ((_TOPIC, query.topic), (_CODE, query.code), (_ORDER, query.order)):
        if value is not None:
            wanted[field] = value
    if query.accounts:
        wanted["subject"] = {"$in": [*query.accounts]}
    period: Document = {} if query.from_ is None else {"$gte": query.from_}
    if query.below is not None:
        period["$lte"] = query.below.at
        wanted["$or"] = [{"at": {"$lt": query.below.at}}, {"_id": {"$lt": query.below.id}}]
    if query.until is not None and (query.below is None or query.below.at >= query.until):
        period["$lt"] = query.until
    if period:
        wanted["at"] = period
    return collection.find(wanted).sort([*_NEWEST_FIRST]).limit(query.limit).hint(index_of(query))


def index_of(query: Query) -> str:
    """The name of the index that serves a query."""
    if query.order is not None:
        return "order"
    if query.accounts:
        return "account"
    names = [name for name, value in (("topic", query.topic), ("code", query.code)) if value is not None]
    return "_".join(names) or "store"


async def one(database: AsyncDatabase[Document], store_: str, id_: str) -> Document | None:
    """The refusal of this id; None when there is none in this store."""
    found = await database[REFUSALS].find_one({"_id": id_, "store": store_})
    return None if found is None else REFUSAL.upgrade(found)["refusal"]


async def page(database: AsyncDatabase[Document], query: Query) -> list[Document]:
    """The refusals of a query, as they are shown."""
    found = await find(database[REFUSALS], query).to_list(query.limit)
    return [REFUSAL.upgrade(document)["refusal"] for document in found]


async def accounts_of(database: AsyncDatabase[Document], store_: str, number: str) -> tuple[str, ...]:
    """The ids under which a number's refusals stand: that of the account that it opens, and that to which it leads."""
    own = account_id(store_, number)
    found = await database["accounts"].find_one({"_id": own}, {"view.forwardsTo": True})
    to = None if found is None else found.get("view", {}).get("forwardsTo")
    return (own,) if to is None else (own, to)


@asynccontextmanager
async def refusals_of(settings: Settings) -> AsyncIterator[AsyncDatabase[Document]]:
    """The edge's database, for a command.

    :raises Unavailable: the database is away or slow.
    """
    client: AsyncMongoClient[Document] = AsyncMongoClient(
        **mongodb_options(settings.mongodb, settings.request_timeout_ms)
    )
    try:
        with pymongo.timeout(_READ_TIMEOUT_S):
            yield client.get_database(settings.database("edge"))
    except PyMongoError as error:
        raise Unavailable(f"MongoDB: {error}") from error
    finally:
        await client.close()

"""Writing snapshots to the views' collections: each document is replaced only when it is older, in one step."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bson.raw_bson import RawBSONDocument
from pymongo import IndexModel, UpdateMany, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, OperationFailure

from shared.decider import Document

_ATTEMPTS_MAX = 3
_DUPLICATE_KEY = 11000


@dataclass(frozen=True, slots=True)
class Upsert:
    """A state of one aggregate, as the document that it becomes."""

    collection: str
    id: str
    version: int
    document: RawBSONDocument


def newest(upserts: Iterable[Upsert]) -> list[Upsert]:
    """One upsert an aggregate, with its highest version."""
    found: dict[tuple[str, str], Upsert] = {}
    for upsert in upserts:
        known = found.get((upsert.collection, upsert.id))
        if known is None or known.version < upsert.version:
            found[upsert.collection, upsert.id] = upsert
    return list(found.values())


async def replace_older(database: AsyncDatabase[Document], upserts: Sequence[Upsert]) -> None:
    """Upsert where newer."""
    for collection in {upsert.collection for upsert in upserts}:
        updates = [_replacing(upsert) for upsert in upserts if upsert.collection == collection]
        await write(database[collection], updates)


async def write(collection: AsyncCollection[Document], updates: Sequence[UpdateOne | UpdateMany]) -> None:
    """Write in bulk. Insertions of the same document may race: who loses looks again, since it may be newer."""
    left = [*updates]
    for attempt in range(_ATTEMPTS_MAX):
        try:
            await collection.bulk_write(left, ordered=False)
            break
        except BulkWriteError as error:
            failed = (error.details or {}).get("writeErrors", [])
            races = [left[item["index"]] for item in failed if item["code"] == _DUPLICATE_KEY]
            if len(races) < len(failed) or not races or attempt == _ATTEMPTS_MAX - 1:
                raise
            left = races


async def create(collection: AsyncCollection[Document], indexes: Sequence[IndexModel]) -> None:
    """Create the indexes that are not there yet, and drop those of an earlier release that are no longer wanted."""
    await collection.create_indexes([*indexes])
    wanted = {"_id_", *(index.document["name"] for index in indexes)}
    for name in (await collection.index_information()).keys() - wanted:
        with suppress(OperationFailure):  # Another edge was faster.
            await collection.drop_index(name)


def older(version: int) -> Document:
    """Whether the document, if it is there at all, has an older version than this."""
    return {"$lt": [{"$ifNull": ["$version", -1]}, version]}


def _replacing(upsert: Upsert) -> UpdateOne:
    replace = {"$replaceWith": {"$cond": [older(upsert.version), {"$literal": upsert.document}, "$$ROOT"]}}
    return UpdateOne({"_id": upsert.id}, [replace], upsert=True)

"""The edge's own collections, upserted from snapshots only when newer (DESIGN 5); the only user of its driver.

A document is `{_id, version, view}`: an account by its id, a programme by its stream; `view` is the snapshot's value.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import bson
import orjson
import pymongo
import structlog
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from prometheus_client import Counter
from pydantic import TypeAdapter
from pymongo import AsyncMongoClient, UpdateOne, WriteConcern
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, PyMongoError

from schemas.envelope import Envelope, EnvelopeError
from schemas.points import ACCOUNT_VIEW, PROGRAMME_VIEW, AccountView, ProgrammeView
from schemas.replies import SnapshotPart
from shared.errors import Unavailable
from shared.runtime.consumer import Batch
from shared.runtime.health import Health
from shared.runtime.kafka import ConsumerRecord
from shared.settings import Settings

log = structlog.get_logger()

SNAPSHOTS = Counter("fealty_view_snapshots_total", "Snapshots seen by the views, by how they ended.", ["outcome"])

Document = dict[str, Any]

_ADAPTERS: dict[str, TypeAdapter[Any]] = {
    ACCOUNT_VIEW: TypeAdapter(AccountView),
    PROGRAMME_VIEW: TypeAdapter(ProgrammeView),
}
_COLLECTIONS = {ACCOUNT_VIEW: "accounts", PROGRAMME_VIEW: "programmes"}
_DURABLE = WriteConcern(w="majority", j=True)
_READ_TIMEOUT_S = 2.0
_APPLY_TIMEOUT_S = 1.0
_ATTEMPTS_MAX = 3
_DUPLICATE_KEY = 11000


@dataclass(frozen=True, slots=True)
class Upsert:
    """A state of one aggregate, as the document that it becomes."""

    collection: str
    id: str
    version: int
    document: RawBSONDocument


class Views:
    """Accounts and programmes as this installation's edges last saw them."""

    def __init__(self, settings: Settings, health: Health) -> None:
        self._settings = settings
        self._state = health.part("edge:views")
        self._client: AsyncMongoClient[Document] | None = None
        self._database: AsyncDatabase[Document] | None = None
        self._durable: AsyncDatabase[Document] | None = None

    async def start(self) -> None:
        """Connect.

        :raises Unavailable: when the server is away.
        """
        timeout_ms = self._settings.request_timeout_ms
        if self._client is None:
            self._client = AsyncMongoClient(
                self._settings.mongodb,
                serverSelectionTimeoutMS=timeout_ms,
                connectTimeoutMS=timeout_ms,
                socketTimeoutMS=timeout_ms * 3,
                tz_aware=True,
            )
            self._database = self._client.get_database(self._settings.database("edge"))
            self._durable = self._database.with_options(write_concern=_DURABLE)
        async with self._translated(_READ_TIMEOUT_S):
            await self._client.admin.command("ping")
        self._state.joined()

    async def stop(self) -> None:
        """Disconnect."""
        if self._client is not None:
            await self._client.close()

    async def check(self) -> None:
        """Turn once: after a failure, become ready again when the server answers."""
        self._state.beat()
        if self._state.troubled_by is not None and self._client is not None:
            try:
                async with self._translated(_READ_TIMEOUT_S):
                    await self._client.admin.command("ping")
            except Unavailable:
                return
            self._state.clear()

    async def account(self, account: str) -> tuple[int, Document] | None:
        """The version and the `AccountView` of an account, in one read; None when no snapshot of it came yet.

        :raises Unavailable: when the server is away or slow.
        """
        if self._database is None:
            raise Unavailable("the views are not connected yet")
        async with self._translated(_READ_TIMEOUT_S):
            found = await self._database["accounts"].find_one({"_id": account})
        return None if found is None else (found["version"], found["view"])

    async def feed(self, batch: Batch) -> None:
        """Upsert the snapshots of a batch; what is no snapshot is skipped, what is unreadable logged and counted.

        :raises Unavailable: when the server is away or slow; the batch is to be fed again.
        """
        if self._durable is None:
            raise Unavailable("the views are not connected yet")
        upserts = [upsert for record in batch.records if (upsert := _of_record(record)) is not None]
        async with self._translated(self._settings.request_timeout_ms / 1000):
            await _write(self._durable, newest(upserts))
        SNAPSHOTS.labels("fed").inc(len(upserts))

    async def apply(self, parts: Sequence[SnapshotPart]) -> None:
        """Upsert the snapshots that came with a reply, so that the next read sees the write.

        When that fails the outcome stands nevertheless: the feed brings the same snapshots once the server answers.
        """
        upserts = [upsert for part in parts if (upsert := _of_part(part)) is not None]
        if not upserts or self._database is None:
            return
        try:
            async with self._translated(_APPLY_TIMEOUT_S):
                await _write(self._database, newest(upserts))
        except Unavailable as error:
            SNAPSHOTS.labels("not_applied").inc(len(upserts))
            log.warning("a reply's snapshots were not applied", error=str(error))
        else:
            SNAPSHOTS.labels("applied").inc(len(upserts))

    @asynccontextmanager
    async def _translated(self, timeout_s: float) -> AsyncIterator[None]:
        """Bound what happens inside; the driver's errors become :class:`Unavailable` and trouble readiness."""
        try:
            with pymongo.timeout(timeout_s):
                yield
        except PyMongoError as error:
            self._state.trouble(f"MongoDB: {type(error).__name__}")
            raise Unavailable(f"MongoDB: {type(error).__name__}") from error


def newest(upserts: Iterable[Upsert]) -> list[Upsert]:
    """One upsert an aggregate, with its highest version."""
    found: dict[tuple[str, str], Upsert] = {}
    for upsert in upserts:
        known = found.get((upsert.collection, upsert.id))
        if known is None or known.version < upsert.version:
            found[upsert.collection, upsert.id] = upsert
    return list(found.values())


async def _write(database: AsyncDatabase[Document], upserts: Sequence[Upsert]) -> None:
    """Upsert where newer. Insertions of the same aggregate may race: who loses looks again, since it may be newer."""
    for collection in {upsert.collection for upsert in upserts}:
        left = [_guarded(upsert) for upsert in upserts if upsert.collection == collection]
        for attempt in range(_ATTEMPTS_MAX):
            try:
                await database[collection].bulk_write(left, ordered=False)
                break
            except BulkWriteError as error:
                failed = (error.details or {}).get("writeErrors", [])
                races = [left[item["index"]] for item in failed if item["code"] == _DUPLICATE_KEY]
                if len(races) < len(failed) or not races or attempt == _ATTEMPTS_MAX - 1:
                    raise
                left = races


def _guarded(upsert: Upsert) -> UpdateOne:
    """Replaces the document when it is older, in one step on the server; an equal or newer one stays."""
    older = {"$lt": [{"$ifNull": ["$version", -1]}, upsert.version]}
    replace = {"$replaceWith": {"$cond": [older, {"$literal": upsert.document}, "$$ROOT"]}}
    return UpdateOne({"_id": upsert.id}, [replace], upsert=True)


def _of_record(record: ConsumerRecord[bytes, bytes]) -> Upsert | None:
    try:
        envelope = Envelope.from_headers(record.headers)
        if envelope.type not in _ADAPTERS:
            SNAPSHOTS.labels("skipped").inc()
            return None
        return _upsert(envelope.type, (record.key or b"").decode(), orjson.loads(record.value or b""))
    except (EnvelopeError, ValueError, BSONError, OverflowError) as error:
        SNAPSHOTS.labels("unreadable").inc()
        where = f"{record.topic}/{record.partition}/{record.offset}"
        log.error("an unreadable snapshot", record=where, error=type(error).__name__)
        return None


def _of_part(part: SnapshotPart) -> Upsert | None:
    try:
        return _upsert(part.type, part.stream, part.value) if part.type in _ADAPTERS else None
    except (ValueError, BSONError, OverflowError) as error:
        SNAPSHOTS.labels("unreadable").inc()
        log.error("an unreadable snapshot in a reply", error=type(error).__name__)
        return None


def _upsert(type_: str, stream: str, value: Document) -> Upsert:
    """The document of one snapshot; its version is the one in the value, over the topic and in replies alike.

    :raises ValueError: when the value is not what its type says (pydantic's error is one).
    """
    _ADAPTERS[type_].validate_python(value)
    version = value.get("version")
    if not isinstance(version, int):
        raise ValueError("a snapshot without a version")
    id_ = value["account"] if type_ == ACCOUNT_VIEW else stream
    document = RawBSONDocument(bson.encode({"_id": id_, "version": version, "view": value}))
    return Upsert(_COLLECTIONS[type_], id_, version, document)

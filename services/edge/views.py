"""The edge's own collections, upserted from snapshots only when newer (DESIGN 5); the only user of its driver."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pymongo
import structlog
from pymongo import AsyncMongoClient, UpdateOne, WriteConcern
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, PyMongoError

from schemas.replies import SnapshotPart
from services.edge.applying import Applier
from services.edge.snapshots import SNAPSHOTS, Document, Upsert, newest, of_part, of_record
from shared.errors import Unavailable
from shared.runtime.consumer import Batch
from shared.runtime.health import Health
from shared.settings import Settings

log = structlog.get_logger()

_DURABLE = WriteConcern(w="majority", j=True)
"""For the feed: once its offset is committed, nobody brings the snapshot again."""
_SEEN = WriteConcern(w=1, j=False)
"""For what comes with a reply: the next read sees it, and the feed brings it again, durably."""
_READ_TIMEOUT_S = 2.0
_APPLY_TIMEOUT_S = 1.0
_GATHER_S = 0.05
"""The feed's writes are flushed to the disk that the services' transactions use: fewer and larger ones hinder less."""
_ATTEMPTS_MAX = 3
_DUPLICATE_KEY = 11000


class Views:
    """Accounts and programmes as this installation's edges last saw them."""

    def __init__(self, settings: Settings, health: Health) -> None:
        self._settings = settings
        self._state = health.part("edge:views")
        self._client: AsyncMongoClient[Document] | None = None
        self._database: AsyncDatabase[Document] | None = None
        self._durable: AsyncDatabase[Document] | None = None
        self._apply = Applier(self._write_seen)

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
            self._database = self._client.get_database(self._settings.database("edge"), write_concern=_SEEN)
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
        if len(batch.records) < self._settings.batch_records_max // 2:
            await asyncio.sleep(_GATHER_S)
        upserts = [upsert for record in batch.records if (upsert := of_record(record)) is not None]
        async with self._translated(self._settings.request_timeout_ms / 1000):
            await _write(self._durable, newest(upserts))
        SNAPSHOTS.labels("fed").inc(len(upserts))

    async def apply(self, parts: Sequence[SnapshotPart]) -> None:
        """Upsert the snapshots that came with a reply, so that the next read sees the write.

        When that fails the outcome stands nevertheless: the feed brings the same snapshots once the server answers.
        """
        upserts = [upsert for part in parts if (upsert := of_part(part)) is not None]
        if not upserts:
            return
        try:
            await self._apply(upserts)
        except Unavailable as error:
            SNAPSHOTS.labels("not_applied").inc(len(upserts))
            log.warning("a reply's snapshots were not applied", error=str(error))
        else:
            SNAPSHOTS.labels("applied").inc(len(upserts))

    async def _write_seen(self, upserts: list[Upsert]) -> None:
        if self._database is None:
            raise Unavailable("the views are not connected yet")
        async with self._translated(_APPLY_TIMEOUT_S):
            await _write(self._database, upserts)

    @asynccontextmanager
    async def _translated(self, timeout_s: float) -> AsyncIterator[None]:
        """Bound what happens inside; the driver's errors become :class:`Unavailable` and trouble readiness."""
        try:
            with pymongo.timeout(timeout_s):
                yield
        except PyMongoError as error:
            self._state.trouble(f"MongoDB: {type(error).__name__}")
            raise Unavailable(f"MongoDB: {type(error).__name__}") from error


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

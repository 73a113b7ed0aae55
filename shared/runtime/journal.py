"""MongoDB: the journal, the snapshots, the fences and the dead letters of one service; the only import of motor.

Collections: `journal` (one document a command, P1 and P2), `snapshots` (`_id` = stream, `version`; and beside them
the fences, `_id` = `fence/<topic>/<partition>`, whose version is the next offset), `dead_letters` (P6).
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from pymongo import ASCENDING, DESCENDING, IndexModel, InsertOne, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError, ConnectionFailure, DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from shared.errors import Conflict, Unavailable
from shared.runtime.aging import expire
from shared.runtime.entries import JournalEntry
from shared.runtime.stored import DEAD_LETTER, ENTRY, FENCE, SNAPSHOT
from shared.servers import mongodb_options
from shared.writes import first_write, last_write

Document = dict[str, Any]

_DURABLE = WriteConcern(w="majority", j=True)
_CODEC: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
_COMMIT_ATTEMPTS_MAX = 3
_DUE = [("partition", ASCENDING), ("state.due_at", ASCENDING), ("_id", ASCENDING)]
CLOSED = [("partition", ASCENDING), ("closed_at", ASCENDING), ("_id", ASCENDING)]
"""The indexes of the sweep and the archive; streams with nothing due, or that are not closed, are not in them."""
_DUPLICATE_KEY = 11000
_NAMESPACE_EXISTS = 48
_AWAY_CODES = frozenset({6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436, 50, 64, 246})
"""Server errors that say «not now»: stepping down, shutting down, time-outs, no snapshot to read yet."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A stream: how many commands wrote it, and its state. An `archived` one has no snapshot (archive.py)."""

    version: int
    document: Document
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """What step 3 finds: entries by command id, streams by name, next offsets by fence."""

    entries: Mapping[str, JournalEntry]
    streams: Mapping[str, Stored]
    fences: Mapping[str, int]


@dataclass(slots=True)
class Append:
    """What step 5 writes in one transaction: streams and fences each with the version that they replace.

    `erased` are streams of which the journal, and the dead letters addressed to them, lose what is personal.
    """

    entries: list[JournalEntry] = field(default_factory=list)
    streams: list[tuple[int | None, Document]] = field(default_factory=list)
    fences: list[tuple[int | None, Document]] = field(default_factory=list)
    dead_letters: list[Document] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """True when nothing happened that must be remembered."""
        return not (self.entries or self.dead_letters)


def fence_id(topic: str, partition: int) -> str:
    """The id of a partition's fence (P5)."""
    return f"fence/{topic}/{partition}"


class Journal:
    """One service's store. Every method raises :class:`Unavailable` when the server is away or too slow."""

    def __init__(self, url: str, database: str, timeout_ms: int) -> None:
        self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            **mongodb_options(url, timeout_ms), socketTimeoutMS=timeout_ms * 3
        )
        self.database = self._client.get_database(database, codec_options=_CODEC, write_concern=_DURABLE)
        self.entries = self.database["journal"]
        self.snapshots = self.database["snapshots"]
        self.dead_letters = self.database["dead_letters"]

    async def prepare(self, letters_kept: timedelta | None = None) -> None:
        """Create collections and indexes; done at each start, by several processes at once too.

        Dead letters that are older than `letters_kept`, where it is given, are removed by the server.
        """
        async with translated():
            await self.entries.create_index([("writes", ASCENDING)], unique=True, sparse=True)
            await self.dead_letters.create_index([("command_id", ASCENDING)], sparse=True)
            await self.dead_letters.create_indexes([IndexModel("key"), IndexModel("headers")])
            await expire(self.dead_letters, "at", letters_kept)
            try:  # A transaction that had to create it would conflict with all others that do.
                await self.database.create_collection("snapshots", check_exists=False)
            except OperationFailure as error:
                if error.code != _NAMESPACE_EXISTS:
                    raise
            await self.snapshots.create_index(_DUE, partialFilterExpression={"state.due_at": {"$type": "date"}})
            await self.snapshots.create_index(CLOSED, partialFilterExpression={"closed_at": {"$type": "date"}})
            await self.snapshots.create_index([("state.waiting", ASCENDING)], sparse=True)

    async def ping(self) -> None:
        """Return when the primary answers."""
        async with translated():
            await self._client.admin.command("ping")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    async def load(self, ids: Sequence[str], names: Sequence[str]) -> Loaded:
        """Step 3: entries of known command ids, and streams and fences by their ids; both reads at once."""
        async with translated():
            entries, found = await asyncio.gather(
                self.entries.find({"_id": {"$in": ids}}).to_list(None),
                self.snapshots.find({"_id": {"$in": names}}).to_list(None),
            )
        by_id = {each["_id"]: each for each in found}
        fences = {name: FENCE.upgrade(each)["version"] for name, each in by_id.items() if name.startswith("fence/")}
        others = {name: each for name, each in by_id.items() if name not in fences}
        streams = {name: Stored(each["version"], SNAPSHOT.upgrade(each)) for name, each in others.items()}
        return Loaded({entry["_id"]: cast(JournalEntry, ENTRY.upgrade(entry)) for entry in entries}, streams, fences)

    async def buried(self, command_ids: Sequence[str]) -> dict[str, Document]:
        """The dead letters of these commands, by command id."""
        async with translated():
            parts = dict.fromkeys(("v", "command_id", "reason", "detail", "headers"), 1)
            found = await self.dead_letters.find({"command_id": {"$in": command_ids}}, parts).to_list(None)
        return {letter["command_id"]: DEAD_LETTER.upgrade(letter) for letter in found}

    async def append(self, batch: Append) -> None:
        """Step 5: everything or nothing, `w: majority`, on disk.

        :raises Conflict: a fence, version or command id is newer than what was read; nothing was written.
        """
        async with translated(), await self._client.start_session() as session:
            session.start_transaction(
                read_concern=ReadConcern("snapshot"),
                write_concern=_DURABLE,
                read_preference=ReadPreference.PRIMARY,
            )
            try:
                await self._write(batch, session)
            except BaseException:
                await _abort(session)
                raise
            await _commit(session)

    async def _write(self, batch: Append, session: AsyncIOMotorClientSession) -> None:
        guarded = [*_guards(batch.fences), *_guards(batch.streams)]
        replaced = sum(isinstance(operation, ReplaceOne) for operation in guarded)
        result = await self.snapshots.bulk_write(guarded, ordered=True, session=session)
        if result.matched_count != replaced:
            raise Conflict(f"{replaced - result.matched_count} of {replaced} documents have a newer version")
        if batch.entries:
            await self.entries.insert_many(cast(list[Document], batch.entries), session=session)
        if batch.dead_letters:
            await self.dead_letters.bulk_write(_keep_first(batch.dead_letters), session=session)
        for stream in batch.erased:
            await self._erase(stream, session)

    async def _erase(self, stream: str, session: AsyncIOMotorClientSession) -> None:
        """Unset `personal` of all events of a stream; of dead letters addressed to it what was sent, and quoted."""
        await self.entries.update_many(
            {"writes": {"$elemMatch": {"$gt": first_write(stream), "$lt": last_write(stream)}}},
            {"$unset": {"events.$[event].data.personal": ""}},
            array_filters=[{"event.stream": stream}],
            session=session,
        )
        key = stream.split("/", 2)[2].encode()
        addressed = {"$or": [{"key": key}, {"headers": {"$elemMatch": {"$eq": ["ce_subject", key]}}}]}
        nothing: Document = {"key": None, "value": None, "headers": [], "trace": None, "erased": True}
        await self.dead_letters.update_many(addressed, {"$set": nothing}, session=session)

    async def bury(self, letters: Sequence[Document]) -> None:
        """Keep dead letters of records that are no commands; one that is there already stays as it is."""
        async with translated():
            await self.dead_letters.bulk_write(_keep_first(letters))

    async def due(
        self, partitions: Sequence[int], now: datetime, after: tuple[datetime, str] | None, limit: int
    ) -> list[Document]:
        """The next streams with something due, earliest first: name, version and state.

        Those last written through one of `partitions` and due at or before `now`, after the instant and name `after`.
        """
        found: list[Document] = []
        async with translated():
            if after is not None:  # Many fall due at one instant, a midnight: first the others of it.
                at, name = after
                query = {"state.due_at": {"$eq": at}, "_id": {"$gt": name}}
                found = await self._due(query, ["_id"], partitions, limit)
            if len(found) < limit:
                query = {"state.due_at": {"$lte": now} if after is None else {"$gt": after[0], "$lte": now}}
                found += await self._due(query, ["state.due_at", "_id"], partitions, limit - len(found))
        return found

    async def _due(self, query: Document, order: list[str], partitions: Sequence[int], limit: int) -> list[Document]:
        """One range of the index for each partition, merged: nothing is read that is not due, and nothing sorted."""
        query["state.due_at"]["$type"] = "date"  # Else the planner does not see that the partial index has them all.
        query["partition"] = {"$in": partitions}
        found = self.snapshots.find(query, {"v": 1, "version": 1, "state": 1}, limit=limit, batch_size=limit)
        ordered = found.hint(_DUE).sort([(name, ASCENDING) for name in order])
        return [SNAPSHOT.upgrade(each) for each in await ordered.to_list(None)]

    async def decided(self, ids: Sequence[str]) -> set[str]:
        """Which of these commands have been dealt with, be it as a dead letter."""
        async with translated():
            entries, letters = await asyncio.gather(
                self.entries.find({"_id": {"$in": ids}}, {"_id": 1}).to_list(None),
                self.dead_letters.find({"command_id": {"$in": ids}}, {"command_id": 1}).to_list(None),
            )
        return {entry["_id"] for entry in entries} | {letter["command_id"] for letter in letters}

    # ── for operators: the dead letters ──────────────────────────────────────────────────────────────────────────

    async def letters(self, ids: Sequence[str] | None = None, *, whole: bool = False, limit: int = 0) -> list[Document]:
        """Dead letters, the latest first: these or all, `limit` at most (0: no limit), `whole` with what was sent."""
        parts = None if whole else {"key": 0, "value": 0, "headers": 0, "trace": 0}
        query = {} if ids is None else {"_id": {"$in": ids}}
        async with translated():
            cursor = self.dead_letters.find(query, parts).sort("at", DESCENDING).limit(limit)
            return [DEAD_LETTER.upgrade(letter) for letter in await cursor.to_list(None)]

    async def mark_replayed(self, ids: Sequence[str], at: datetime) -> None:
        """Note when these dead letters were published again."""
        async with translated():
            await self.dead_letters.update_many({"_id": {"$in": ids}}, {"$set": {"replayed_at": at}})


def _guards(documents: Iterable[tuple[int | None, Document]]) -> Iterable[InsertOne[Document] | ReplaceOne[Document]]:
    """New documents are inserted, which fails when somebody was first; others replace exactly their version."""
    for version, document in documents:
        if version is None or (version == 0 and not document["_id"].startswith("fence/")):
            yield InsertOne(document)
        else:
            yield ReplaceOne({"_id": document["_id"], "version": version}, document)


def _keep_first(letters: Iterable[Document]) -> list[UpdateOne]:
    return [UpdateOne({"_id": letter["_id"]}, {"$setOnInsert": letter}, upsert=True) for letter in letters]


async def _commit(session: AsyncIOMotorClientSession) -> None:
    """Commit; while the outcome is unknown ask again, and then leave it to the next look at the journal."""
    for attempt in range(1, _COMMIT_ATTEMPTS_MAX + 1):
        try:
            await session.commit_transaction()
            return
        except PyMongoError as error:
            if not error.has_error_label("UnknownTransactionCommitResult"):
                raise
            if attempt == _COMMIT_ATTEMPTS_MAX:
                raise Unavailable("the outcome of a commit is unknown") from error


async def _abort(session: AsyncIOMotorClientSession) -> None:
    with suppress(PyMongoError):  # The server aborts by itself what it no longer hears of.
        await session.abort_transaction()


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Turn the driver's errors into ours; what is neither away nor a conflict goes through as it is."""
    try:
        yield
    except BulkWriteError as error:
        failed = (error.details or {}).get("writeErrors", ())
        codes = {item.get("code") for item in failed}
        if codes <= {_DUPLICATE_KEY} or error.has_error_label("TransientTransactionError"):
            what = [item["errmsg"] for item in failed]  # And not the whole error, which quotes documents.
            raise Conflict(": ".join(["another process wrote first", *what])) from error
        raise
    except DuplicateKeyError as error:
        raise Conflict("another process wrote first") from error
    except ConnectionFailure as error:
        raise Unavailable(f"MongoDB: {error}") from error
    except PyMongoError as error:
        if getattr(error, "code", None) in _AWAY_CODES or error.timeout:
            raise Unavailable(f"MongoDB: {error}") from error
        if error.has_error_label("TransientTransactionError"):
            raise Conflict("the transaction conflicts with another one") from error
        raise

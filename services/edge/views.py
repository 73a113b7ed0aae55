"""The edge's own collections: snapshots, upserted only when newer, and statements.

Besides this module those of the collections use the driver; clients and signing keys lie in the same database.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import pymongo
import structlog
from pymongo import AsyncMongoClient, WriteConcern
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError

from schemas.replies import SnapshotPart
from services.edge import attributions, catalogue, changes, customers, statements, vouchers
from services.edge import refusal_store as refusals
from services.edge.applying import Applier, Portions, applied
from services.edge.auth.store import Credentials
from services.edge.catalogue import Catalogue
from services.edge.changes import CHANGES, Movement
from services.edge.shapes import ACCOUNT, CATALOGUE, STATEMENT
from services.edge.snapshots import SNAPSHOTS, Document, Upsert, newest, of_part, of_record
from services.edge.upserts import replace_older
from shared.clock import monotonic_s
from shared.errors import TooSlow, Unavailable
from shared.runtime.consumer import Batch
from shared.runtime.health import Health
from shared.servers import mongodb_options
from shared.settings import Settings

log = structlog.get_logger()

_DURABLE = WriteConcern(w="majority", j=True)
"""For the feed: once its offset is committed, nobody brings the snapshot again."""
_SEEN = WriteConcern(w=1, j=False)
"""For what comes with a reply: the next read sees it, and the feed brings it again, durably."""
_READ_TIMEOUT_S = 2.0
_PREPARE_TIMEOUT_S = 60.0
"""An index that is new to a large collection takes its time."""
_APPLY_TIMEOUT_S = 1.0
_GATHER_S = 0.05
"""The feed's writes are flushed to the disk that the services' transactions use: fewer and larger ones hinder less."""
_CATALOGUE_AGE_MAX_S = 5.0
"""Another edge may have been fed a declaration: it is known here after this time at the latest."""
_NAMES = {"view.account": True, "view.accountNumber": True, "view.forwardsTo": True}


class Views:
    """Accounts, customers and what is declared, as this installation's edges last saw them."""

    def __init__(self, settings: Settings, health: Health) -> None:
        self._settings = settings
        self._state = health.part("edge:views")
        self._client: AsyncMongoClient[Document] | None = None
        self._database: AsyncDatabase[Document] | None = None
        self._apply = Applier(self._write_seen)
        self._book = Applier(self._book_seen)
        self._portions = Portions()
        self.catalogue = Catalogue()
        self._catalogue_at_s = float("-inf")
        self._reading_catalogue = asyncio.Lock()

    async def start(self) -> None:
        """Connect, and create the indexes.

        :raises Unavailable: when the server is away.
        """
        timeout_ms = self._settings.request_timeout_ms
        if self._client is None:
            self._client = AsyncMongoClient(
                **mongodb_options(self._settings.mongodb, timeout_ms), socketTimeoutMS=timeout_ms * 3
            )
            self._database = self._client.get_database(self._settings.database("edge"), write_concern=_SEEN)
        async with self._translated(_PREPARE_TIMEOUT_S):
            await statements.prepare(self._connected["statements"])
            await attributions.prepare(self._connected)
            await customers.prepare(self._connected)
            await refusals.prepare(self._connected)
        await self._read_catalogue()
        self._state.joined()

    async def stop(self) -> None:
        """Disconnect."""
        if self._client is not None:
            await self._client.close()

    async def check(self) -> None:
        """Turn once: look for what other edges may have been fed."""
        self._state.beat()
        if self._database is not None and monotonic_s() - self._catalogue_at_s > _CATALOGUE_AGE_MAX_S:
            with suppress(Unavailable):
                await self._read_catalogue()

    async def account(self, account: str) -> tuple[int, Document] | None:
        """The version and the `AccountView` of an account, in one read; None when no snapshot of it came yet.

        One that only leads to another is followed by one more read (rules 4.1.2).

        :raises Unavailable: when the server is away or slow.
        """
        found = await self._account(account)
        return None if found is None else (found["version"], found["view"])

    async def tier_sets(self, store: str) -> dict[str, Document]:
        """A store's tier sets by id, as `TierSet`s on the wire. Raises as :meth:`account`."""
        stream = f"catalogue/{store}/all"
        async with self._translated(_READ_TIMEOUT_S):
            found = await self._connected["catalogues"].find_one({"_id": stream}, {"v": 1, "view.tierSets": 1})
        return {} if found is None else {each["id"]: each for each in CATALOGUE.upgrade(found)["view"]["tierSets"]}

    async def names(self, account: str) -> tuple[str, str] | None:
        """The id and the own number of an account, or of the one that it leads to. Raises as :meth:`account`."""
        found = await self._account(account, _NAMES)
        return None if found is None else (found["view"]["account"], found["view"]["accountNumber"])

    async def customer(self, store: str, customer: str) -> Document | None:
        """A customer's document (customers.py), in one read; None when no snapshot came. Raises as :meth:`account`."""
        async with self._translated(_READ_TIMEOUT_S):
            found = await customers.find(self._connected, store, customer)
        return found if found is not None and found["view"] is not None else None

    async def search(
        self, store: str, criteria: Mapping[str, str | tuple[str, ...]], skip: int, limit: int
    ) -> list[Document]:
        """Customers that meet all criteria (customers.py). Raises as :meth:`account`."""
        async with self._translated(_READ_TIMEOUT_S):
            return await customers.search(self._connected, store, criteria, skip, limit)

    async def voucher(self, store: str, serial: str) -> Document | None:
        """The `VoucherView` of a serial; None when no snapshot of it came yet. Raises as :meth:`account`."""
        async with self._translated(_READ_TIMEOUT_S):
            found = await vouchers.find(self._connected, store, serial)
        return None if found is None else found.get("view")

    async def usable(self, owners: Collection[str], at: str, limit: int) -> list[Document]:
        """The `VoucherView`s that can be used, as vouchers.py orders them. Raises as :meth:`account`."""
        async with self._translated(_READ_TIMEOUT_S):
            return [each["view"] for each in await vouchers.usable(self._connected, owners, at, limit)]

    async def owned(self, accounts: Collection[str], after: str, limit: int) -> list[tuple[str, Document]]:
        """A page of the vouchers of these accounts, used ones too: ids and views. Raises as :meth:`account`."""
        async with self._translated(_READ_TIMEOUT_S):
            found = await vouchers.owned(self._connected, accounts, after, limit)
        return [(each["_id"], each["view"]) for each in found]

    async def movements(self, query: statements.Query) -> list[Document]:
        """The values of `points.changes` that a query asks for. Raises as :meth:`account`."""
        async with self._translated(_READ_TIMEOUT_S):
            found = await statements.find(self._connected["statements"], query).to_list(query.limit)
        return [STATEMENT.upgrade(document)["change"] for document in found]

    async def standing(self, account: str, at: datetime) -> list[Document]:
        """The last value of `points.changes` of each programme, booked at or before `at`, in order of programme.

        Raises as :meth:`account`.
        """
        pipeline = statements.standing(account, at)
        async with self._translated(_READ_TIMEOUT_S):
            cursor = await self._connected["statements"].aggregate(pipeline, hint=statements.STANDING_INDEX)
            found = sorted(await cursor.to_list(None), key=lambda document: str(document["_id"]))
        return [STATEMENT.upgrade(document)["change"] for document in found]

    async def feed(self, batch: Batch) -> None:
        """Upsert the snapshots of a batch; what is no snapshot is skipped, what is unreadable logged and counted.

        :raises Unavailable: when the server is away or slow; the batch is to be fed again.
        """
        await self._gather(batch)
        upserts = [upsert for record in batch.records if (upsert := of_record(record)) is not None]
        latest = newest(upserts)
        await self._portions.write(latest, self._write_durably)
        await self._heed(latest)
        SNAPSHOTS.labels("fed").inc(len(upserts))

    async def feed_changes(self, batch: Batch) -> None:
        """Insert the movements of a batch; what is none is skipped, what is unreadable logged and counted.

        :raises Unavailable: when the server is away or slow; the batch is to be fed again.
        """
        await self._gather(batch)
        movements = [movement for record in batch.records if (movement := changes.of_record(record)) is not None]
        async with self._translated(self._settings.request_timeout_ms / 1000):
            await statements.insert_missing(self._durably["statements"], movements)
        CHANGES.labels("fed").inc(len(movements))

    async def apply(self, parts: Sequence[SnapshotPart], values: Sequence[Document]) -> bool:
        """Write the snapshots and the changes that came with a reply; True when the next read sees them all.

        When that fails the outcome stands nevertheless: the feeds bring the same once the server answers.
        """
        upserts = [upsert for part in parts if (upsert := of_part(part)) is not None]
        movements = [movement for value in values if (movement := changes.of_value(value)) is not None]
        return all(
            await asyncio.gather(applied(self._apply, upserts, SNAPSHOTS), applied(self._book, movements, CHANGES))
        )

    @asynccontextmanager
    async def credentials(self) -> AsyncIterator[Credentials]:
        """The clients and the signing keys, for a look or a write. Raises as :meth:`account`."""
        async with self.database() as database:
            yield Credentials(database, self._settings)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[AsyncDatabase[Document]]:
        """The edge's own database, for a look or a durable write. Raises as :meth:`account`."""
        async with self._translated(_READ_TIMEOUT_S):
            yield self._durably

    async def _account(self, account: str, wanted: Document | None = None) -> Document | None:
        accounts = self._connected["accounts"]
        projection = wanted and {"v": True, "version": True, **wanted}
        async with self._translated(_READ_TIMEOUT_S):
            found = await accounts.find_one({"_id": account}, projection)
            if found is not None and (to := found.get("view", {}).get("forwardsTo")) is not None:
                found = await accounts.find_one({"_id": to}, projection)
        return ACCOUNT.upgrade(found) if found is not None and "view" in found else None

    async def _gather(self, batch: Batch) -> None:
        if len(batch.records) < self._settings.batch_records_max // 2:
            await asyncio.sleep(_GATHER_S)

    @property
    def _connected(self) -> AsyncDatabase[Document]:
        if self._database is None:
            raise _not_connected()
        return self._database

    @property
    def _durably(self) -> AsyncDatabase[Document]:
        return self._connected.with_options(write_concern=_DURABLE)

    async def _write_seen(self, upserts: list[Upsert]) -> None:
        """At once: should a customer and its account come in two replies at the same time, the feed joins them."""
        latest, database = newest(upserts), self._connected
        async with self._translated(_APPLY_TIMEOUT_S):
            await asyncio.gather(
                replace_older(database, [each for each in latest if each.collection != customers.CUSTOMERS]),
                customers.compose(database, latest),
            )
        await self._heed(latest)

    async def _write_durably(self, upserts: Sequence[Upsert]) -> None:
        async with self._translated(self._settings.request_timeout_ms / 1000):
            await replace_older(self._durably, [each for each in upserts if each.collection != customers.CUSTOMERS])
            await customers.compose(self._durably, upserts)

    async def _heed(self, upserts: Sequence[Upsert]) -> None:
        """Know at once what has been declared."""
        if any(upsert.collection in catalogue.COLLECTIONS for upsert in upserts):
            await self._read_catalogue()

    async def _read_catalogue(self) -> None:
        """Read what is declared; one reading after another, or an older one might end last."""
        async with self._reading_catalogue, self._translated(_READ_TIMEOUT_S):
            self._catalogue_at_s = monotonic_s()
            database = self._connected
            found = await asyncio.gather(
                *(database[name].find({"view": {"$exists": True}}).to_list(None) for name in catalogue.COLLECTIONS)
            )
            self.catalogue.replace(*found)

    async def _book_seen(self, movements: list[Movement]) -> None:
        async with self._translated(_APPLY_TIMEOUT_S):
            await statements.insert(self._connected["statements"], movements)

    @asynccontextmanager
    async def _translated(self, timeout_s: float) -> AsyncIterator[None]:
        """Bound what happens inside, in the server too (`maxTimeMS`); the driver's errors become ours.

        Readiness is not touched: whether the server is away is found out by asking it, and not by what was asked of it.
        """
        try:
            with pymongo.timeout(timeout_s):
                yield
        except PyMongoError as error:
            if error.timeout and not isinstance(error, ServerSelectionTimeoutError):
                raise TooSlow(f"MongoDB: not done within {timeout_s:g} s") from error
            raise Unavailable(f"MongoDB: {type(error).__name__}") from error


def _not_connected() -> Unavailable:
    return Unavailable("the views are not connected yet")

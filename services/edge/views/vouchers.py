"""The collection of vouchers, one document each: an account's usable ones, and all of them in pages.

A page costs what it shows, however many there are: those that can be used stand in an index of their own, which a
voucher leaves when it is used, voided or expired.
"""

from collections.abc import Collection
from typing import Any

from pydantic import TypeAdapter
from pymongo import ASCENDING, IndexModel

from schemas.serials import stream_names
from schemas.vouchers import VOUCHER_VIEW, VoucherView
from services.edge.views.connection import Database
from services.edge.views.shapes import VOUCHER
from services.edge.views.view import SnapshotType, Stored, View
from shared.decider import Document

VOUCHERS = "vouchers"
USABLE = "issued"

_ACCOUNT, _UNTIL, _FROM = "view.account", "view.validUntil", "view.validFrom"
_USABLE_FIRST_OUT = [(_ACCOUNT, ASCENDING), (_UNTIL, ASCENDING), ("_id", ASCENDING), (_FROM, ASCENDING)]
INDEXES = (
    IndexModel([(_ACCOUNT, ASCENDING), ("_id", ASCENDING)], name="account"),
    IndexModel(_USABLE_FIRST_OUT, name="usable", partialFilterExpression={"view.state": USABLE}),
)


def stream_of(store: str, serial: str) -> str:
    """The id of a voucher's document."""
    return f"voucher/{store}/{serial}"


class Vouchers(View):
    """Reads give `VoucherView`s."""

    collections = (Stored(VOUCHERS, INDEXES),)
    snapshots = (SnapshotType(VOUCHER_VIEW, TypeAdapter(VoucherView), VOUCHERS, VOUCHER),)

    async def one(self, store: str, serial: str) -> Document | None:
        """The voucher of a serial, in whatever case it is written; None when no snapshot of it came yet."""
        names = [stream_of(store, name) for name in stream_names(serial)]
        async with self._connection.reading() as database:
            documents = await database[VOUCHERS].find({"_id": {"$in": names}}).to_list(len(names))
        found = {each["_id"]: each for each in documents}
        document = next((VOUCHER.upgrade(found[name]) for name in names if name in found), None)
        return None if document is None else document.get("view")

    async def usable(self, owners: Collection[str], at: str, limit: int) -> list[Document]:
        """Those of these accounts that can be used at `at`, the first to expire first, those without end last."""
        async with self._connection.reading() as database:
            found = await _usable(database, owners, {_UNTIL: {"$gt": at}}, at, limit)
            if len(found) < limit:
                found += await _usable(database, owners, {_UNTIL: None}, at, limit - len(found))
        return [VOUCHER.upgrade(each)["view"] for each in found]

    async def owned(self, accounts: Collection[str], after: str, limit: int) -> list[tuple[str, Document]]:
        """The next vouchers of these accounts, used ones too, in the order of their ids, each with its id."""
        wanted: Document = {_ACCOUNT: {"$in": [*accounts]}, "_id": {"$gt": after}}
        async with self._connection.reading() as database:
            cursor = database[VOUCHERS].find(wanted).hint("account").sort("_id", ASCENDING).limit(limit)
            found = [VOUCHER.upgrade(each) for each in await cursor.to_list(limit)]
        return [(each["_id"], each["view"]) for each in found]


async def _usable(
    database: Database, owners: Collection[str], until: dict[str, Any], at: str, limit: int
) -> list[Document]:
    wanted = {_ACCOUNT: {"$in": [*owners]}, "view.state": USABLE, _FROM: {"$lte": at}, **until}
    cursor = database[VOUCHERS].find(wanted).hint("usable").limit(limit)
    return await cursor.sort([(_UNTIL, ASCENDING), ("_id", ASCENDING)]).to_list(limit)

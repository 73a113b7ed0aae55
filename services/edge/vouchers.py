"""The collection of vouchers, one document each: an account's usable ones, and all of them in pages.

A page costs what it shows, however many there are: those that can be used stand in an index of their own, which a
voucher leaves when it is used, voided or expired.
"""

from collections.abc import Collection
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from schemas.serials import stream_names
from services.edge.shapes import VOUCHER
from services.edge.snapshots import Document

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


async def find(database: AsyncDatabase[Document], store: str, serial: str) -> Document | None:
    """The document of a serial, in whatever case it is written."""
    names = [stream_of(store, name) for name in stream_names(serial)]
    found = {each["_id"]: each for each in await database[VOUCHERS].find({"_id": {"$in": names}}).to_list(len(names))}
    return next((VOUCHER.upgrade(found[name]) for name in names if name in found), None)


async def usable(database: AsyncDatabase[Document], owners: Collection[str], at: str, limit: int) -> list[Document]:
    """The vouchers of these accounts that can be used at `at`, the first to expire first, those without end last."""
    dated = await _usable(database, owners, {_UNTIL: {"$gt": at}}, at, limit)
    if len(dated) == limit:
        return dated
    return dated + await _usable(database, owners, {_UNTIL: None}, at, limit - len(dated))


async def owned(database: AsyncDatabase[Document], accounts: Collection[str], after: str, limit: int) -> list[Document]:
    """The next vouchers of these accounts, used ones too, by their ids, after the id `after`."""
    wanted: Document = {_ACCOUNT: {"$in": [*accounts]}, "_id": {"$gt": after}}
    cursor = database[VOUCHERS].find(wanted).hint("account").sort("_id", ASCENDING).limit(limit)
    return [VOUCHER.upgrade(each) for each in await cursor.to_list(limit)]


async def _usable(
    database: AsyncDatabase[Document], owners: Collection[str], until: dict[str, Any], at: str, limit: int
) -> list[Document]:
    wanted = {_ACCOUNT: {"$in": [*owners]}, "view.state": USABLE, _FROM: {"$lte": at}, **until}
    cursor = database[VOUCHERS].find(wanted).hint("usable").limit(limit)
    found = await cursor.sort([(_UNTIL, ASCENDING), ("_id", ASCENDING)]).to_list(limit)
    return [VOUCHER.upgrade(each) for each in found]

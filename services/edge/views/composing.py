"""The customer's document, put together of the snapshots of three services: each part where it is newer.

Accounts and vouchers have collections of their own, too. They are written before the customers are looked up, and a
customer before its parts are read there: whichever comes second finds the other. What a customer shows of vouchers is
read in their collection, and not taken from a snapshot, so that one that comes late never brings back what was used.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from pymongo import UpdateMany, UpdateOne

from services.edge.views.accounts import ACCOUNTS
from services.edge.views.connection import Database
from services.edge.views.customers import APART, CUSTOMERS, VOUCHERS_MAX
from services.edge.views.shapes import ACCOUNT, ACCOUNT_PART, CUSTOMER, VOUCHER, VOUCHER_PART
from services.edge.views.upserts import Upsert, older, write
from services.edge.views.vouchers import USABLE, VOUCHERS
from shared.decider import Document
from shared.ids import account_id

_READ_MAX = 1_000
_NOT_APART = {APART: {"$ne": True}}
_VOUCHER_SHOWN = (
    "serialId",
    "voucherId",
    "programme",
    "account",
    "titles",
    "descriptions",
    "defaultLanguage",
    "validFrom",
    "validUntil",
    "benefit",
)
_VOUCHER_READ = {"v": True, "version": True, **{f"view.{name}": True for name in (*_VOUCHER_SHOWN, "state")}}


async def compose(database: Database, upserts: Sequence[Upsert]) -> None:
    """Bring snapshots into the customers' documents; those of accounts and vouchers have been written as they are."""
    people = [upsert for upsert in upserts if upsert.collection == CUSTOMERS]
    if people:
        await write(database[CUSTOMERS], [_profile(upsert) for upsert in people])
        await attach(database, {account for upsert in people for account in _accounts_of(upsert)}, follow=True)
    accounts = [upsert.document for upsert in upserts if upsert.collection == ACCOUNTS]
    vouchers = [upsert.document for upsert in upserts if upsert.collection == VOUCHERS]
    owners = {each["_id"] for each in accounts} | {owner for each in vouchers if (owner := _owner(each)) is not None}
    if not owners:
        return
    links, stored = await asyncio.gather(
        database[CUSTOMERS].distinct("links", {"links": {"$in": [*owners]}}),
        _stored(database, [each["_id"] for each in vouchers]),
    )
    if linked := owners.intersection(links):
        of_linked = [each for each in accounts if each["_id"] in linked]
        await _merge(database, of_linked, [each for each in stored if _owner(each) in linked], follow=True)


async def attach(database: Database, accounts: Collection[str], *, follow: bool) -> None:
    """Give the customers that are linked to these accounts what is known of them, and take what was used."""
    found, owned = await asyncio.gather(
        database[ACCOUNTS].find({"_id": {"$in": [*accounts]}}).to_list(None), _few_vouchers(database, accounts)
    )
    await _merge(database, map(ACCOUNT.upgrade, found), owned, follow=follow)


async def _few_vouchers(database: Database, accounts: Collection[str]) -> list[Document]:
    """What can be used of accounts that have little of it, and what their customers show by now.

    Of a customer with an account that has many it is noted instead.
    """
    customers = database[CUSTOMERS]
    linked = {"links": {"$in": [*accounts]}, **_NOT_APART}
    found = await customers.find(linked, {"links": True, f"{VOUCHERS}.id": True}).to_list(None)
    wanted = {link for each in found for link in each["links"]} & {*accounts}
    owned = await _usable(database, {"$in": [*wanted]}, _READ_MAX)
    if len(owned) == _READ_MAX:
        owned = []
        for account in wanted:
            some = await _usable(database, account, VOUCHERS_MAX + 1)
            if len(some) > VOUCHERS_MAX:
                await customers.update_many({"links": account, **_NOT_APART}, {"$set": {APART: True, VOUCHERS: []}})
            else:
                owned += some
    shown = {part["id"] for each in found for part in each.get(VOUCHERS, ())} - {each["_id"] for each in owned}
    return owned + await _stored(database, shown)


async def _usable(database: Database, owner: Any, limit: int) -> list[Document]:
    wanted = {"view.account": owner, "view.state": USABLE}
    return await database[VOUCHERS].find(wanted, _VOUCHER_READ).hint("usable").limit(limit).to_list(limit)


async def _stored(database: Database, ids: Collection[str]) -> list[Document]:
    """Vouchers as their own collection has them, which takes only what is newer."""
    return await database[VOUCHERS].find({"_id": {"$in": [*ids]}}, _VOUCHER_READ).to_list(None) if ids else []


async def _merge(
    database: Database, accounts: Iterable[Mapping[str, Document]], vouchers: Sequence[Document], *, follow: bool
) -> None:
    """Put parts where they are newer, and take away vouchers that cannot be used; then look at the vouchers once more.

    What an account leads to is linked, too, and attached.
    """
    updates: list[UpdateOne | UpdateMany] = []
    leading: set[str] = set()
    for document in accounts:
        more = {}
        if (to := document.get("view", {}).get("forwardsTo")) is not None:
            leading.add(to)
            more = {"links": {"$setUnion": ["$links", [to]]}}
        updates.append(_putting_account(document, more))
    updates += _putting_vouchers(vouchers)
    if updates:
        await write(database[CUSTOMERS], updates)
    if vouchers:
        await _look_again(database, {each["_id"]: each["version"] for each in vouchers})
    if leading and follow:  # Once: an account that another leads to leads nowhere (rules 4.1.2).
        await attach(database, leading, follow=False)


async def _look_again(database: Database, shown: dict[str, int]) -> None:
    """Show what vouchers have become since they were read at these versions.

    One that was used leaves nothing by which an older state would be told, that another writer has read before. So
    whoever has written reads again: whichever write comes last is followed by a reading that finds the newest, since
    every state is put into the vouchers' collection before it is shown.
    """
    while newer := [each for each in await _stored(database, [*shown]) if each["version"] != shown[each["_id"]]]:
        await write(database[CUSTOMERS], _putting_vouchers(newer))
        shown |= {each["_id"]: each["version"] for each in newer}


def _profile(upsert: Upsert) -> UpdateOne:
    """Put the profile where it is newer; links are only ever added."""
    newer = older(upsert.version)
    view = upsert.document.get("view")
    links = {"$setUnion": [{"$ifNull": ["$links", []]}, [*_accounts_of(upsert)]]}
    put = {
        "v": {"$literal": CUSTOMER.version},
        "store": {"$literal": upsert.id.split("/", 2)[1]},
        "version": {"$cond": [newer, upsert.version, "$version"]},
        "view": {"$cond": [newer, {"$literal": view}, "$view"]},
        "links": links,
    }
    return UpdateOne({"_id": upsert.id}, [{"$set": put}], upsert=True)


def _accounts_of(upsert: Upsert) -> set[str]:
    """The accounts of the numbers of all cards."""
    store = upsert.id.split("/", 2)[1]
    view = upsert.document.get("view")
    return set() if view is None else {account_id(store, card["cardNumber"]) for card in view["cards"]}


def _owner(voucher: Mapping[str, Document]) -> str | None:
    """The account that owns a voucher; None of one that was issued to bearer."""
    owner: str | None = voucher.get("view", {}).get("account")
    return owner


def _putting_account(document: Mapping[str, Any], more: Document) -> UpdateMany:
    """Replace an account's part by a newer one, with every customer linked to it."""
    put = _replaced(ACCOUNTS, document, _part(ACCOUNTS, document, _shown_account(document)))
    return UpdateMany({"links": str(document["_id"])}, [{"$set": {ACCOUNTS: put, **more}}])


def _putting_vouchers(documents: Iterable[Document]) -> list[UpdateOne | UpdateMany]:
    owned = ((_owner(each), each) for each in map(VOUCHER.upgrade, documents))
    return [_putting_voucher(owner, each) for owner, each in owned if owner is not None]


def _putting_voucher(owner: str, document: Mapping[str, Any]) -> UpdateMany:
    """Replace a voucher's part by a newer one, or take it away, with every customer linked to its owner.

    Parts without a view are what earlier releases left of vouchers that were used.
    """
    view, parts = _shown_voucher(document), {"$ifNull": [f"${VOUCHERS}", []]}
    if view is not None:
        put: Document = _replaced(VOUCHERS, document, _part(VOUCHERS, document, view))
    else:
        newer = {"$gt": ["$$this.version", document["version"]]}
        put = {"$filter": {"input": parts, "cond": {"$or": [_other(document), newer]}}}
    viewed = {"$ne": [{"$type": "$$this.view"}, "missing"]}
    many = {"$gt": [{"$size": f"${VOUCHERS}"}, VOUCHERS_MAX]}
    return UpdateMany(
        {"links": owner, **_NOT_APART},
        [
            {"$set": {VOUCHERS: put}},
            {"$set": {VOUCHERS: {"$filter": {"input": f"${VOUCHERS}", "cond": viewed}}}},
            {"$set": {VOUCHERS: {"$cond": [many, [], f"${VOUCHERS}"]}, APART: {"$cond": [many, True, "$$REMOVE"]}}},
        ],
    )


def _replaced(field: str, document: Mapping[str, Any], part: Document) -> Document:
    """The parts in `field` with this one, unless there is one of its id that is as new."""
    parts = {"$ifNull": [f"${field}", []]}
    others = {"$filter": {"input": parts, "cond": _other(document)}}
    as_new = {"$and": [{"$not": [_other(document)]}, {"$gte": ["$$this.version", document["version"]]}]}
    known = {"$filter": {"input": parts, "cond": as_new}}
    return {"$concatArrays": [others, {"$cond": [{"$eq": [known, []]}, [{"$literal": part}], known]}]}


def _other(document: Mapping[str, Any]) -> Document:
    return {"$ne": ["$$this.id", {"$literal": document["_id"]}]}


def _part(field: str, document: Mapping[str, Any], view: Document) -> Document:
    shape = ACCOUNT_PART if field == ACCOUNTS else VOUCHER_PART
    return shape.stamp({"id": document["_id"], "version": document["version"], "view": view})


def _shown_account(document: Mapping[str, Document]) -> Document:
    """What is shown of an account with its customer: its lots and counters are not."""
    view = document["view"]
    return {
        "accountNumber": view["accountNumber"],
        "forwardsTo": view["forwardsTo"],
        "balances": [{name: each[name] for name in ("programme", "scale", "balance")} for each in view["balances"]],
        "tiers": [{"tierSet": each["tierSet"], "code": each["code"]} for each in view["tiers"]],
    }


def _shown_voucher(document: Mapping[str, Document]) -> Document | None:
    view = document["view"]
    if view["state"] != USABLE:
        return None
    return {name: view.get(name) for name in _VOUCHER_SHOWN}  # Snapshots of earlier releases have no benefit.

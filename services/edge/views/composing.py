"""The customer's document, put together of the snapshots of three services: each part where it is newer.

Accounts and vouchers have collections of their own, too. They are written before the customers are looked up, and a
customer before its parts are read there: whichever comes second finds the other.
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
    linked = {*await database[CUSTOMERS].distinct("links", {"links": {"$in": [*owners]}})}
    if owners & linked:
        of_linked = [each for each in accounts if each["_id"] in linked]
        await _merge(database, of_linked, [each for each in vouchers if _owner(each) in linked], follow=True)


async def attach(database: Database, accounts: Collection[str], *, follow: bool) -> None:
    """Give the customers that are linked to these accounts what is known of them.

    That includes vouchers that were used: else a late snapshot could bring one of those back.
    """
    found, owned = await asyncio.gather(
        database[ACCOUNTS].find({"_id": {"$in": [*accounts]}}).to_list(None), _few_vouchers(database, accounts)
    )
    await _merge(database, map(ACCOUNT.upgrade, found), map(VOUCHER.upgrade, owned), follow=follow)


async def _few_vouchers(database: Database, accounts: Collection[str]) -> list[Document]:
    """The vouchers of accounts that have few; of a customer with an account that has many it is noted instead."""
    customers, vouchers = database[CUSTOMERS], database[VOUCHERS]
    wanted = {*await customers.distinct("links", {"links": {"$in": [*accounts]}, **_NOT_APART})} & {*accounts}
    owned = await vouchers.find({"view.account": {"$in": [*wanted]}}, _VOUCHER_READ).limit(_READ_MAX).to_list(_READ_MAX)
    if len(owned) < _READ_MAX:
        return owned
    owned, most = [], VOUCHERS_MAX + 1
    for account in wanted:
        found = await vouchers.find({"view.account": account}, _VOUCHER_READ).limit(most).to_list(most)
        if len(found) > VOUCHERS_MAX:
            await customers.update_many({"links": account, **_NOT_APART}, {"$set": {APART: True, VOUCHERS: []}})
        else:
            owned += found
    return owned


async def _merge(
    database: Database,
    accounts: Iterable[Mapping[str, Document]],
    vouchers: Iterable[Mapping[str, Document]],
    *,
    follow: bool,
) -> None:
    """Put parts where they are newer. What an account leads to is linked, too, and attached."""
    updates: list[UpdateOne | UpdateMany] = []
    leading: set[str] = set()
    for document in accounts:
        more = {}
        if (to := document.get("view", {}).get("forwardsTo")) is not None:
            leading.add(to)
            more = {"links": {"$setUnion": ["$links", [to]]}}
        updates.append(_putting(str(document["_id"]), ACCOUNTS, document, _shown_account(document), more))
    updates.extend(
        _putting(owner, VOUCHERS, document, _shown_voucher(document))
        for document in vouchers
        if (owner := _owner(document)) is not None
    )
    if updates:
        await write(database[CUSTOMERS], updates)
    if leading and follow:  # Once: an account that another leads to leads nowhere (rules 4.1.2).
        await attach(database, leading, follow=False)


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


def _putting(
    account: str, field: str, document: Mapping[str, object], view: Document | None, more: Document | None = None
) -> UpdateMany:
    """Replace the part of this id in `field` by a newer one, with every customer linked to `account`."""
    id_, version = {"$literal": document["_id"]}, document["version"]
    part = _part(field, document, view)
    parts = {"$ifNull": [f"${field}", []]}
    others = {"$filter": {"input": parts, "cond": {"$ne": ["$$this.id", id_]}}}
    as_new = {"$and": [{"$eq": ["$$this.id", id_]}, {"$gte": ["$$this.version", version]}]}
    known = {"$filter": {"input": parts, "cond": as_new}}
    chosen = {"$cond": [{"$eq": [known, []]}, [{"$literal": part}], known]}
    put = {"$set": {field: {"$concatArrays": [others, chosen]}, **(more or {})}}
    if field == ACCOUNTS:
        return UpdateMany({"links": account}, [put])
    many = {"$gt": [{"$size": f"${field}"}, VOUCHERS_MAX]}
    few = {"$set": {field: {"$cond": [many, [], f"${field}"]}, APART: {"$cond": [many, True, "$$REMOVE"]}}}
    return UpdateMany({"links": account, **_NOT_APART}, [put, few])


def _part(field: str, document: Mapping[str, Any], view: Document | None) -> Document:
    shape = ACCOUNT_PART if field == ACCOUNTS else VOUCHER_PART
    shown = {} if view is None else {"view": view}
    return shape.stamp({"id": document["_id"], "version": document["version"], **shown})


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

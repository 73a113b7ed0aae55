"""Customers as one document each: the profile, the accounts that the cards lead to, and a few vouchers.

`{_id, v, store, version, view, links, accounts, vouchers}`: `version` and `view` are the profile's; `links` names the
accounts by id; the members of `accounts` and `vouchers` are parts `{id, version, view}`. Each part is replaced only by
a newer one (composing.py). A voucher that cannot be used any more leaves; the collection of vouchers (vouchers.py) has
its newest version, so that no late snapshot of it brings it back. A customer who has had more than `VOUCHERS_MAX` at a
time has none here, once and for all: `vouchersApart` says that they are to be read in their own collection, and no
voucher costs this document anything any more.
"""

import re
from collections.abc import Mapping

from pydantic import TypeAdapter
from pymongo import ASCENDING, IndexModel

from schemas.customer_views import CUSTOMER_VIEW, CustomerView
from services.edge.views.accounts import ACCOUNTS
from services.edge.views.shapes import ACCOUNT_PART, CUSTOMER, VOUCHER_PART
from services.edge.views.view import SnapshotType, Stored, View
from services.edge.views.vouchers import VOUCHERS
from shared.decider import Document

CUSTOMERS = "customers"

PREFIXES = ("firstName", "lastName")
"""The criteria that a value has only to begin with."""
_CRITERIA = ("cardNumbers", "emailAddress", "postalCode", "lastName", "firstName", "houseNumber", "houseNumberAddition")
"""Those that few customers share come first."""
VOUCHERS_MAX = 32
"""As many vouchers that a customer can use lie in the customer's document."""
APART = "vouchersApart"


def stream_of(store: str, customer: str) -> str:
    """The id of a customer's document."""
    return f"customer/{store}/{customer}"


def _searched(criterion: str) -> list[tuple[str, int]]:
    """The index of a criterion: in the order in which a search shows what it finds."""
    return [(name, ASCENDING) for name in ("store", f"view.search.{criterion}", "_id", "view.state")]


INDEXES = (
    IndexModel([("links", ASCENDING)], name="links"),
    *(IndexModel(_searched(name), name=f"search_{name}") for name in _CRITERIA),
)


class Customers(View):
    """Reads take one query, of one collection."""

    collections = (Stored(CUSTOMERS, INDEXES),)
    snapshots = (SnapshotType(CUSTOMER_VIEW, TypeAdapter(CustomerView), CUSTOMERS, CUSTOMER),)

    async def one(self, store: str, customer: str) -> Document | None:
        """A customer with all parts; None when no snapshot of the profile came yet."""
        async with self._connection.reading() as database:
            found = await database[CUSTOMERS].find_one({"_id": stream_of(store, customer)})
        if found is None or found["view"] is None:
            return None
        for field, shape in ((ACCOUNTS, ACCOUNT_PART), (VOUCHERS, VOUCHER_PART)):
            if field in found:
                found[field] = [shape.upgrade(part) for part in found[field]]
        return CUSTOMER.upgrade(found)

    async def search(
        self, store: str, criteria: Mapping[str, str | tuple[str, ...]], skip: int, limit: int
    ) -> list[Document]:
        """The customers that meet all criteria; deleted ones are not found.

        Criteria are members of `SearchView`, as they compare. The one that leaves the fewest is looked up in its index,
        and what is found comes in its order: by the name, where a name is looked for by its beginning, and the oldest
        first.
        """
        wanted: Document = {"store": store, "view.state": {"$ne": "deleted"}}
        for name, value in criteria.items():
            if isinstance(value, tuple):
                wanted[f"view.search.{name}"] = value[0] if len(value) == 1 else {"$in": [*value]}
            else:
                wanted[f"view.search.{name}"] = {"$regex": f"^{re.escape(value)}"} if name in PREFIXES else value
        shown = {"v": True, "view.customer": True, "view.customerInfo": True}
        first = next(name for name in _CRITERIA if name in criteria)
        order = [f"view.search.{first}", "_id"] if first in PREFIXES else ["_id"]
        async with self._connection.reading() as database:
            found = database[CUSTOMERS].find(wanted, shown).hint(f"search_{first}").skip(skip).limit(limit)
            documents = await found.sort([(name, ASCENDING) for name in order]).to_list(limit)
        return [CUSTOMER.upgrade(each) for each in documents]

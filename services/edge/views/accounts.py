"""Accounts by id, as the points service last published them."""

from pydantic import TypeAdapter

from schemas.points import ACCOUNT_VIEW, AccountView
from services.edge.views import shapes
from services.edge.views.view import SnapshotType, Stored, View
from shared.decider import Document

ACCOUNTS = "accounts"

_NAMES = {"view.account": True, "view.accountNumber": True, "view.forwardsTo": True}


class Accounts(View):
    """An account that only leads to another is followed by one more read (rules 4.1.2)."""

    collections = (Stored(ACCOUNTS),)
    snapshots = (SnapshotType(ACCOUNT_VIEW, TypeAdapter(AccountView), ACCOUNTS, shapes.ACCOUNT),)

    async def one(self, account: str) -> tuple[int, Document] | None:
        """The version and the `AccountView` of an account, in one read; None when no snapshot of it came yet."""
        found = await self._find(account)
        return None if found is None else (found["version"], found["view"])

    async def names(self, account: str) -> tuple[str, str] | None:
        """The id and the own number of an account, or of the one that it leads to."""
        found = await self._find(account, _NAMES)
        return None if found is None else (found["view"]["account"], found["view"]["accountNumber"])

    async def _find(self, account: str, wanted: Document | None = None) -> Document | None:
        projection = wanted and {"v": True, "version": True, **wanted}
        async with self._connection.reading() as database:
            found = await database[ACCOUNTS].find_one({"_id": account}, projection)
            if found is not None and (to := found.get("view", {}).get("forwardsTo")) is not None:
                found = await database[ACCOUNTS].find_one({"_id": to}, projection)
        return shapes.ACCOUNT.upgrade(found) if found is not None and "view" in found else None

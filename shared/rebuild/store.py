"""Where a rebuild writes: the snapshots, and how far it has come."""

from collections.abc import Sequence
from typing import Any

from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError

from shared.decider import Document
from shared.runtime.journal import Journal, translated

_DUPLICATE_KEY = 11000
_PROGRESS = "snapshots"


class Store:
    """The snapshots of one service, to be replaced; how far a rebuild has come is kept in the collection `rebuild`.

    Every method raises :class:`Unavailable` when the server is away or too slow.
    """

    def __init__(self, journal: Journal) -> None:
        self._snapshots = journal.snapshots
        self._progress = journal.database["rebuild"]

    async def put(self, snapshots: Sequence[Document]) -> None:
        """Write snapshots where there is none or one that is not newer; a newer one stays."""
        operations = [
            ReplaceOne({"_id": each["_id"], "version": {"$lte": each["version"]}}, each, upsert=True)
            for each in snapshots
        ]
        async with translated():
            try:
                await self._snapshots.bulk_write(operations, ordered=False)
            except BulkWriteError as error:
                # Where the guard matches nothing although there is a snapshot, an insert is tried and refused.
                if any(each["code"] != _DUPLICATE_KEY for each in error.details["writeErrors"]):
                    raise

    async def found(self, stream: str) -> Document | None:
        """A stream's snapshot as it is now: its id and version."""
        async with translated():
            found: Document | None = await self._snapshots.find_one({"_id": stream}, {"version": 1})
        return found

    async def replace(self, snapshot: Document, found: Document) -> bool:
        """Replace the snapshot that was found; False when it has moved on."""
        async with translated():
            result = await self._snapshots.replace_one(_same(found), snapshot)
        return bool(result.matched_count)

    async def remove(self, found: Document) -> bool:
        """Remove the snapshot that was found; False when it has moved on."""
        async with translated():
            result = await self._snapshots.delete_one(_same(found))
        return bool(result.deleted_count)

    async def progress(self) -> Document | None:
        """What :meth:`keep` kept last; None when no rebuild was cut short."""
        async with translated():
            found: Document | None = await self._progress.find_one({"_id": _PROGRESS}, {"_id": 0})
        return found

    async def keep(self, progress: Document) -> None:
        """Remember how far the rebuild has come."""
        async with translated():
            await self._progress.replace_one({"_id": _PROGRESS}, progress, upsert=True)

    async def forget(self) -> None:
        """Nothing is left to be gone on with."""
        async with translated():
            await self._progress.delete_one({"_id": _PROGRESS})


def _same(found: Document) -> dict[str, Any]:
    return {"_id": found["_id"], "version": found.get("version")}

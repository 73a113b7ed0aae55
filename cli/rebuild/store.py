"""Where a rebuild writes: the snapshots, and how far it has come."""

from collections.abc import Sequence
from typing import Any

from pymongo import DeleteOne, ReplaceOne
from pymongo.errors import BulkWriteError

from cli.rebuild.parts import Part
from shared.decider import Document
from shared.runtime.journal import Journal, translated
from shared.runtime.stored import REBUILD

_DUPLICATE_KEY = 11000
_PARTS = "parts"


class Store:
    """The snapshots of one service, to be replaced; how far a rebuild has come is kept in the collection `rebuild`.

    Every method raises :class:`Unavailable` when the server is away or too slow.
    """

    def __init__(self, journal: Journal, part: int = 0) -> None:
        self._snapshots = journal.snapshots
        self._progress = journal.database["rebuild"]
        self._id = f"part/{part}"

    async def put(self, snapshots: Sequence[Document]) -> None:
        """Write snapshots where there is none or one that is not newer; a newer one stays.

        What is not there is inserted, which costs the server a twentieth of an upsert with a guard.
        """
        async with translated():
            query = self._snapshots.find({"_id": {"$in": [each["_id"] for each in snapshots]}}, {"_id": 1})
            there = {found["_id"] async for found in query}
            there |= await self._insert([each for each in snapshots if each["_id"] not in there])
            replacements = [
                ReplaceOne({"_id": each["_id"], "version": {"$lte": each["version"]}}, each)
                for each in snapshots
                if each["_id"] in there
            ]
            if replacements:
                await self._snapshots.bulk_write(replacements, ordered=False)

    async def _insert(self, snapshots: Sequence[Document]) -> set[str]:
        """Insert snapshots; the streams of those that somebody else wrote meanwhile."""
        try:
            if snapshots:
                await self._snapshots.insert_many(snapshots, ordered=False)
        except BulkWriteError as error:
            refused = error.details["writeErrors"]
            if any(each["code"] != _DUPLICATE_KEY for each in refused):
                raise
            return {each["op"]["_id"] for each in refused}
        return set()

    async def leave_out(self, snapshots: Sequence[Document]) -> None:
        """Remove what is stored of these streams, unless it is newer."""
        async with translated():
            query = self._snapshots.find({"_id": {"$in": [each["_id"] for each in snapshots]}}, {"_id": 1})
            there = {found["_id"] async for found in query}
            removals = [
                DeleteOne({"_id": each["_id"], "version": {"$lte": each["version"]}})
                for each in snapshots
                if each["_id"] in there
            ]
            if removals:
                await self._snapshots.bulk_write(removals, ordered=False)

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
        """What :meth:`keep` kept last of the part; None when it was not begun."""
        async with translated():
            found: Document | None = await self._progress.find_one({"_id": self._id}, {"_id": 0})
        return None if found is None else REBUILD.upgrade(found)

    async def writes(self) -> int:
        """The writes that all parts have done."""
        async with translated():
            return sum([each["writes"] async for each in self._progress.find({"writes": {"$exists": True}})])

    async def keep(self, progress: Document) -> None:
        """Remember how far the part has come."""
        async with translated():
            await self._progress.replace_one({"_id": self._id}, REBUILD.stamp({**progress}), upsert=True)

    async def parts(self) -> list[Part] | None:
        """The parts of a rebuild that was cut short; None when there is none."""
        async with translated():
            found = await self._progress.find_one({"_id": _PARTS})
        return None if found is None else [Part(*each) for each in REBUILD.upgrade(found)["parts"]]

    async def keep_parts(self, parts: Sequence[Part]) -> None:
        """Remember what the parts are: another call goes on with the same."""
        async with translated():
            await self._progress.replace_one(
                {"_id": _PARTS}, REBUILD.stamp({"parts": [[*each] for each in parts]}), upsert=True
            )

    async def forget(self) -> None:
        """Nothing is left to be gone on with."""
        async with translated():
            await self._progress.delete_many({})


def _same(found: Document) -> dict[str, Any]:
    return {"_id": found["_id"], "version": found.get("version")}

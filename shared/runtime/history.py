"""Reading a service's store for operators, in pages: to verify, to rebuild, to publish again."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import cast

from shared.errors import FealtyError
from shared.runtime.entries import JournalEntry
from shared.runtime.journal import Document, Journal, Stored, translated
from shared.runtime.stored import ENTRY, SNAPSHOT
from shared.writes import split

FOLDED = ("v", "writes", "events", "at", "partition")
"""What folding needs of an entry."""

PUBLISHED = (*FOLDED, "store", "correlation")
"""What building the records of its changes needs."""


class History:
    """What a store holds, read beside its writers without holding them up.

    Every method raises :class:`Unavailable` when the server is away or too slow.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._entries = journal.entries
        self._snapshots = journal.snapshots

    async def size(self) -> int:
        """About how many entries there are."""
        async with translated():
            return int(await self._entries.estimated_document_count())

    async def sample(self, entries: int) -> list[str]:
        """The streams that so many entries, drawn at random, wrote; sorted, each as often as it was met."""
        pipeline = [{"$sample": {"size": entries}}, {"$project": {"writes": 1}}]
        async with translated():
            found = await self._entries.aggregate(pipeline).to_list(None)
        return sorted(split(write)[0] for entry in found for write in entry.get("writes", ()))

    async def page(
        self, after: str = "", entries_max: int = 500, parts: Sequence[str] = FOLDED
    ) -> list[tuple[str, JournalEntry]]:
        """The next writes (`stream#version`) after `after`, in their order, each with these parts of its entry.

        One page of a keyset scan over the index, so that memory stays bounded and writers are not held up; empty at
        the end. An entry that wrote several streams comes once for each.
        """
        async with translated():
            cursor = self._entries.find({"writes": {"$gt": after}}, dict.fromkeys(parts, 1))
            found = await cursor.hint([("writes", 1)]).limit(entries_max).batch_size(entries_max).to_list(None)
        # The scan meets each entry at the first of its writes after `after`, so up to `last` none is missing.
        entries = [cast(JournalEntry, ENTRY.upgrade(entry)) for entry in found]
        firsts = [min(write for write in entry["writes"] if write > after) for entry in entries]
        if any(later < earlier for earlier, later in pairwise(firsts)):
            raise FealtyError("the index of writes was not read in its order")
        last = firsts[-1] if firsts else after
        writes = [(write, entry) for entry in entries for write in entry["writes"] if after < write <= last]
        return sorted(writes, key=itemgetter(0))

    async def written(self, writes: Sequence[str]) -> set[str]:
        """Which of these writes the journal has."""
        async with translated():
            found = await self._entries.find({"writes": {"$in": writes}}, {"writes": 1}).to_list(None)
        return {write for entry in found for write in entry["writes"]}.intersection(writes)

    async def snapshots(
        self, after: str = "", streams_max: int = 500, parts: Sequence[str] = ("version",)
    ) -> list[Document]:
        """The next snapshots after the stream `after`, by name, these parts of them; empty at the end."""
        query = {"_id": {"$gt": after, "$not": {"$regex": "^fence/"}}}
        async with translated():
            cursor = self._snapshots.find(query, dict.fromkeys(("v", *parts), 1)).sort("_id", 1)
            return [SNAPSHOT.upgrade(each) for each in await cursor.limit(streams_max).to_list(None)]

    async def streams(self, names: Sequence[str]) -> Mapping[str, Stored]:
        """These streams as they are stored, those that are."""
        return (await self._journal.load([], names)).streams

    async def entries(self, ids: Sequence[str]) -> Mapping[str, JournalEntry]:
        """The entries of these commands, whole, by command id; those that there are."""
        return (await self._journal.load(ids, [])).entries

"""The archive: snapshots of closed streams leave after a while, and come back from the journal when they are named.

A saga's streams are small and many, and nobody asks for them once they are closed; the journal has what they were made
of. A stream without a snapshot is not a new one: whatever loads streams by name asks the journal too
(`Journal.load`), folds what it finds, and goes on at its version, which the next write inserts again. Should anything
take one for new all the same, the journal's unique index of writes refuses the version 1 that it would write.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from pymongo import DeleteOne

from shared.backoff import Backoff
from shared.clock import instant, now_ms
from shared.decider import Decider, Document
from shared.errors import Unavailable
from shared.metrics import ARCHIVED
from shared.runtime.entries import JournalEntry
from shared.runtime.folding import Fold, Unfoldable
from shared.runtime.journal import CLOSED, Journal, Loaded, Stored, translated
from shared.runtime.service import Service
from shared.runtime.stored import ENTRY, SNAPSHOT
from shared.settings import Settings
from shared.writes import split, write_of

log = structlog.get_logger()

_PAGES_MAX = 50
_TOLD_MAX = 1_000
_WINDOW = 4
"""So many versions are asked for at once, and twice as many with each further look: most streams have fewer."""
_FOLDED = {"v": 1, "writes": 1, "events": 1, "at": 1, "partition": 1}


async def load(journal: Journal, decider: Decider[Any, Any], ids: Sequence[str], names: Sequence[str]) -> Loaded:
    """Step 3's entries, fences and streams, all looked for at once; those whose snapshots have left come back.

    :raises Unfoldable: the journal of such a stream has a gap, or an event that cannot be applied.
    """
    firsts = {write_of(name, 1): name for name in names if decider.may_close(name)} if decider.closable else {}
    if not firsts:
        return await journal.load(ids, names)
    loaded, begun = await asyncio.gather(journal.load(ids, names), _written(journal, [*firsts], {"v": 1, "writes": 1}))
    left = {firsts[write] for write in begun} - loaded.streams.keys()
    if not left:
        return loaded
    return replace(loaded, streams={**loaded.streams, **await restored(journal, decider, left)})


async def restored(journal: Journal, decider: Decider[Any, Any], names: Collection[str]) -> dict[str, Stored]:
    """These streams, those that the journal has, each folded to its last version. Raises as :func:`load`."""
    folds = {name: Fold(name, decider) for name in names}
    going, first, window = {*names}, 1, _WINDOW
    while going:
        wanted = [write_of(name, version) for name in going for version in range(first, first + window)]
        found = await _written(journal, wanted)
        for write in sorted(found):
            stream, version = split(write)
            folds[stream].add(version, found[write])
        first, window = first + window, window * 2
        going = {name for name in going if folds[name].version == first - 1}
    documents = {name: fold.snapshot() for name, fold in folds.items() if fold.version}
    return {name: Stored(document["version"], document, archived=True) for name, document in documents.items()}


async def _written(
    journal: Journal, writes: Sequence[str], parts: Mapping[str, int] = _FOLDED
) -> Mapping[str, JournalEntry]:
    """These parts of the entries of these writes, by write."""
    async with translated():
        found = await journal.entries.find({"writes": {"$in": writes}}, parts).to_list(None)
    wanted = {*writes}
    entries = [cast(JournalEntry, ENTRY.upgrade(entry)) for entry in found]
    return {write: entry for entry in entries for write in wanted.intersection(entry["writes"])}


def closed_before(settings: Settings) -> datetime:
    """Streams that were closed by this instant have no snapshot any more."""
    return instant(now_ms()) - timedelta(days=settings.closed_kept_days)


class Archive:
    """Removes snapshots of closed streams, in the partitions of the command topic that this process holds."""

    def __init__(
        self, service: Service, settings: Settings, journal: Journal, partitions: Callable[[], Sequence[int]]
    ) -> None:
        self._service = service
        self._settings = settings
        self._journal = journal
        self._partitions = partitions
        self._told: set[str] = set()

    async def run(self) -> None:
        """Look for ever, every `sweep_interval_s`; with a server away, wait and go on."""
        backoff = Backoff(first_ms=100)
        while True:
            try:
                await self.turn()
            except Unavailable as error:
                log.info("the archive waits", reason=str(error))
                await backoff.wait()
            else:
                backoff.reset()
            await asyncio.sleep(self._settings.sweep_interval_s)

    async def turn(self) -> None:
        """Remove what has been closed for long enough, page by page; after many pages, leave the rest to the next."""
        before = closed_before(self._settings)
        for partition in self._partitions():
            after = None
            for _ in range(_PAGES_MAX):
                page = await self._page(partition, before, after)
                if page:
                    await self._remove(page)
                if len(page) < self._settings.sweep_page_max:
                    break
                after = (page[-1]["closed_at"], page[-1]["_id"])

    async def _page(self, partition: int, before: datetime, after: tuple[datetime, str] | None) -> list[Document]:
        """The next streams of a partition that have been closed since `before`, those closed first at first."""
        since: Document = {"closed_at": {"$lte": before, "$type": "date"}, "partition": partition}
        if after is not None:
            at, name = after
            since["$or"] = [{"closed_at": {"$gt": at}}, {"closed_at": at, "_id": {"$gt": name}}]
            since["closed_at"]["$gte"] = at
        async with translated():
            found = self._journal.snapshots.find(since).hint(CLOSED).sort([("closed_at", 1), ("_id", 1)])
            return [SNAPSHOT.upgrade(each) for each in await found.limit(self._settings.sweep_page_max).to_list(None)]

    async def _remove(self, page: Sequence[Document]) -> None:
        """Remove those that the journal gives again exactly as they are; of another, say so and keep it."""
        made = await self._made({each["_id"] for each in page})
        same = [each for each in page if each["_id"] in made and self._same(each, made[each["_id"]].document)]
        for each in page:
            if each not in same:
                self._keep(each["_id"])
        if not same:
            return
        removals = [DeleteOne({"_id": each["_id"], "version": each["version"]}) for each in same]
        async with translated():
            removed = await self._journal.snapshots.bulk_write(removals, ordered=False)
        ARCHIVED.labels(self._service.name, "removed").inc(removed.deleted_count)

    def _keep(self, stream: str) -> None:
        """Count a stream that must stay, at each look, and say so once."""
        ARCHIVED.labels(self._service.name, "kept").inc()
        if stream not in self._told and len(self._told) < _TOLD_MAX:
            self._told.add(stream)
            log.error("a closed stream is not what its journal gives; run `fealty verify`", stream=stream)

    async def _made(self, names: Collection[str]) -> dict[str, Stored]:
        """What the journal gives of these streams, without those that cannot be folded."""
        decider = self._service.decider
        try:
            return await restored(self._journal, decider, names)
        except Unfoldable:
            if len(names) == 1:
                return {}
            middle, each = len(names) // 2, [*names]
            return {**await self._made(each[:middle]), **await self._made(each[middle:])}

    def _same(self, stored: Document, made: Document) -> bool:
        """Whether a snapshot and what the journal gives agree, the stored state in today's shape."""
        decider = self._service.decider
        state = decider.dump_state(decider.load_state(stored["_id"], stored["state"]))
        return {**stored, "state": state} == made

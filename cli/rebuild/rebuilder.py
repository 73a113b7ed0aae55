"""Rebuilding all snapshots of a service from its journal.

The journal is read once, stream by stream, in pages, a large one in several parts at once; the next page is on its
way and the last snapshots are being written while the present page is folded. What has been written is remembered, so
that a rebuild that was cut short goes on where it was. Snapshots of streams that no entry wrote go at the end; the
fences stay as they are.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from cli.rebuild.parts import Part, parts_of
from cli.rebuild.report import Report
from cli.rebuild.store import Store
from shared.decider import Decider, Document
from shared.runtime.entries import JournalEntry
from shared.runtime.folding import Fold, Unfoldable
from shared.runtime.history import History
from shared.runtime.journal import Journal
from shared.shapes import VERSION
from shared.writes import first_write, last_write, split, write_of

_PAGE_WRITES = 2_000
_SNAPSHOTS_PAGE = 500
_LOOK_INTERVAL_S = 0.5
_NEVER = datetime.min.replace(tzinfo=UTC)


Elsewhere = Callable[[Part], Awaitable[Report]]
"""Folds a part in a process of its own, by :func:`fold_part`."""


async def rebuild(
    journal: Journal,
    decider: Decider[Any, Any],
    *,
    closed_before: datetime = _NEVER,
    restart: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    parts_max: int = 1,
    elsewhere: Elsewhere | None = None,
) -> Report:
    """Make every snapshot again; `progress` hears of writes done and about how many there are.

    Streams that were closed before `closed_before` get none, as the archive leaves them.

    The service should be stopped: what a running one books meanwhile is kept, and so is a damaged snapshot that it
    has carried on. With `restart`, the work of a rebuild that was cut short is done again. A large journal is folded
    in as many as `parts_max` parts at once, each of them `elsewhere`.

    :raises Unavailable: the database is away or too slow; the next call goes on from there.
    """
    history, store = History(journal), Store(journal)
    if restart:
        await store.forget()
    parts = await store.parts()
    if parts is None:
        parts = await parts_of(history, parts_max if elsewhere is not None else 1)
        await store.keep_parts(parts)
    whole = _Rebuilder(journal, decider, parts[0], progress, closed_before)
    if len(parts) == 1 or elsewhere is None:
        for part in parts:
            whole.report.include(await fold_part(journal, decider, part, progress, closed_before))
    else:
        total = await history.size()
        folding = asyncio.gather(*map(elsewhere, parts))
        while not (await asyncio.wait([folding], timeout=_LOOK_INTERVAL_S))[0]:
            progress(await store.writes(), total)
        for report in await folding:
            whole.report.include(report)
    await whole.without_journal()
    await store.forget()
    progress(whole.report.writes, whole.report.writes)
    return whole.report


async def fold_part(
    journal: Journal,
    decider: Decider[Any, Any],
    part: Part,
    progress: Callable[[int, int], None] = lambda done, total: None,
    closed_before: datetime = _NEVER,
) -> Report:
    """Make the snapshots of a part's streams; `progress` is called after each page. Raises as :func:`rebuild`."""
    return await _Rebuilder(journal, decider, part, progress, closed_before).run()


class _Rebuilder:
    """One pass over a part of the journal; and one over all snapshots for those that no entry led to."""

    def __init__(
        self,
        journal: Journal,
        decider: Decider[Any, Any],
        part: Part,
        progress: Callable[[int, int], None],
        closed_before: datetime,
    ) -> None:
        self._closed_before = closed_before
        self._history = History(journal)
        self._store = Store(journal, part.number)
        self._decider = decider
        self._part = part
        self._progress = progress
        self.report = Report()
        self._open: dict[str, Fold] = {}
        self._broken: dict[str, str] = {}
        self._before: dict[str, str] = {}

    async def run(self) -> Report:
        after, until = await self._begin(), self._part.until
        total = await self._history.size()
        reading = asyncio.create_task(self._history.page(after, _PAGE_WRITES))
        writing: asyncio.Task[None] | None = None
        try:
            while page := await reading:
                if until is not None and page[-1][0] > until:
                    page = [each for each in page if each[0] <= until]
                    reading = asyncio.create_task(_nothing())
                else:
                    reading = asyncio.create_task(self._history.page(page[-1][0], _PAGE_WRITES))
                await asyncio.sleep(0)  # Let it start; it is the other processor that reads while we fold.
                for write, entry in page:
                    self._add(write, entry, after)
                    after = write
                done = self._close([stream for stream in self._open if last_write(stream) < after])
                if writing is not None:
                    await writing
                writing = asyncio.create_task(self._write(done, self._reached(after)))
                self._progress(self.report.writes, max(total, self.report.writes))
            if writing is not None:
                await writing
        finally:
            for task in (reading, writing):
                if task is not None:
                    task.cancel()
        await self._write(self._close(list(self._open)), self._reached(after))
        return self.report

    async def _begin(self) -> str:
        """The write to go on after."""
        kept = await self._store.progress()
        if kept is None:
            return self._part.after
        after: str = kept.pop("after")
        del kept[VERSION]
        self.report = Report(**{**kept, "unfoldable": dict(kept["unfoldable"]), "going_on_after": split(after)[0]})
        return after

    def _reached(self, after: str) -> Document:
        """What to remember once all that is closed is written: the write before the first stream still open."""
        if self._open:
            after = self._before[next(iter(self._open))]
        kept = asdict(self.report)
        del kept["going_on_after"]
        # As pairs, since names of streams may have dots.
        return {**kept, "unfoldable": [[*each] for each in self.report.unfoldable.items()], "after": after}

    def _add(self, write: str, entry: JournalEntry, before: str) -> None:
        """Fold one write; a stream that cannot be folded any further is followed to its end all the same."""
        stream, version = split(write)
        fold = self._open.get(stream)
        if fold is None:
            fold = self._open[stream] = Fold(stream, self._decider)
            self._before[stream] = before
        if stream not in self._broken:
            try:
                fold.add(version, entry)
            except Unfoldable as unfoldable:
                self._broken[stream] = str(unfoldable)

    def _close(self, streams: list[str]) -> list[Document]:
        """The snapshots of streams that have no more writes."""
        snapshots = []
        for stream in streams:
            fold = self._open.pop(stream)
            del self._before[stream]
            self.report.streams += 1
            self.report.writes += fold.version
            self.report.events += fold.events
            if stream in self._broken:
                self.report.cannot_fold(stream, self._broken.pop(stream))
            else:
                snapshots.append(fold.snapshot())
        return snapshots

    async def _write(self, snapshots: list[Document], reached: Document) -> None:
        """Write snapshots, but for those of streams closed long ago, and then remember them as done."""
        archived = [each for each in snapshots if "closed_at" in each and each["closed_at"] <= self._closed_before]
        if archived:
            await self._store.leave_out(archived)
            snapshots = [each for each in snapshots if each not in archived]
        if snapshots:
            await self._store.put(snapshots)
        if reached["after"]:
            await self._store.keep(reached)

    async def _settle(self, stream: str) -> None:
        """A snapshot that is said to be of a version which nobody wrote: make it again, or remove it.

        It is looked at once more, and before the journal, which then has its write unless nobody ever wrote it.
        """
        while (found := await self._store.found(stream)) is not None:
            try:
                fold = await self._folded(stream)
            except Unfoldable as unfoldable:
                self.report.cannot_fold(stream, str(unfoldable))
                return
            if fold.version:
                settled = await self._store.replace(fold.snapshot(), found)
            else:
                settled = await self._store.remove(found)
                self.report.removed += settled
            if settled:
                return

    async def _folded(self, stream: str) -> Fold:
        fold, after, end = Fold(stream, self._decider), first_write(stream), last_write(stream)
        while after < end and (page := await self._history.page(after)):
            for write, entry in page:
                name, version = split(write)
                if name == stream:
                    fold.add(version, entry)
            after = page[-1][0]
        return fold

    async def without_journal(self) -> None:
        """Settle snapshots at a version that no entry has written."""
        after = ""
        while page := await self._history.snapshots(after, _SNAPSHOTS_PAGE):
            after = page[-1]["_id"]
            versions = {each["_id"]: each.get("version") for each in page}
            named = {name: write_of(name, at) for name, at in versions.items() if isinstance(at, int)}
            written = await self._history.written(list(named.values()))
            for stream in versions:
                if named.get(stream) not in written and stream not in self.report.unfoldable:
                    await self._settle(stream)


async def _nothing() -> list[tuple[str, JournalEntry]]:
    """No page: the part is at its end."""
    return []

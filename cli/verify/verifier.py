"""Verifying a whole store while its service runs.

The journal is read once, stream by stream, in pages; snapshots are read as their streams come by. What then looks
wrong is looked at once more, the snapshot before its journal, so that commands booked meanwhile are no false alarm.
"""

from collections.abc import Callable

from cli.verify.replay import Checks, Replay
from shared.findings import Report
from shared.runtime.history import History
from shared.writes import first_write, last_write, split, write_of

_PAGE_WRITES = 500


async def verify(
    history: History, checks: Checks, progress: Callable[[int, int], None] = lambda done, total: None
) -> Report:
    """Verify one service's store; `progress` hears of entries done and about how many there are.

    :raises Unavailable: the database is away or too slow; nothing is said about the store then.
    """
    return await _Verifier(history, checks, progress).run()


class _Verifier:
    """One pass over the journal, then one over the snapshots for those that no entry led to."""

    def __init__(self, history: History, checks: Checks, progress: Callable[[int, int], None]) -> None:
        self._history = history
        self._checks = checks
        self._progress = progress
        self._report = Report()
        self._open: dict[str, Replay] = {}
        self._off: set[str] = set()

    async def run(self) -> Report:
        total = await self._history.size()
        after, report = "", self._report
        while page := await self._history.page(after, _PAGE_WRITES):
            for write, entry in page:
                stream, version = split(write)
                if stream not in self._open:
                    self._open[stream] = Replay(stream, self._checks)
                self._open[stream].add(version, entry)
            after = page[-1][0]
            report.writes += len(page)
            await self._close([stream for stream in self._open if last_write(stream) < after])
            self._progress(report.writes, max(total, report.writes))
        await self._close(list(self._open))
        await self._without_journal()
        self._progress(total, total)
        return report

    async def _close(self, names: list[str]) -> None:
        """Compare streams that have no more entries."""
        if not names:
            return
        stored = await self._history.streams(names)
        for name in names:
            replay = self._open.pop(name)
            self._report.streams += 1
            self._report.events += replay.events
            if replay.compared(stored.get(name)):
                await self._look_again(name, replay.version)

    async def _without_journal(self) -> None:
        """Snapshots whose version no entry has written; those found before are not told twice."""
        after = ""
        while page := await self._history.snapshots(after, _PAGE_WRITES):
            after = page[-1]["_id"]
            named = {write_of(each["_id"], each["version"]): each["_id"] for each in page}
            for write in named.keys() - await self._history.written(list(named)):
                if named[write] not in self._off:
                    await self._look_again(named[write], 0)

    async def _look_again(self, stream: str, seen: int) -> None:
        """The snapshot first, then its journal up to that version: what is off now is off.

        `seen` is the version that the journal was seen to have before, behind which no snapshot can be.
        """
        stored = (await self._history.streams([stream])).get(stream)
        up_to = seen if stored is None else max(seen, stored.version)
        replay, after, end = Replay(stream, self._checks), first_write(stream), last_write(stream)
        while page := await self._history.page(after, _PAGE_WRITES):
            for write, entry in page:
                name, version = split(write)
                if name == stream and version <= up_to:
                    replay.add(version, entry)
            after = page[-1][0]
            if after > end or replay.version >= up_to:
                break
        if found := replay.compared(stored):
            self._off.add(stream)
            self._report.add(stream, found)

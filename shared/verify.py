"""Recomputing every stream of a service from its journal, and comparing it with what is stored (RULES 4.1.7).

The journal is read once, stream by stream, in pages; snapshots are read as their streams come by. What then looks
wrong is looked at once more, the snapshot before its journal, so that commands booked meanwhile are no false alarm.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from shared.decider import Decider, Document
from shared.runtime.journal import Journal, Stored

_PAGE_ENTRIES = 500
_FINDINGS_PER_STREAM_MAX = 20
_FINDINGS_MAX = 1_000
_NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Difference:
    """Something off: what it is about, what should be there, what is there."""

    what: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference, and the stream that it is on."""

    stream: str
    difference: Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """How one service's streams are recomputed, and what must hold of each event and of each state besides."""

    decider: Decider[Any, Any]
    event: Callable[[Any, Any], Iterable[Difference]]
    state: Callable[[Any], Iterable[Difference]]


@dataclass(slots=True)
class Report:
    """What was looked at, and what is off; `findings` holds the first thousand, `streams_off` counts all streams."""

    streams: int = 0
    entries: int = 0
    events: int = 0
    streams_off: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Nothing is off."""
        return self.streams_off == 0

    def add(self, stream: str, differences: list[Difference]) -> None:
        """Note what is off on a stream."""
        self.streams_off += 1
        room = max(0, _FINDINGS_MAX - len(self.findings))
        self.findings += [Finding(stream, each) for each in differences[: min(room, _FINDINGS_PER_STREAM_MAX)]]


async def verify(
    journal: Journal, checks: Checks, progress: Callable[[int, int], None] = lambda done, total: None
) -> Report:
    """Verify one service's store; `progress` hears of entries done and about how many there are.

    :raises Unavailable: the database is away or too slow; nothing is said about the store then.
    """
    return await _Verifier(journal, checks, progress).run()


class _Replay:
    """One stream, folded from its writes in order; after a gap or an unreadable event only versions are followed."""

    def __init__(self, stream: str, checks: Checks) -> None:
        self.stream = stream
        self.version = 0
        self.events = 0
        self.booked_at: Any = None
        self.differences: list[Difference] = []
        self._checks = checks
        self._state = checks.decider.initial(stream)
        self._broken = False

    def add(self, version: int, entry: Document) -> None:
        """Fold the stream's next entry."""
        if version != self.version + 1:
            self._break("version in the journal", str(self.version + 1), str(version))
        self.version = version
        self.booked_at = entry["at"]
        for event in entry["events"]:
            if event["stream"] == self.stream and not self._broken:
                self._fold(event["data"], version)
                self.events += 1

    def _fold(self, document: Document, version: int) -> None:
        try:
            event = self._checks.decider.load_event(document)
            self.differences += self._checks.event(self._state, event)
            self._state = self._checks.decider.evolve(self._state, event)
        except Exception as error:  # Whatever is wrong with a stored event shall be told, and not end the search.
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            self._break(f"event of version {version}", "one that can be applied", reason)

    def _break(self, what: str, expected: str, found: str) -> None:
        self.differences.append(Difference(what, expected, found))
        self._broken = True

    def compared(self, stored: Stored | None) -> list[Difference]:
        """All that is off on the stream."""
        found = list(self.differences)
        if not self._broken:
            found += self._checks.state(self._state)
        if stored is None:
            return [*found, Difference("snapshot", f"version {self.version}", _NOTHING)]
        if self.version == 0:
            return [*found, Difference("journal", f"versions 1 to {stored.version}", _NOTHING)]
        if stored.version != self.version:
            return [*found, Difference("version of the snapshot", str(self.version), str(stored.version))]
        if stored.document.get("booked_at") != self.booked_at:
            found.append(Difference("booked_at", str(self.booked_at), str(stored.document.get("booked_at"))))
        return found if self._broken else [*found, *self._compared_state(stored.document)]

    def _compared_state(self, document: Document) -> Iterator[Difference]:
        decider = self._checks.decider
        try:
            state = decider.load_state(self.stream, document["state"])
        except Exception as error:  # As above.
            yield Difference("snapshot", "one that can be read", f"{type(error).__name__}: {error}".partition("\n")[0])
            return
        yield from differences(decider.dump_state(self._state), decider.dump_state(state), "snapshot ")


class _Verifier:
    """One pass over the journal, then one over the snapshots for those that no entry led to."""

    def __init__(self, journal: Journal, checks: Checks, progress: Callable[[int, int], None]) -> None:
        self._journal = journal
        self._checks = checks
        self._progress = progress
        self._report = Report()
        self._open: dict[str, _Replay] = {}
        self._off: set[str] = set()

    async def run(self) -> Report:
        total = await self._journal.size()
        after, report = "", self._report
        while page := await self._journal.history(after, _PAGE_ENTRIES):
            for write, entry in page:
                stream, version = split(write)
                if stream not in self._open:
                    self._open[stream] = _Replay(stream, self._checks)
                self._open[stream].add(version, entry)
            after = page[-1][0]
            report.entries += len({id(entry) for _, entry in page})
            await self._close([stream for stream in self._open if last_write(stream) < after])
            self._progress(report.entries, max(total, report.entries))
        await self._close(list(self._open))
        await self._without_journal()
        self._progress(total, total)
        return report

    async def _close(self, names: list[str]) -> None:
        """Compare streams that have no more entries."""
        if not names:
            return
        stored = (await self._journal.load([], names)).streams
        for name in names:
            replay = self._open.pop(name)
            self._report.streams += 1
            self._report.events += replay.events
            if replay.compared(stored.get(name)):
                await self._look_again(name)

    async def _without_journal(self) -> None:
        """Snapshots whose version no entry has written; those found before are not told twice."""
        after = ""
        while page := await self._journal.versions(after, _PAGE_ENTRIES):
            after = page[-1][0]
            named = {write_of(stream, version): stream for stream, version in page}
            for write in named.keys() - await self._journal.written(list(named)):
                if named[write] not in self._off:
                    await self._look_again(named[write])

    async def _look_again(self, stream: str) -> None:
        """The snapshot first, then its journal up to that version: what is off now is off."""
        stored = (await self._journal.load([], [stream])).streams.get(stream)
        replay, after, end = _Replay(stream, self._checks), f"{stream}#", last_write(stream)
        while page := await self._journal.history(after, _PAGE_ENTRIES):
            for write, entry in page:
                name, version = split(write)
                if name == stream and (stored is None or version <= stored.version):
                    replay.add(version, entry)
            after = page[-1][0]
            if after > end or (stored is not None and replay.version >= stored.version):
                break
        if found := replay.compared(stored):
            self._off.add(stream)
            self._report.add(stream, found)


_VERSION_DIGITS = 12


def write_of(stream: str, version: int) -> str:
    """How the journal names the write of a version."""
    return f"{stream}#{version:0{_VERSION_DIGITS}d}"


def last_write(stream: str) -> str:
    """Comes after every write of the stream, and before those of streams with later names."""
    return f"{stream}#:"


def split(write: str) -> tuple[str, int]:
    """The stream and the version of a write."""
    stream, _, version = write.rpartition("#")
    return stream, int(version)


def differences(expected: Any, found: Any, path: str = "") -> Iterator[Difference]:
    """Where two documents differ, each with its JSON pointer."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in {**expected, **found}:
            yield from differences(expected.get(name, _NOTHING), found.get(name, _NOTHING), f"{path}/{name}")
    elif isinstance(expected, list) and isinstance(found, list):
        for index in range(max(len(expected), len(found))):
            one = expected[index] if index < len(expected) else _NOTHING
            other = found[index] if index < len(found) else _NOTHING
            yield from differences(one, other, f"{path}/{index}")
    elif expected != found:
        yield Difference(path, str(expected), str(found))

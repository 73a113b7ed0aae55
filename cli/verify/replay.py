"""One stream, recomputed from its journal and held against its snapshot."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.decider import Decider, Document
from shared.findings import NOTHING, Difference, differences
from shared.runtime.entries import JournalEntry
from shared.runtime.journal import Stored

_NEVER = datetime.min.replace(tzinfo=UTC)
_PERSONAL = "/personal"
"""A part of a state of which is told that it differs, and not what it says (rules 4.5.6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """How one service's streams are recomputed, and what must hold of each event and of each state besides.

    Streams that were closed by `closed_before()` need no snapshot.
    """

    decider: Decider[Any, Any]
    event: Callable[[Any, Any], Iterable[Difference]]
    state: Callable[[Any], Iterable[Difference]]
    closed_before: Callable[[], datetime] = lambda: _NEVER


class Replay:
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

    def add(self, version: int, entry: JournalEntry) -> None:
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
        if stored is None and self._archived():
            return found
        if stored is None:
            return [*found, Difference("snapshot", f"version {self.version}", NOTHING)]
        if self.version == 0:
            return [*found, Difference("journal", f"versions 1 to {stored.version}", NOTHING)]
        if stored.version != self.version:
            return [*found, Difference("version of the snapshot", str(self.version), str(stored.version))]
        if stored.document.get("booked_at") != self.booked_at:
            found.append(Difference("booked_at", str(self.booked_at), str(stored.document.get("booked_at"))))
        return found if self._broken else [*found, *self._compared_state(stored.document)]

    def _archived(self) -> bool:
        """Whether the archive may have taken the snapshot by now."""
        checks = self._checks
        closed = not self._broken and self.version > 0 and checks.decider.closed(self._state)
        return closed and self.booked_at <= checks.closed_before()

    def _compared_state(self, document: Document) -> Iterator[Difference]:
        decider = self._checks.decider
        try:
            state = decider.load_state(self.stream, document["state"])
        except Exception as error:  # As above.
            yield Difference("snapshot", "readable", f"{type(error).__name__}: {error}".partition("\n")[0])
            return
        for each in differences(decider.dump_state(self._state), decider.dump_state(state), "snapshot "):
            yield each if _PERSONAL not in each.what else Difference(each.what, "what the journal gives", "another")

"""One stream, folded from its journal into the snapshot that the runtime would have written."""

from datetime import datetime
from typing import Any

from shared.decider import Decider, Document
from shared.errors import FealtyError
from shared.runtime.entries import JournalEntry
from shared.runtime.stored import SNAPSHOT


class Unfoldable(FealtyError):
    """A stream's journal has a gap, or an event that cannot be applied."""


def snapshot_of(
    stream: str, version: int, booked_at: datetime, partition: int | None, state: Any, decider: Decider[Any, Any]
) -> Document:
    """A stream's snapshot as it is stored; that of a closed one says since when it is closed (archive.py)."""
    document = {
        "_id": stream,
        "v": SNAPSHOT.version,
        "version": version,
        "booked_at": booked_at,
        "partition": partition,
        "state": decider.dump_state(state),
    }
    if decider.closed(state):
        document["closed_at"] = booked_at
    return document


class Fold:
    """Folds one stream's writes in order; `version` is that of the last, `events` counts those folded."""

    __slots__ = ("_booked_at", "_decider", "_partition", "_state", "events", "stream", "version")

    def __init__(self, stream: str, decider: Decider[Any, Any]) -> None:
        self.stream = stream
        self.version = 0
        self.events = 0
        self._decider = decider
        self._state: Any = None
        self._booked_at: Any = None
        self._partition: Any = None

    def add(self, version: int, entry: JournalEntry) -> None:
        """Fold the stream's next write.

        :raises Unfoldable: it is not the next one, or one of its events cannot be applied.
        """
        if version != self.version + 1:
            raise Unfoldable(f"the journal has version {version} after {self.version}")
        decider, stream = self._decider, self.stream
        try:
            state = decider.initial(stream) if version == 1 else self._state
            for event in entry["events"]:
                if event["stream"] == stream:
                    state = decider.evolve(state, decider.load_event(event["data"]))
                    self.events += 1
        except Exception as error:  # Whatever is wrong with one stream, the others are folded.
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            raise Unfoldable(f"an event of version {version} cannot be applied: {reason}") from error
        self._state = state
        self._booked_at = entry["at"]
        self._partition = entry["partition"]
        self.version = version

    def snapshot(self) -> Document:
        """The stream's snapshot, member for member as a batch writes it."""
        return snapshot_of(self.stream, self.version, self._booked_at, self._partition, self._state, self._decider)

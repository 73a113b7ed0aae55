"""One batch in the making: the working copy of what was loaded, and what is to be written and published."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from schemas.replies import Reply
from shared.decider import Accepted, Decider, Document, Entry, entry_key
from shared.metrics import DEAD_LETTERS, RECORDS, REFUSALS
from shared.runtime.decode import Incoming, Query
from shared.runtime.entries import REJECTED, JournalEntry, Outcome
from shared.runtime.folding import snapshot_of
from shared.runtime.journal import Append, Loaded, Stored, fence_id
from shared.runtime.kafka import ConsumerRecord, Record
from shared.runtime.stored import FENCE

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_ENTRY = entry_key("")


class Answer(NamedTuple):
    """What is answered to whom: a reply, or the one that an entry makes, with the snapshots of `streams`."""

    to: Incoming | Query
    reply: Reply | Outcome
    streams: Collection[str]
    replayed: bool


@dataclass(slots=True)
class Working:
    """A stream while the batch is decided: the version that was read, the version now, and the state.

    `partition` is that of the record which wrote it last, in this batch. An `archived` one has no snapshot to replace.
    """

    read_version: int
    version: int
    state: Any
    booked_at: datetime
    partition: int | None = None
    archived: bool = False


class States(Mapping[str, Any]):
    """The states of the streams, and the entries of other commands, as `decide` may see them."""

    __slots__ = ("_plan",)

    def __init__(self, plan: "Plan") -> None:
        self._plan = plan

    def __getitem__(self, name: str) -> Any:
        if name.startswith(_ENTRY):
            return self._plan.entry(name.removeprefix(_ENTRY))
        return self._plan.stream(name).state

    def __iter__(self) -> Iterator[str]:
        return iter(self._plan.streams)

    def __len__(self) -> int:
        return len(self._plan.streams)


@dataclass(slots=True)
class Plan:
    """What one batch comes to. `names` and `ids` are the streams and entries that were looked for.

    `touched` are the streams whose current snapshot is published, `erased` those whose journal loses what is personal.
    """

    decider: Decider[Any, Any]
    names: frozenset[str]
    ids: frozenset[str]
    loaded: Loaded
    streams: dict[str, Working] = field(default_factory=dict)
    entries: dict[str, JournalEntry] = field(default_factory=dict)
    dead_letters: list[Document] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    replies: list[Answer] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    erased: dict[str, None] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)

    def stream(self, name: str) -> Working:
        """The working copy of a stream, made from its snapshot or from nothing when first asked for.

        :raises KeyError: when no command of the batch named the stream, so that it was not looked for.
        """
        working = self.streams.get(name)
        if working is None:
            if name not in self.names:
                raise KeyError(f"{name} was not named by `streams`")
            stored = self.loaded.streams.get(name)
            if stored is None:
                working = Working(0, 0, self.decider.initial(name), _NEVER)
            else:
                document = stored.document
                state = self.decider.load_state(name, document["state"])
                working = Working(stored.version, stored.version, state, document["booked_at"])
                working.archived = stored.archived
            self.streams[name] = working
        return working

    def include(self, names: Collection[str], found: Mapping[str, Stored]) -> None:
        """Streams that no command of the batch named, which an answer shows."""
        self.names |= {*names}
        self.loaded = replace(self.loaded, streams={**self.loaded.streams, **found})

    def known(self, command_id: str) -> JournalEntry | None:
        """The journal document of a command, loaded or made earlier in this batch; None when there is none."""
        return self.loaded.entries.get(command_id) or self.entries.get(command_id)

    def entry(self, command_id: str) -> Entry | None:
        """The same for `decide`, its events read.

        :raises KeyError: when no command of the batch named the entry, so that it was not looked for.
        """
        if command_id not in self.ids:
            raise KeyError(f"{entry_key(command_id)} was not named by `streams`")
        found = self.known(command_id)
        if found is None:
            return None
        load = self.decider.load_event
        events = tuple([(event["stream"], load(event["data"])) for event in found.get("events", ())])
        return Entry(command_id, found["type"], found["subject"], found["status"], events, found.get("actor"))

    def fold(self, verdict: Accepted[Any], now: datetime, partition: int) -> Collection[str]:
        """Fold an accepted command's events into the working copies; the streams that it wrote, in order."""
        evolve = self.decider.evolve
        written = dict.fromkeys([stream for stream, _ in verdict.events])
        for stream in written:
            working = self.stream(stream)
            working.version += 1
            working.booked_at = now
            working.partition = partition
        if verdict.states is not None:
            for stream in written:
                self.streams[stream].state = verdict.states[stream]
        else:
            for stream, event in verdict.events:
                working = self.streams[stream]
                working.state = evolve(working.state, event)
        return written

    def reply(
        self, to: Incoming | Query, reply: Reply | Outcome, streams: Collection[str] = (), replayed: bool = False
    ) -> None:
        """Answer whoever waits, with a reply or with an entry's; the snapshots of `streams` go along.

        `replayed` says that an earlier request brought the same command.
        """
        if to.envelope.reply_to is not None:
            self.replies.append(Answer(to, reply, streams, replayed))

    def count(self, outcome: str) -> None:
        """One more record that ended like this."""
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1

    def observe(self, topic: str) -> None:
        """Count how the batch's records ended; a refusal by its code, and by the topic of the input that it refuses."""
        for outcome, count in self.outcomes.items():
            RECORDS.labels(topic, outcome).inc(count)
        for letter in self.dead_letters:
            DEAD_LETTERS.labels(letter["topic"], letter["reason"]).inc()
        for entry in self.entries.values():
            ended: Outcome = entry.get("closing", entry)
            if ended["status"] == REJECTED:
                REFUSALS.labels(ended["about"].get("input", {}).get("topic", topic), ended["code"]).inc()

    def append(self, records: list[ConsumerRecord[bytes, bytes]]) -> Append:
        """Step 5's documents: entries, changed streams guarded by the version read, and moved fences (P5)."""
        changed = [
            (None if working.archived else working.read_version, self._snapshot(name, working))
            for name, working in self.streams.items()
            if working.version > working.read_version
        ]
        last = {fence_id(record.topic, record.partition): record.offset for record in records}
        fences = [
            (self.loaded.fences.get(name), FENCE.stamp({"_id": name, "version": offset + 1}))
            for name, offset in last.items()
        ]
        return Append(list(self.entries.values()), changed, fences, self.dead_letters, list(self.erased))

    def _snapshot(self, name: str, working: Working) -> Document:
        return snapshot_of(name, working.version, working.booked_at, working.partition, working.state, self.decider)

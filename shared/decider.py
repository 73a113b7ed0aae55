"""What a stateful service is made of: a few pure functions over frozen values.

A command names the streams that it reads and writes; `decide` turns their states and the command into events or a
refusal; `evolve` folds one event into one stream's state. Time and ids arrive with the command; nothing here
reads a clock, draws a number or does I/O.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

State = TypeVar("State")
Event = TypeVar("Event")

Document = dict[str, Any]


class Command(NamedTuple):
    """A command as `decide` sees it.

    `id` is its UUID, which is also the transaction id; `subject` the main aggregate's id; `payload` its wire model;
    `now` a UTC instant, the later of the record's timestamp and the written streams' last booking (P4). `secret` is
    the installation's, with which to derive from the id what nobody shall guess, the same on each redelivery.
    """

    id: str
    type: str
    store: str
    subject: str
    payload: Any
    now: datetime
    secret: bytes = b""


@dataclass(frozen=True, slots=True)
class Streams:
    """The streams of a command: those it may write (guarded by their versions) and those it only reads.

    `entries` are ids of commands whose journal entries deciding needs, as a reversal needs what the original booked.
    """

    writes: tuple[str, ...]
    reads: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()


class Entry(NamedTuple):
    """What the journal has of another command: its id, type and subject, how it ended, what it booked, who sent it.

    `status` is `accepted`, `held`, `rejected` or `forwarded`; `events` come in order, each with its stream, and there
    are none unless it was accepted or held. `actor` is None where nobody is known, as for inputs.
    """

    id: str
    type: str
    subject: str
    status: str
    events: tuple[tuple[str, Any], ...]
    actor: str | None = None


def entry_key(command_id: str) -> str:
    """Where `decide` finds a command's :class:`Entry` among the states; None stands there when there is no entry."""
    return f"entry/{command_id}"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A command that an accepted command causes; its id is v5(command id, index), unless one is given.

    With `text`, that JSON is sent instead of the payload: numbers of a caller stay exactly as they were.

    With `snapshots` the payload gets a member of that name, with those of the streams that the command writes.
    """

    topic: str
    type: str
    subject: str
    payload: Document
    id: str | None = None
    snapshots: bool = False
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Closing:
    """The outcome of the command `command_id`, which was held: a result, or a refusal that changed nothing.

    `snapshots` are those of another service, for whoever waits.
    """

    command_id: str
    result: Document
    refusal: "Rejected | None" = None
    snapshots: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted(Generic[Event]):
    """What an accepted command books: events in order, each with its stream; none at all is a no-op.

    `result` goes into the reply and is JSON-shaped; `memo` is kept in the journal and shown to operators only.
    `states` may give the written streams as the events leave them, when deciding has folded them anyway: it is what
    `evolve` makes of the events, and saves folding them again.

    A command that is `held` has no outcome yet: another one, whose id is v5("close", command id), is the `closing` of
    it, and answers whoever waits. Until then a repeat is answered `pending`. The closing one names it among its
    `entries`.

    An event's document may have a member `personal`, which the journal keeps and no topic of events gets; `erase` names
    streams that lose it, in all entries of the journal, with this command (rules 4.5.6).
    """

    events: tuple[tuple[str, Event], ...]
    result: Document
    follow_ups: tuple[FollowUp, ...] = ()
    memo: str | None = None
    states: Mapping[str, Any] | None = None
    held: bool = False
    closing: Closing | None = None
    erase: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A refusal: a code from a closed list, a sentence for people, and a JSON pointer to the first wrong part."""

    code: StrEnum
    detail: str
    pointer: str | None = None


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The command belongs to another subject of this service: it goes on there, with its reply address (rules 4.1.2).

    It books nothing here and answers nobody; whoever decides it there does.
    """

    subject: str


class Wake(NamedTuple):
    """The command that books what is due on a stream; `payload` is JSON-shaped. Its store is the stream's."""

    type: str
    subject: str
    payload: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider(Generic[State, Event]):
    """The pure heart of one service, and how its values are stored.

    `dump_*` give BSON-ready documents, `load_*` take them back; `load(dump(x)) == x`. A dumped state may hold
    `due_at`, the instant when something on it falls due: then the sweep wakes it. `decide` finds the state of each
    stream that the command names by the stream's name, and each entry that it names by :func:`entry_key`.

    A stream of a kind in `closable` (the first part of its name) may be `closed`: nothing more is expected of it, and
    `views` shows nothing of it. After a while its snapshot leaves; one that is named again comes from the journal.
    """

    streams: Callable[[Command], Streams]
    initial: Callable[[str], State]
    decide: Callable[[Command, Mapping[str, Any]], "Accepted[Event] | Rejected | Forwarded"]
    evolve: Callable[[State, Event], State]
    dump_state: Callable[[State], Document]
    load_state: Callable[[str, Document], State]
    dump_event: Callable[[Event], Document]
    load_event: Callable[[Document], Event]
    views: Callable[[State], "View | None"] = field(default=lambda _: None)
    closable: frozenset[str] = frozenset()
    closed: Callable[[State], bool] = field(default=lambda _: False)

    def may_close(self, stream: str) -> bool:
        """Whether a stream is of a kind that closes, so that the journal may have it though there is no snapshot."""
        return stream.partition("/")[0] in self.closable


@dataclass(frozen=True, slots=True)
class View:
    """A stream's state as published to `<service>.snapshots`: a wire type, its aggregate, its JSON-shaped value.

    No value means that the stream was deleted, which is published as a version without content (P9).
    """

    type: str
    subject: str
    value: Document | None

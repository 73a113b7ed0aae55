"""A service of a few lines, for what the runtime promises whatever the rules are.

As a program it is a process of that service, with the probes of `tests.worker`.
"""

import os
import sys
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import uvloop

from schemas.base import Instant, Wire, format_instant
from shared.decider import (
    Accepted,
    Closing,
    Command,
    Decider,
    Document,
    Entry,
    FollowUp,
    Forwarded,
    Rejected,
    Streams,
    View,
    Wake,
    entry_key,
)
from shared.ids import closing_id
from shared.runtime.app import ServiceApp
from shared.runtime.process import no_probe
from shared.runtime.service import Service
from shared.settings import Settings
from tests.worker import Misbehaviour

COUNT = "points.count.v1"
CLEAR = "points.clear.v1"
UNDO = "points.undo.v1"
CLOSE = "points.close.v1"
DEFECT = 666
FOLLOWED = 777
DELETED = 888
HELD = 999
HOP = "hop-"


class Count(Wire):
    """Add `by`; negative is refused, DEFECT raises, FOLLOWED causes one more. What is due is cleared at `due_at`.

    HELD is held, and closed by a follow-up that counts it, or refuses it when nothing was counted before. The `note` is
    personal. At `hop-<n>` it is forwarded to the next lower, and from `hop-0` to `c`; at `hop-self` to itself, which is
    a defect.
    """

    by: int
    due_at: Instant | None = None
    note: str | None = None


class Close(Wire):
    """Count what the command `id` held, or `refuse` it."""

    id: str
    refuse: bool
    snapshots: tuple[dict[str, Any], ...] = ()


class Clear(Wire):
    """Book what is due: the counter goes to 0; or `erase` what is personal."""

    erase: bool = False


class Undo(Wire):
    """Take back what the command `id` counted."""

    id: str


class Refusal(StrEnum):
    NEGATIVE = "negative"
    UNKNOWN = "unknown"
    NOT_COUNTED = "not_counted"


class Counter(NamedTuple):
    """The sum, and when it is due to be cleared."""

    sum: int = 0
    due_at: datetime | None = None


class Counted(NamedTuple):
    """An event: so much more, and due then."""

    by: int
    due_at: datetime | None = None
    note: str | None = None


Verdict = Accepted[Counted] | Rejected | Forwarded


def _stream(command: Command) -> str:
    return f"counter/{command.store}/{command.subject}"


def _streams(command: Command) -> Streams:
    entries = (command.payload.id,) if isinstance(command.payload, Undo | Close) else ()
    return Streams((_stream(command),), entries=entries)


def _decide(command: Command, states: Mapping[str, Any]) -> Verdict:
    if command.subject.startswith(HOP):
        hop = command.subject.removeprefix(HOP)
        return Forwarded(command.subject if hop == "self" else "c" if hop == "0" else f"{HOP}{int(hop) - 1}")
    counter: Counter = states[_stream(command)]
    match command.payload:
        case Count():
            return _count(command, counter)
        case Undo(id=id_):
            return _undo(command, states[entry_key(id_)])
        case Close():
            return _close(command, counter)
        case Clear(erase=True):
            return Accepted(((_stream(command), Counted(0)),), {}, erase=(_stream(command),))
    if counter.due_at is None or command.now < counter.due_at:
        return Accepted((), {"sum": counter.sum})
    return Accepted(((_stream(command), Counted(-counter.sum)),), {"sum": 0})


def _count(command: Command, counter: Counter) -> Verdict:
    by = command.payload.by
    if by < 0:
        return Rejected(Refusal.NEGATIVE, "only up")
    if by == DEFECT:
        raise RuntimeError("a defect in the rules")
    if by == HELD:
        event, state = Counted(0), Counter(counter.sum)
        payload = {"id": command.id, "refuse": counter.sum == 0}
        close = FollowUp("points.commands", CLOSE, command.subject, payload, closing_id(command.id), snapshots=True)
        return Accepted(((_stream(command), event),), {}, (close,), states={_stream(command): state}, held=True)
    follow_ups = (FollowUp("points.commands", COUNT, command.subject, {"by": 1}),) if by == FOLLOWED else ()
    event = Counted(by, command.payload.due_at, command.payload.note)
    return Accepted(((_stream(command), event),), {"sum": counter.sum + by}, follow_ups)


def _close(command: Command, counter: Counter) -> Verdict:
    payload: Close = command.payload
    refusal = Rejected(Refusal.NOT_COUNTED, "nothing was counted before", "/by") if payload.refuse else None
    by = 0 if payload.refuse else HELD
    closing = Closing(payload.id, {"sum": counter.sum + by}, refusal, payload.snapshots)
    return Accepted(((_stream(command), Counted(by)),), {}, closing=closing)


def _undo(command: Command, original: Entry | None) -> Verdict:
    if original is None:
        return Rejected(Refusal.UNKNOWN, "there is no such command")
    if original.type != COUNT or original.status != "accepted":
        return Rejected(Refusal.NOT_COUNTED, f"{original.type} of {original.subject} was {original.status}")
    return Accepted(
        tuple((stream, Counted(-event.by)) for stream, event in original.events), {"undone": len(original.events)}
    )


def _dump_event(event: Counted) -> Document:
    due_at = None if event.due_at is None else format_instant(event.due_at)
    document = {"type": "points.counted.v1", "by": event.by, "dueAt": due_at}
    return document if event.note is None else {**document, "personal": {"note": event.note}}


def _load_event(document: Document) -> Counted:
    due_at = document["dueAt"]
    note = document.get("personal", {}).get("note")
    return Counted(document["by"], None if due_at is None else datetime.fromisoformat(due_at), note)


def _wake(stream: str, _: Document) -> Wake:
    return Wake(CLEAR, stream.split("/")[2], {})


DECIDER: Decider[Counter, Counted] = Decider(
    streams=_streams,
    initial=lambda _: Counter(),
    decide=_decide,
    evolve=lambda state, event: Counter(state.sum + event.by, event.due_at),
    dump_state=lambda state: state._asdict(),
    load_state=lambda _, document: Counter(**document),
    dump_event=_dump_event,
    load_event=_load_event,
    views=lambda state: View("points.counter.v1", "c", None if state.sum == DELETED else {"sum": state.sum}),
)

COUNTER = Service(
    name="points",
    commands={COUNT: Count, CLEAR: Clear, UNDO: Undo, CLOSE: Close},
    rejections={COUNT: "points.count_rejected.v1", UNDO: "points.undo_rejected.v1"},
    decider=DECIDER,
    check_event=lambda _state, _event: iter(()),
    check_state=lambda _: iter(()),
    changed="points.changed.v1",
    changes=lambda event: {"delta": event["by"]},
    wake=_wake,
)


if __name__ == "__main__":
    wanted = os.environ.get("PROBE")
    app = ServiceApp(COUNTER, Settings(), no_probe if wanted is None else Misbehaviour(wanted))
    sys.exit(uvloop.run(app.serve()))

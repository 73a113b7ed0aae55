"""A service of a few lines, for what the runtime promises whatever the rules are."""

from collections.abc import Mapping
from enum import StrEnum

from schemas.base import Wire
from shared.decider import Accepted, Command, Decider, Document, FollowUp, Rejected, Streams, View
from shared.runtime.service import Service

COUNT = "points.count.v1"
DEFECT = 666
FOLLOWED = 777


class Count(Wire):
    """Add `by`; negative is refused, DEFECT raises, FOLLOWED causes one more."""

    by: int


class Refusal(StrEnum):
    NEGATIVE = "negative"


def _stream(command: Command) -> str:
    return f"counter/{command.store}/{command.subject}"


def _decide(command: Command, states: Mapping[str, int]) -> Accepted[int] | Rejected:
    by = command.payload.by
    if by < 0:
        return Rejected(Refusal.NEGATIVE, "only up")
    if by == DEFECT:
        raise RuntimeError("a defect in the rules")
    follow_ups = (FollowUp("points.commands", COUNT, command.subject, {"by": 1}),) if by == FOLLOWED else ()
    return Accepted(((_stream(command), by),), {"sum": states[_stream(command)] + by}, follow_ups)


def _load_event(document: Document) -> int:
    return int(document["by"])


def _load_state(_: str, document: Document) -> int:
    return int(document["sum"])


DECIDER: Decider[int, int] = Decider(
    streams=lambda command: Streams((_stream(command),)),
    initial=lambda _: 0,
    decide=_decide,
    evolve=lambda state, event: state + event,
    dump_state=lambda state: {"sum": state},
    load_state=_load_state,
    dump_event=lambda event: {"type": "points.counted.v1", "by": event},
    load_event=_load_event,
    views=lambda state: View("points.counter.v1", "c", {"sum": state}),
)

COUNTER = Service(
    name="points",
    commands={COUNT: Count},
    rejections={COUNT: "points.count_rejected.v1"},
    decider=DECIDER,
    changed="points.changed.v1",
    changes=lambda _: None,
)

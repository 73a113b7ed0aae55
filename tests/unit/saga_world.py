"""Both services of a transaction without anything around: their pure functions, and messages that wait.

Messages are delivered in any order, as if every command had a partition of its own, and some of them again.
"""

from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from schemas import points as points_wire
from schemas import vouchers as vouchers_wire
from services.points.decider import DECIDER as POINTS
from services.voucher.decider import DECIDER as VOUCHER
from shared.decider import Accepted, Command, Entry, FollowUp, Forwarded, Rejected, entry_key
from shared.ids import derived_id

STORE = "main"


@dataclass(frozen=True)
class Message:
    """A command on its way to a service."""

    service: str
    id: str
    type: str
    subject: str
    payload: Any


@dataclass
class Service:
    """A service: what it has journalled, and its streams."""

    decider: Any
    wire: dict[str, Any]
    states: dict[str, Any] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    follow_ups: dict[str, tuple[FollowUp, ...]] = field(default_factory=dict)

    def deal(self, message: Message, now: datetime) -> tuple[Accepted[Any] | Rejected | None, list[Message]]:
        """Decide a command once; dealt with before, it only sends its follow-ups again."""
        outcome = None
        if message.id not in self.entries:
            outcome = self._decide(message, now)
        sent = []
        for index, each in enumerate(self.follow_ups[message.id]):
            id_ = each.id or derived_id("follow-up", message.id, index)
            sent.append(Message(each.topic.partition(".")[0], id_, each.type, each.subject, each.payload))
        return outcome, sent

    def _decide(self, message: Message, now: datetime) -> Accepted[Any] | Rejected:
        decider, payload = self.decider, self.wire[message.type].model_validate(message.payload)
        command = Command(message.id, message.type, STORE, message.subject, payload, now, b"secret")
        streams = decider.streams(command)
        states = {name: self._state(name) for name in (*streams.writes, *streams.reads)}
        states |= {entry_key(each): self.entries.get(each) for each in streams.entries}
        outcome: Accepted[Any] | Rejected | Forwarded = decider.decide(command, states)
        assert not isinstance(outcome, Forwarded)
        accepted = outcome if isinstance(outcome, Accepted) else Accepted((), {})
        for stream, event in accepted.events:
            assert stream in streams.writes
            self.states[stream] = decider.evolve(self._state(stream), event)
            if decider.closed(self.states[stream]):
                assert decider.may_close(stream)
                assert decider.views(self.states[stream]) is None, "whoever sees it would miss that it leaves"
                assert decider.dump_state(self.states[stream]).get("due_at") is None, "no sweep would find it"
        assert all(self._state(stream) == state for stream, state in (accepted.states or {}).items())
        status = "held" if accepted.held else "accepted" if accepted is outcome else "rejected"
        self.entries[message.id] = Entry(message.id, message.type, message.subject, status, accepted.events)
        self.follow_ups[message.id] = accepted.follow_ups
        return outcome

    def _state(self, stream: str) -> Any:
        return self.states.get(stream) or self.decider.initial(stream)


@dataclass
class Both:
    """Both services, and the messages between them."""

    random: Random
    waiting: list[Message] = field(default_factory=list)
    services: dict[str, Service] = field(
        default_factory=lambda: {
            "points": Service(POINTS, points_wire.COMMANDS),
            "voucher": Service(VOUCHER, vouchers_wire.COMMANDS),
        }
    )

    def send(self, message: Message, now: datetime) -> Accepted[Any] | Rejected | None:
        """Deliver a message now; what follows from it waits."""
        outcome, sent = self.services[message.service].deal(message, now)
        self.waiting += sent
        return outcome

    def deliver(self, now: datetime) -> tuple[Message, Accepted[Any] | Rejected | None] | None:
        """Deliver any message that waits; one in five stays there, to be delivered again."""
        if not self.waiting:
            return None
        at = self.random.randrange(len(self.waiting))
        message = self.waiting[at] if self.random.random() < 0.2 else self.waiting.pop(at)
        return message, self.send(message, now)

"""Given events, when a command, then exactly these events: the gift card service without anything around.

A card CARD of type EUR10 (loaded once, 5 to 100 euros, up to 150 on a card), another type RELOAD (loaded again and
again, gone a year after the first load).
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.giftcard_saga import HoldCard, PaymentRefused
from schemas.giftcards import COMMANDS, CancelMutation, CardBooked, CardCommand, CardRefusal, CardType, PutCardType
from services.giftcard.decider import DECIDER
from services.giftcard.identities import check_event, check_state
from services.giftcard.state import Card, Event, State, card_stream
from shared.decider import Accepted, Command, Entry, Rejected, entry_key
from shared.ids import mutation_id
from tests.unit.spec_coverage import ACCEPTED, QUIET, note
from tests.unit.spec_world import folded

STORE = "main"
CARD, SERIAL = "9900000000000000017", "S-1"
COMMAND_ID = "01936f2e-7c00-7000-8000-000000000001"
EARLIER_ID = "01936f2e-7c00-7000-8000-000000000000"
T0 = datetime(2026, 11, 22, 10, 0, 1, 123000, tzinfo=UTC)
DAY = timedelta(days=1)
INSTANT = timedelta(milliseconds=1)
TYPES = {payload: name for name, payload in COMMANDS.items()}

Booked = tuple[str, Event]
"""An event and the stream that it is booked on."""


def card_type(code: str = "EUR10", **rules: Any) -> CardType:
    """A card type as a declaration would give it."""
    limits = {"minLoad": 5, "maxLoad": 100, "maxBalance": 150}
    return CardType.model_validate({"code": code, "currency": "EUR", **limits, **rules})


ONCE = card_type()
RELOAD = card_type("RELOAD", reload=True, validity={"years": 1}, articleSetCode="BOOKS", switchId="TREAZURE")


@dataclass
class World:
    """The streams and the journal as events and commands left them. `outcome` is that of the last command."""

    states: dict[str, State] = field(default_factory=dict)
    journal: dict[str, Entry] = field(default_factory=dict)
    outcome: Accepted[Event] | Rejected = field(default_factory=lambda: Accepted((), {}))
    payload: Any = None

    def when(
        self, payload: Any, now: datetime = T0, command_id: str | None = None, subject: str | None = None
    ) -> "World":
        """Decide one command and fold what it books; every event and state keeps to the identities and comes back."""
        if command_id is None:
            is_named = isinstance(payload, CardCommand) and not isinstance(payload, CancelMutation)
            named = payload.transaction_id if is_named else None
            command_id = COMMAND_ID if named is None else mutation_id(STORE, payload.card_id, named)
        subject = subject or _subject(payload)
        command = Command(command_id, TYPES[type(payload)], STORE, subject, payload, now)
        streams = DECIDER.streams(command)
        states: dict[str, Any] = {
            name: self.states.get(name) or DECIDER.initial(name) for name in (*streams.writes, *streams.reads)
        }
        states |= {entry_key(id_): self.journal.get(id_) for id_ in streams.entries}
        outcome = DECIDER.decide(command, states)
        assert isinstance(outcome, Accepted | Rejected)
        after = dict(self.states)
        for stream, event in outcome.events if isinstance(outcome, Accepted) else ():
            assert stream in streams.writes
            after[stream] = _folded(after, stream, event)
        status = "accepted" if isinstance(outcome, Accepted) else "rejected"
        events = outcome.events if isinstance(outcome, Accepted) else ()
        entry = Entry(command_id, command.type, subject, status, events)
        return World(after, {**self.journal, command_id: entry}, outcome, payload)

    @property
    def accepted(self) -> Accepted[Event]:
        assert isinstance(self.outcome, Accepted), self.outcome
        return self.outcome

    def then(self, *booked: Booked) -> "World":
        """The last command booked exactly these events on these streams, in order; none at all if it stays quiet."""
        assert list(self.accepted.events) == list(booked)
        refusals = [event.code for _, event in booked if isinstance(event, PaymentRefused)]
        note(type(self.payload), refusals[0] if refusals else ACCEPTED if booked else QUIET)
        return self

    def sends(self, *told: tuple[str, str, dict[str, Any]]) -> "World":
        """The last command has exactly these follow-ups: their types, subjects and payloads."""
        assert [(each.type, each.subject, each.payload) for each in self.accepted.follow_ups] == list(told)
        return self

    def refused(self, code: str, pointer: str | None, detail: str) -> "World":
        """The last command was refused like this; a refused command books nothing."""
        assert self.outcome == Rejected(CardRefusal(code), detail, pointer)
        note(type(self.payload), code)
        return self

    def answers(self, **result: Any) -> "World":
        """The last command's result, which goes into the reply."""
        assert self.accepted.result == result
        return self

    def card(self, card_id: str = CARD) -> Card:
        """A card as it is now."""
        state = self.states.get(card_stream(STORE, card_id), Card(card_id))
        assert isinstance(state, Card)
        return state


def _subject(payload: Any) -> str:
    """The main aggregate of a command."""
    if isinstance(payload, PutCardType):
        return payload.card_type.code
    if isinstance(payload, HoldCard):
        return payload.card.card_id
    return str(getattr(payload, "batch_id", None) or payload.card_id)


def given(*booked: Booked) -> World:
    """The world after these events; each was booked by a command of its own transaction."""
    world = World()
    for stream, event in booked:
        world.states[stream] = _folded(world.states, stream, event)
        if isinstance(event, CardBooked):
            id_ = event.transaction_id
            world.journal[id_] = Entry(id_, "", "", "accepted", ((stream, event),))
    return world


def _folded(states: dict[str, State], stream: str, event: Event) -> State:
    return folded(DECIDER, check_event, check_state, states, (stream, event))

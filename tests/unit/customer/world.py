"""Given events, when a command, then exactly these events or a refusal: the customer service by itself."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.contacts import ContactData, CustomerInfo
from schemas.customers import COMMANDS, ClaimKind, CreateCustomer, CustomerRefusal, UpdateCustomer
from services.customer.claims import Keys, claim_key
from services.customer.decider import decider
from services.customer.identities import check_event, check_state
from services.customer.state import Claim, Customer, Event, State
from shared.decider import Accepted, Command, Decider, Document, FollowUp, Forwarded, Rejected
from tests.unit.spec_coverage import ACCEPTED, QUIET, note
from tests.unit.spec_world import folded

STORE = "main"
ADA, BEN = "01936f2e-7c00-7000-8000-00000000000a", "01936f2e-7c00-7000-8000-00000000000b"
COMMAND_ID = "01936f2e-7c00-7000-8000-000000000001"
LATER_ID = "01936f2e-7c00-7000-8000-000000000002"
T0 = datetime(2026, 11, 22, 10, 0, 1, 123000, tzinfo=UTC)
DAY = timedelta(days=1)
KEYS = Keys(b"a key")
EMAIL, PHONE = "ada@example.org", "+31612345678"

Booked = tuple[str, Event]
"""An event, with what is personal of it, and the stream that it is booked on."""

TYPES = {payload: name for name, payload in COMMANDS.items()}

DETAILS = {
    CustomerRefusal.CUSTOMER_UNKNOWN: "there is no customer with this id",
    CustomerRefusal.CUSTOMER_EXISTS: "there is a customer with this id already",
    CustomerRefusal.CUSTOMER_ID_INVALID: "a customer's id is a UUID in lower case",
    CustomerRefusal.CUSTOMER_DELETED: "the customer is deleted",
    CustomerRefusal.CUSTOMER_ANONYMISED: "the customer was anonymised, which cannot be undone",
    CustomerRefusal.EMAIL_IN_USE: "another customer has this e-mail address",
    CustomerRefusal.PHONE_IN_USE: "another customer has this phone number",
    CustomerRefusal.CARD_IN_USE: "this card number has been given out already",
    CustomerRefusal.CARD_UNKNOWN: "the customer has no such card",
    CustomerRefusal.CARD_REPLACED: "the card has been replaced already",
    CustomerRefusal.TOO_MANY_CARDS: "a customer has at most 50 cards",
    CustomerRefusal.BIRTH_DATE_IN_FUTURE: "the date of birth lies in the future",
}
"""The sentence that goes with each code."""


def create(card: str | None = "6001", **info: Any) -> CreateCustomer:
    """A creation with these fields of `customerInfo`, in Python's spelling."""
    return CreateCustomer(card_number=card, customer_info=CustomerInfo(**info))


def update(**info: Any) -> UpdateCustomer:
    return UpdateCustomer(customer_info=CustomerInfo(**info))


def describe(**more: Any) -> UpdateCustomer:
    """An update of `contactData`, as it comes over the wire."""
    return UpdateCustomer(contact_data=ContactData.model_validate(more))


def claim(kind: ClaimKind, value: str, keys: Keys = KEYS) -> str:
    """The stream of the claim on a value, as it compares."""
    return f"claim/{STORE}/{kind.value}/{claim_key(keys, STORE, kind, value)}"


@dataclass
class When:
    """What a command came to."""

    outcome: Accepted[Event] | Rejected | Forwarded
    states: dict[str, State]
    keys: Keys
    payload: Any

    def then(self, *booked: Booked) -> "When":
        """Exactly these events on these streams, in order; none at all for a command that stays quiet."""
        assert list(self.accepted.events) == list(booked)
        note(type(self.payload), ACCEPTED if booked else QUIET)
        return self

    def refused(self, code: CustomerRefusal, pointer: str | None = None) -> "When":
        """Refused like this; a refused command books nothing."""
        assert self.outcome == Rejected(code, DETAILS[code], pointer)
        note(type(self.payload), code)
        return self

    def answers(self, **result: Any) -> "When":
        """The result, which goes into the reply; with the customer's id, as in all of this service."""
        assert self.accepted.result == {"customer": ADA, **result}
        return self

    def follows(self, *commands: FollowUp) -> "When":
        """Exactly these commands are to follow, in order."""
        assert self.accepted.follow_ups == commands
        return self

    @property
    def accepted(self) -> Accepted[Event]:
        assert isinstance(self.outcome, Accepted), self.outcome
        return self.outcome

    @property
    def world(self) -> "Given":
        """The world as the command leaves it, its releases not yet made."""
        return Given(self.states, self.keys)

    @property
    def settled(self) -> "Given":
        """The world when its releases have been made."""
        world = self.world
        for each in self.accepted.follow_ups:
            if each.topic == "customer.commands":
                world = world.when_wire(each).world
        return world

    def customer(self, who: str = ADA) -> Customer:
        """A customer as the command leaves it."""
        return self.world.customer(who)


@dataclass
class Given:
    """The streams as events and commands left them."""

    states: dict[str, State] = field(default_factory=dict)
    keys: Keys = KEYS

    def when(self, payload: Any, who: str = ADA, now: datetime = T0, command_id: str = COMMAND_ID) -> When:
        """Decide one command and fold what it books."""
        service = decider(self.keys)
        command = Command(command_id, TYPES[type(payload)], STORE, who, payload, now)
        streams = service.streams(command)
        states = {name: self.states.get(name) or service.initial(name) for name in streams.writes}
        outcome = service.decide(command, states)
        after = dict(self.states)
        if isinstance(outcome, Accepted):
            for stream, event in outcome.events:
                assert stream in streams.writes
                after[stream] = _folded(service, after, stream, event)
        return When(outcome, after, self.keys, payload)

    def when_wire(self, command: FollowUp, command_id: str = LATER_ID) -> When:
        """A command of this service as it comes over the wire."""
        payload = COMMANDS[command.type].model_validate(command.payload)
        return self.when(payload, command.subject, command_id=command_id)

    def customer(self, who: str = ADA) -> Customer:
        state = self.states.get(f"customer/{STORE}/{who}", Customer(who))
        assert isinstance(state, Customer)
        return state

    def owner(self, kind: ClaimKind, value: str) -> str | None:
        """Whose a value is."""
        state = self.states.get(claim(kind, value, self.keys), Claim(""))
        assert isinstance(state, Claim)
        return state.owner

    def view(self, who: str = ADA) -> Document:
        """What is published of a customer."""
        view = decider(self.keys).views(self.customer(who))
        assert view is not None
        assert view.value is not None
        return view.value


def given(*booked: Booked, keys: Keys = KEYS) -> Given:
    """The world after these events."""
    service, states = decider(keys), dict[str, State]()
    for stream, event in booked:
        states[stream] = _folded(service, states, stream, event)
    return Given(states, keys)


def _folded(service: Decider[State, Event], states: dict[str, State], stream: str, event: Event) -> State:
    return folded(service, check_event, check_state, states, (stream, event))

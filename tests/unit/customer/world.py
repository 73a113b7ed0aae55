"""Given events, when a command, then exactly these events or a refusal: the customer service by itself."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.contacts import ContactData, CustomerInfo
from schemas.customers import ClaimKind, CreateCustomer, CustomerEvent, CustomerRefusal, UpdateCustomer
from services.customer.claims import Keys, claim_key
from services.customer.decider import decider
from services.customer.state import Claim, Customer, Event, State, claim_stream, customer_stream
from shared.decider import Accepted, Command, Document, Forwarded, Rejected

STORE = "main"
ADA, BEN = "01936f2e-7c00-7000-8000-00000000000a", "01936f2e-7c00-7000-8000-00000000000b"
T0 = datetime(2026, 11, 22, 10, 0, 1, 123000, tzinfo=UTC)
DAY = timedelta(days=1)
KEYS = Keys(b"a key")
EMAIL, PHONE = "ada@example.org", "+31612345678"


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
    return claim_stream(STORE, kind, claim_key(keys, STORE, kind, value))


@dataclass
class When:
    """What a command came to."""

    outcome: Accepted[Event] | Rejected | Forwarded
    states: dict[str, State]
    keys: Keys

    def then(self, *events: CustomerEvent) -> "When":
        """Exactly these were told of the customers, in order; claims have their own word for it."""
        told = [event.told for stream, event in self.accepted.events if stream.startswith("customer/")]
        assert told == list(events)
        return self

    def refused(self, code: CustomerRefusal, pointer: str | None = None) -> "When":
        assert isinstance(self.outcome, Rejected), self.outcome
        assert (self.outcome.code, self.outcome.pointer) == (code, pointer)
        return self

    @property
    def accepted(self) -> Accepted[Event]:
        assert isinstance(self.outcome, Accepted), self.outcome
        return self.outcome

    @property
    def follow_ups(self) -> list[tuple[str, str, Document]]:
        """Types, subjects and payloads of what is to follow."""
        return [(each.type, each.subject, each.payload) for each in self.accepted.follow_ups]

    @property
    def world(self) -> "Given":
        """The world as the command leaves it, its releases not yet made."""
        return Given(self.states, self.keys)

    @property
    def settled(self) -> "Given":
        """The world when its releases have been made."""
        world = self.world
        for type_, subject, payload in self.follow_ups:
            if type_ == "customer.release_claim.v1":
                world = world.when_wire(type_, payload, subject).world
        return world

    def customer(self, who: str = ADA) -> Customer:
        """A customer as the command leaves it."""
        return self.world.customer(who)


@dataclass
class Given:
    """The streams as commands left them."""

    states: dict[str, State] = field(default_factory=dict)
    keys: Keys = KEYS

    def when(self, payload: Any, who: str = ADA, now: datetime = T0, command_id: str = "c-1") -> When:
        """Decide one command and fold what it books."""
        service = decider(self.keys)
        command = Command(command_id, "customer.test.v1", STORE, who, payload, now)
        streams = service.streams(command)
        states = {name: self.states.get(name) or service.initial(name) for name in streams.writes}
        outcome = service.decide(command, states)
        after = dict(self.states)
        if isinstance(outcome, Accepted):
            for stream, event in outcome.events:
                assert stream in streams.writes
                state = service.evolve(after.get(stream) or service.initial(stream), event)
                assert service.load_event(service.dump_event(event)) == event
                assert service.load_state(stream, service.dump_state(state)) == state
                after[stream] = state
        return When(outcome, after, self.keys)

    def when_wire(self, type_: str, payload: Document, who: str) -> When:
        """A command as it comes over the wire."""
        from schemas.customers import COMMANDS

        return self.when(COMMANDS[type_].model_validate(payload), who)

    def customer(self, who: str = ADA) -> Customer:
        state = self.states.get(customer_stream(STORE, who), Customer(who))
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


def ada(**info: Any) -> Given:
    """A world with Ada in it."""
    return Given().when(create(**info)).world

"""Given events, when a command, then exactly these events: the voucher service without anything around.

One account in the store `main`; definitions OWN (of programme LOY, ever valid), ANY (of no programme, also to bearer).
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.vouchers import (
    COMMANDS,
    BookVoucherDue,
    IssueVoucher,
    PutDefinition,
    ReversalRefused,
    TransactionRefused,
    VoidVoucher,
    VoucherDefinition,
    VoucherRefusal,
    VoucherState,
)
from services.voucher.decider import DECIDER
from services.voucher.identities import check_event, check_state
from services.voucher.state import DecisionEvent, Event, LifeEvent, Pivot, State, Voucher
from shared.decider import Accepted, Command, FollowUp, Rejected
from shared.ids import account_id, closing_id
from tests.unit.spec_coverage import ACCEPTED, QUIET, note
from tests.unit.spec_world import folded

STORE = "main"
NUMBER, OTHER_NUMBER = "6299", "6300"
ACCOUNT, OTHER = account_id(STORE, NUMBER), account_id(STORE, OTHER_NUMBER)
TRANSACTION = "01936f2e-7c00-7000-8000-00000000000a"
LATER_TRANSACTION = "01936f2e-7c00-7000-8000-00000000000b"
REVERSAL = "01936f2e-7c00-7000-8000-00000000000c"
COMMAND_ID = "01936f2e-7c00-7000-8000-000000000001"
LATER_ID = "01936f2e-7c00-7000-8000-000000000002"
EARLIER_ID = "01936f2e-7c00-7000-8000-000000000000"
T0 = datetime(2026, 11, 22, 10, 0, 1, 123000, tzinfo=UTC)
DAY = timedelta(days=1)
INSTANT = timedelta(milliseconds=1)

Booked = tuple[str, Event]
"""An event and the stream that it is booked on."""

TYPES = {payload: name for name, payload in COMMANDS.items()}


def definition(code: str = "OWN", **rules: Any) -> VoucherDefinition:
    """A definition as a declaration would give it; of the programme LOY unless it says otherwise."""
    fields = {"code": code, "titles": {"en": code}, "defaultLanguage": "en", "programme": "LOY"}
    return VoucherDefinition.model_validate({**fields, **rules})


OWN = definition()
ANY = definition("ANY", programme=None, bearer=True)


def _subject(payload: Any) -> str:
    if isinstance(payload, PutDefinition):
        return payload.definition.code
    if isinstance(payload, IssueVoucher):
        return payload.account or payload.serial_id
    return payload.serial_id if isinstance(payload, VoidVoucher | BookVoucherDue) else str(payload.account)


@dataclass
class World:
    """The streams as events and commands left them. `outcome` is that of the last command, `payload`."""

    states: dict[str, State] = field(default_factory=dict)
    outcome: Accepted[Event] | Rejected = field(default_factory=lambda: Accepted((), {}))
    payload: Any = None

    def when(
        self, payload: Any, now: datetime = T0, command_id: str = COMMAND_ID, subject: str | None = None
    ) -> "World":
        """Decide one command and fold what it books; every event and state keeps to the identities and comes back."""
        command = Command(command_id, TYPES[type(payload)], STORE, subject or _subject(payload), payload, now)
        streams = DECIDER.streams(command)
        states = {name: self.states.get(name) or DECIDER.initial(name) for name in (*streams.writes, *streams.reads)}
        outcome = DECIDER.decide(command, states)
        after = dict(self.states)
        if isinstance(outcome, Accepted):
            for stream, event in outcome.events:
                assert stream in streams.writes
                after[stream] = _folded(after, stream, event)
            for stream in {stream for stream, _ in outcome.events}:
                assert (outcome.states or after)[stream] == after[stream]
        assert isinstance(outcome, Accepted | Rejected)
        return World(after, outcome, payload)

    @property
    def accepted(self) -> Accepted[Event]:
        assert isinstance(self.outcome, Accepted), self.outcome
        return self.outcome

    def then(self, *booked: Booked) -> "World":
        """The last command booked exactly these events on these streams, in order; none at all if it stays quiet."""
        assert list(self.accepted.events) == list(booked)
        refusals = [event.code for _, event in booked if isinstance(event, TransactionRefused | ReversalRefused)]
        note(type(self.payload), refusals[0] if refusals else ACCEPTED if booked else QUIET)
        return self

    def refused(self, code: str, pointer: str | None, detail: str) -> "World":
        """The last command was refused like this; a refused command books nothing."""
        assert self.outcome == Rejected(VoucherRefusal(code), detail, pointer)
        note(type(self.payload), code)
        return self

    def answers(self, **result: Any) -> "World":
        """The last command's result, which goes into the reply."""
        assert self.accepted.result == result
        return self

    def booked(self, *types: str) -> "World":
        """The last command booked events of these types, in order: for a story of many steps, whose specs are there."""
        found = [event.type.removeprefix("voucher.").removesuffix(".v1") for _, event in self.accepted.events]
        assert found == list(types)
        return self

    def tells(self, type_: str, name: str, snapshots: bool, **payload: Any) -> "World":
        """The last command told the points service exactly this decision on `name`, under the id that closes it."""
        told = FollowUp("points.commands", type_, payload["account"], payload, closing_id(name), snapshots)
        assert self.accepted.follow_ups == (told,)
        return self

    @property
    def told(self) -> FollowUp:
        """What the last command tells the points service."""
        (told,) = self.accepted.follow_ups
        return told

    def life(self) -> list[LifeEvent]:
        """The events of vouchers among those of the last command."""
        return [event for _, event in self.accepted.events if isinstance(event, LifeEvent)]

    def voucher(self, serial: str) -> Voucher:
        """A voucher as it is now."""
        state = self.states.get(f"voucher/{STORE}/{serial.upper()}", Voucher(serial))
        assert isinstance(state, Voucher)
        return state

    def decision(self, name: str = TRANSACTION) -> DecisionEvent | None:
        """What was decided on a transaction or a reversal."""
        state = self.states.get(f"transaction/{STORE}/{name}", Pivot(name))
        assert isinstance(state, Pivot)
        return state.decision

    def is_(self, serial: str, state: VoucherState) -> "World":
        """A voucher is in this state."""
        assert self.voucher(serial).state is state
        return self


def given(*booked: Booked) -> World:
    """The world after these events."""
    world = World()
    for stream, event in booked:
        world.states[stream] = _folded(world.states, stream, event)
    return world


def _folded(states: dict[str, State], stream: str, event: Event) -> State:
    return folded(DECIDER, check_event, check_state, states, (stream, event))

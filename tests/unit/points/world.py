"""Given events, when a command, then exactly these events or a refusal: the points service without anything around.

One account (6299) in the store `main`, programmes LOY (whole points, nothing expires) and others as a test declares.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from schemas.points import (
    AccountOpened,
    Activated,
    Adjust,
    Adjusted,
    Expired,
    Loaded,
    LotPart,
    PointsRefusal,
    PostTransaction,
    ProgrammeApplied,
    PutProgramme,
    Redeemed,
    Scheduled,
    Source,
)
from schemas.programme import Programme
from schemas.tiers import PutTierSet, TierSet, TierSetApplied
from services.points.decider import DECIDER
from services.points.orders.state import Order
from services.points.state import Account, Event, State
from services.points.streams import (
    account_stream,
    catalogue_stream,
    order_stream,
)
from shared.decider import Accepted, Command, Document, Entry, Forwarded, Rejected, entry_key
from shared.ids import account_id
from tests.unit.points.belonging import streams_of
from tests.unit.spec_coverage import ACCEPTED, QUIET, note

STORE = "main"
NUMBER = "6299"
ACCOUNT = account_id(STORE, NUMBER)
STREAM = account_stream(STORE, ACCOUNT)
CATALOGUE = catalogue_stream(STORE)
COMMAND_ID = "01936f2e-7c00-7000-8000-000000000001"
EARLIER_ID = "01936f2e-7c00-7000-8000-000000000000"
T0 = datetime(2026, 11, 22, 10, 0, 1, 123000, tzinfo=UTC)
DAY = timedelta(days=1)


def programme(name: str = "LOY", **rules: Any) -> Programme:
    """A programme as a declaration would give it."""
    return Programme.model_validate({"id": name, "descriptions": {"en": name}, **rules})


def applied(of: Programme, version: int = 1) -> ProgrammeApplied:
    return ProgrammeApplied(programme=of, version=version, booked_at=T0 - 30 * DAY)


LOY = applied(programme())


def tier_set(name: str = "LEVELS", **rules: Any) -> TierSet:
    """Levels BASIC (0), SILVER (100) and GOLD (500) by what is earned in LOY in a calendar year."""
    levels = [{"code": "BASIC", "at": 0}, {"code": "SILVER", "at": 100}, {"code": "GOLD", "at": 500}]
    fields = {"programme": "LOY", "period": {"calendar": "year"}, "levels": levels}
    return TierSet.model_validate({"id": name, "descriptions": {"en": name}, **fields, **rules})


def applied_tiers(of: TierSet, version: int = 1) -> TierSetApplied:
    return TierSetApplied(tier_set=of, version=version, booked_at=T0 - 30 * DAY)


def transaction(*parts: Document, number: str = NUMBER, **body: Any) -> PostTransaction:
    """A transaction of parts like `part_of("LOY", loads=[5], redemptions=[1])`."""
    return PostTransaction.model_validate({"accountNumber": number, "loyaltyPrograms": list(parts), **body})


def does(
    name: str = "LOY",
    loads: list[float | Decimal | Document] | None = None,
    redemptions: list[float | Decimal] | None = None,
    **more: Any,
) -> Document:
    """One programme's part of a transaction; a load is its value, or its members."""
    return {
        "loyaltyPointDefinitionId": name,
        "loads": [load if isinstance(load, dict) else {"value": load} for load in loads or []],
        "redemptions": [{"value": value} for value in redemptions or []],
        **more,
    }


def adjust(value: float | Decimal, name: str = "LOY", **more: Any) -> Adjust:
    return Adjust.model_validate(
        {"accountNumber": NUMBER, "programme": name, "value": value, "reason": "by hand", **more}
    )


def put(of: Programme) -> PutProgramme:
    return PutProgramme(programme=of)


# ── events, with what they have in common filled in ───────────────────────────────────────────────────────────────

NOW: Document = {"transaction_id": COMMAND_ID, "booked_at": T0, "occurred_at": T0}
EARLIER: Document = {"transaction_id": EARLIER_ID, "booked_at": T0 - DAY, "occurred_at": T0 - DAY}
_COMMON: Document = {
    "account": ACCOUNT,
    "account_number": NUMBER,
    "programme": "LOY",
    "programme_version": 1,
    "scale": 0,
    "unit": "points",
    "operation": 0,
    "source": Source(),
}


def lot(number: int, amount: int, expires_at: datetime | None = None, active_from: datetime | None = None) -> LotPart:
    return LotPart(lot=number, amount=amount, expires_at=expires_at, active_from=active_from)


def opened(at: datetime = T0 - DAY) -> AccountOpened:
    return AccountOpened(account=ACCOUNT, account_number=NUMBER, booked_at=at)


def loaded(sequence: int, booked: int, part: LotPart, **more: Any) -> Loaded:
    return Loaded(**_COMMON | NOW | more, sequence=sequence, delta=part.amount, booked=booked, lots=(part,))


def adjusted(sequence: int, booked: int, delta: int, *parts: LotPart, **more: Any) -> Adjusted:
    fields = _COMMON | NOW | {"reason": "by hand"} | more
    return Adjusted(**fields, sequence=sequence, delta=delta, booked=booked, lots=parts)


def scheduled(part: LotPart, **more: Any) -> Scheduled:
    return Scheduled(**_COMMON | NOW | {"reason": "by hand"} | more, amount=part.amount, lots=(part,))


def redeemed(sequence: int, booked: int, *parts: LotPart, **more: Any) -> Redeemed:
    delta = -sum(part.amount for part in parts)
    return Redeemed(**_COMMON | NOW | more, sequence=sequence, delta=delta, booked=booked, lots=parts)


def activated(sequence: int, booked: int, part: LotPart, **more: Any) -> Activated:
    fields = _COMMON | NOW | {"operation": -1, "occurred_at": part.active_from} | more
    return Activated(**fields, sequence=sequence, delta=part.amount, booked=booked, lots=(part,))


def expired(sequence: int, booked: int, reason: str, at: datetime, *parts: LotPart, **more: Any) -> Expired:
    fields = _COMMON | NOW | {"operation": -1, "occurred_at": at, "reason": reason} | more
    delta = -sum(part.amount for part in parts)
    return Expired(**fields, sequence=sequence, delta=delta, booked=booked, lots=parts)


def booked(model: type[Any], *parts: LotPart, **more: Any) -> Any:
    """Any other booking, movement or notice, with what is not common given."""
    return model(**_COMMON | NOW | more, lots=parts)


# ── given, when, then ─────────────────────────────────────────────────────────────────────────────────────────────


Booked = tuple[str, Event]
"""A stream, and an event on it."""


@dataclass
class When:
    """What a command came to."""

    outcome: Accepted[Event] | Rejected | Forwarded
    states: dict[str, State]
    entries: dict[str, Entry] = field(default_factory=dict)
    payload: Any = None

    def then(self, *events: Event | Booked) -> "When":
        """Exactly these events on their streams, in order; none at all for a command that stays quiet.

        An event is expected on the streams that :func:`streams_of` names, unless its stream is given with it.
        """
        expected = [booked for each in events for booked in _booked(each)]
        assert list(self.accepted.events) == expected
        note(type(self.payload), _outcome(self.accepted))
        return self

    def refused(self, code: PointsRefusal, pointer: str | None) -> "When":
        """The command was refused with this code for what `pointer` names; a refused command books nothing."""
        assert isinstance(self.outcome, Rejected), self.outcome
        assert (self.outcome.code, self.outcome.pointer) == (code, pointer)
        note(type(self.payload), code)
        return self

    @property
    def accepted(self) -> Accepted[Event]:
        assert isinstance(self.outcome, Accepted), self.outcome
        return self.outcome

    @property
    def account(self) -> Account:
        """The account as the command leaves it."""
        state = self.states.get(STREAM, Account(ACCOUNT))
        assert isinstance(state, Account)
        return state

    @property
    def world(self) -> "Given":
        """The world as the command leaves it, for the next one."""
        return Given(self.states, dict(self.entries))

    def order(self, name: str) -> Order:
        """The order as the command leaves it."""
        state = self.states.get(order_stream(STORE, name), Order(name))
        assert isinstance(state, Order)
        return state

    def balances(self) -> dict[str, int]:
        """The balances that the result names."""
        return {each["loyaltyProgramId"]: each["pointsBalance"] for each in self.accepted.result["balances"]}


@dataclass
class Given:
    """The streams as events left them."""

    states: dict[str, State] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)

    def when(
        self,
        payload: Any,
        now: datetime = T0,
        subject: str | None = None,
        command_id: str = COMMAND_ID,
        actor: str | None = None,
    ) -> When:
        """Decide one command, sent by `actor`, and fold what it books."""
        if subject is None:
            subject = payload.programme.id if isinstance(payload, PutProgramme) else ACCOUNT
            if isinstance(payload, PutTierSet):
                subject = payload.tier_set.id
        command = Command(command_id, "points.test.v1", STORE, subject, payload, now, b"secret")
        streams = DECIDER.streams(command)
        named = (*streams.writes, *streams.reads)
        states: dict[str, Any] = {name: self.states.get(name) or DECIDER.initial(name) for name in named}
        states.update({entry_key(known): self.entries.get(known) for known in streams.entries})
        outcome = DECIDER.decide(command, states)
        if isinstance(outcome, Accepted):
            status = "held" if outcome.held else "accepted"
            self.entries[command_id] = Entry(command_id, command.type, subject, status, outcome.events, actor)
        after = dict(self.states)
        if isinstance(outcome, Accepted):
            for stream, event in outcome.events:
                assert stream in streams.writes
                after[stream] = DECIDER.evolve(after.get(stream) or DECIDER.initial(stream), event)
            for stream, state in (outcome.states or {}).items():
                assert state == (after.get(stream) or DECIDER.initial(stream))
        return When(outcome, after, self.entries, payload)


def given(*events: Event | Booked) -> Given:
    """The world after `events`."""
    states: dict[str, State] = {}
    for stream, event in (booked for each in events for booked in _booked(each)):
        states[stream] = DECIDER.evolve(states.get(stream) or DECIDER.initial(stream), event)
    return Given(states)


def _booked(each: Event | Booked) -> tuple[Booked, ...]:
    return (each,) if isinstance(each, tuple) else tuple((stream, each) for stream in streams_of(STORE, each))


def _outcome(accepted: Accepted[Event]) -> str:
    """What a command came to; for one that closes another, the refusal that it ends that with."""
    if accepted.closing is not None and accepted.closing.refusal is not None:
        return accepted.closing.refusal.code
    return ACCEPTED if accepted.events else QUIET

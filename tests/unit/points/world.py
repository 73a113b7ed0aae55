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
from services.points.decider import DECIDER
from services.points.state import Account, Event, State, account_stream, programme_stream
from shared.decider import Accepted, Command, Document, Rejected
from shared.ids import account_id

STORE = "main"
NUMBER = "6299"
ACCOUNT = account_id(STORE, NUMBER)
STREAM = account_stream(STORE, ACCOUNT)
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


# ── given, when, then ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class When:
    """What a command came to."""

    outcome: Accepted[Event] | Rejected
    states: dict[str, State]

    def then(self, *events: Event) -> "When":
        """Exactly these events, in order; none at all for a command that stays quiet."""
        assert isinstance(self.outcome, Accepted), self.outcome
        assert [event for _, event in self.outcome.events] == list(events)
        return self

    def refused(self, code: PointsRefusal, pointer: str | None) -> "When":
        assert isinstance(self.outcome, Rejected), self.outcome
        assert (self.outcome.code, self.outcome.pointer) == (code, pointer)
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

    def balances(self) -> dict[str, int]:
        """The balances that the result names."""
        return {each["loyaltyProgramId"]: each["pointsBalance"] for each in self.accepted.result["balances"]}


@dataclass
class Given:
    """The streams as events left them."""

    states: dict[str, State] = field(default_factory=dict)

    def when(self, payload: Any, now: datetime = T0, subject: str | None = None, command_id: str = COMMAND_ID) -> When:
        """Decide one command and fold what it books."""
        if subject is None:
            subject = payload.programme.id if isinstance(payload, PutProgramme) else ACCOUNT
        command = Command(command_id, "points.test.v1", STORE, subject, payload, now)
        streams = DECIDER.streams(command)
        named = (*streams.writes, *streams.reads)
        states = {name: self.states.get(name) or DECIDER.initial(name) for name in named}
        outcome = DECIDER.decide(command, states)
        after = dict(self.states)
        if isinstance(outcome, Accepted):
            for stream, event in outcome.events:
                assert stream in streams.writes
                after[stream] = DECIDER.evolve(after.get(stream) or DECIDER.initial(stream), event)
            for stream, state in (outcome.states or {}).items():
                assert state == (after.get(stream) or DECIDER.initial(stream))
        return When(outcome, after)


def given(*events: Event) -> Given:
    """The world after `events`."""
    states: dict[str, State] = {}
    for event in events:
        stream = programme_stream(STORE, event.programme.id) if isinstance(event, ProgrammeApplied) else STREAM
        states[stream] = DECIDER.evolve(states.get(stream) or DECIDER.initial(stream), event)
    return Given(states)

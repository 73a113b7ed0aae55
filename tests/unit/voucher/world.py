"""Given events, when a command, then exactly these events: the voucher service without anything around.

One account in the store `main`; definitions OWN (of programme LOY, ever valid), ANY (of no programme, also to bearer).
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.vouchers import (
    BookVoucherDue,
    CancelVouchers,
    DefinitionPut,
    ExecuteVouchers,
    IssueThresholdVouchers,
    IssueVoucher,
    PutDefinition,
    ReverseVouchers,
    VoidVoucher,
    VoucherDefinition,
    VoucherRefusal,
    VoucherState,
)
from services.voucher.decider import DECIDER
from services.voucher.identities import check_event, check_state
from services.voucher.state import (
    DecisionEvent,
    Event,
    LifeEvent,
    Pivot,
    State,
    Voucher,
    definition_stream,
    transaction_stream,
    voucher_stream,
)
from shared.decider import Accepted, Command, Document, FollowUp, Rejected
from shared.ids import account_id, closing_id

STORE = "main"
NUMBER, OTHER_NUMBER = "6299", "6300"
ACCOUNT, OTHER = account_id(STORE, NUMBER), account_id(STORE, OTHER_NUMBER)
TRANSACTION = "01936f2e-7c00-7000-8000-00000000000a"
COMMAND_ID = "01936f2e-7c00-7000-8000-000000000001"
T0 = datetime(2026, 11, 22, 10, 0, 1, 123000, tzinfo=UTC)
DAY = timedelta(days=1)


def definition(code: str = "OWN", **rules: Any) -> VoucherDefinition:
    """A definition as a declaration would give it; of the programme LOY unless it says otherwise."""
    fields = {"code": code, "titles": {"en": code}, "defaultLanguage": "en", "programme": "LOY"}
    return VoucherDefinition.model_validate({**fields, **rules})


OWN = definition()
ANY = definition("ANY", programme=None, bearer=True)


def bought(serial: str, code: str = "OWN", operation: int = 0, **more: Any) -> Document:
    return {
        "operation": operation,
        "pointer": f"/bought/{operation}",
        "programme": "LOY",
        "voucherId": code,
        "serialId": serial,
        "cost": 500,
        "scale": 0,
        "unit": "EUR",
        **more,
    }


def used(serial: str, programme: str | None = "LOY", operation: int = 0, **more: Any) -> Document:
    return {
        "operation": operation,
        "pointer": f"/used/{operation}",
        "programme": programme,
        "serialId": serial,
        **more,
    }


def executing(
    *operations: Document,
    transaction: str = TRANSACTION,
    account: str = ACCOUNT,
    deadline: datetime = T0 + DAY,
    aliases: tuple[str, ...] = (),
) -> ExecuteVouchers:
    """A transaction of what :func:`bought` and :func:`used` give."""
    return ExecuteVouchers.model_validate(
        {
            "transactionId": transaction,
            "account": account,
            "accountNumber": NUMBER,
            "aliases": aliases,
            "deadline": deadline,
            "purchases": [each for each in operations if "cost" in each],
            "redemptions": [each for each in operations if "cost" not in each],
            "source": {"shop": "Webshop"},
        }
    )


def cancelling(transaction: str = TRANSACTION, account: str = ACCOUNT) -> CancelVouchers:
    return CancelVouchers(transaction_id=transaction, account=account)


def reversing(
    redeemed: tuple[str, ...] = (),
    purchased: tuple[str, ...] = (),
    reversal: str = "R",
    transaction: str = TRANSACTION,
    grace_days: int = 30,
) -> ReverseVouchers:
    """A reversal of redemptions and purchases, by their serials."""
    return ReverseVouchers.model_validate(
        {
            "reversalId": reversal,
            "transactionId": transaction,
            "account": ACCOUNT,
            "accountNumber": NUMBER,
            "redemptions": [
                {"operation": at, "pointer": f"/redeemed/{at}", "serialId": serial, "graceDays": grace_days}
                for at, serial in enumerate(redeemed)
            ],
            "purchases": [
                {"operation": at, "pointer": f"/purchased/{at}", "serialId": serial}
                for at, serial in enumerate(purchased)
            ],
            "reason": "sent back",
        }
    )


def issuing(serial: str, code: str = "OWN", account: str | None = ACCOUNT, **more: Any) -> IssueVoucher:
    """By hand, to the account, or with None to bearer."""
    number = None if account is None else NUMBER if account == ACCOUNT else OTHER_NUMBER
    fields = {"voucherId": code, "serialId": serial, "account": account, "accountNumber": number, "reason": "hand"}
    return IssueVoucher.model_validate({**fields, **more})


def threshold(*vouchers: tuple[str, str], definitions: tuple[VoucherDefinition, ...] = ()) -> IssueThresholdVouchers:
    """What a threshold of LOY has deducted for: serials and codes."""
    return IssueThresholdVouchers.model_validate(
        {
            "transactionId": TRANSACTION,
            "account": ACCOUNT,
            "accountNumber": NUMBER,
            "vouchers": [
                {"operation": at, "programme": "LOY", "voucherId": code, "serialId": serial}
                | {"cost": 2500, "scale": 0, "unit": "points"}
                for at, (serial, code) in enumerate(vouchers)
            ],
            "definitions": definitions,
        }
    )


def _subject(payload: Any) -> str:
    if isinstance(payload, PutDefinition):
        return payload.definition.code
    if isinstance(payload, IssueVoucher):
        return payload.account or payload.serial_id
    return payload.serial_id if isinstance(payload, VoidVoucher | BookVoucherDue) else str(payload.account)


@dataclass
class World:
    """The streams as commands left them. `outcome` is that of the last command."""

    states: dict[str, State] = field(default_factory=dict)
    outcome: Accepted[Event] | Rejected = field(default_factory=lambda: Accepted((), {}))

    def when(
        self, payload: Any, now: datetime = T0, command_id: str = COMMAND_ID, subject: str | None = None
    ) -> "World":
        """Decide one command and fold what it books; every event and state keeps to the identities and comes back."""
        command = Command(command_id, "voucher.test.v1", STORE, subject or _subject(payload), payload, now)
        streams = DECIDER.streams(command)
        states = {name: self.states.get(name) or DECIDER.initial(name) for name in (*streams.writes, *streams.reads)}
        outcome = DECIDER.decide(command, states)
        after = dict(self.states)
        if isinstance(outcome, Accepted):
            for stream, event in outcome.events:
                assert stream in streams.writes
                before = after.get(stream) or DECIDER.initial(stream)
                assert list(check_event(before, event)) == []
                assert DECIDER.load_event(DECIDER.dump_event(event)) == event
                state = after[stream] = DECIDER.evolve(before, event)
                assert list(check_state(state)) == []
                assert DECIDER.load_state(stream, DECIDER.dump_state(state)) == state
            for stream in {stream for stream, _ in outcome.events}:
                assert (outcome.states or after)[stream] == after[stream]
        assert not isinstance(outcome, Rejected) or isinstance(outcome.code, VoucherRefusal)
        assert isinstance(outcome, Accepted | Rejected)
        return World(after, outcome)

    @property
    def accepted(self) -> Accepted[Event]:
        assert isinstance(self.outcome, Accepted), self.outcome
        return self.outcome

    def then(self, *types: str) -> "World":
        """The last command booked exactly events of these types, in order."""
        found = [event.type.removeprefix("voucher.").removesuffix(".v1") for _, event in self.accepted.events]
        assert found == list(types)
        return self

    def refused(self, code: VoucherRefusal, pointer: str | None) -> "World":
        """The last command was refused; nothing was booked."""
        assert isinstance(self.outcome, Rejected), self.outcome
        assert (self.outcome.code, self.outcome.pointer) == (code, pointer)
        return self

    def decided(self, decision: str, code: str | None = None, pointer: str | None = None) -> "World":
        """The last command told this decision, addressed and named as it must be."""
        told = self.told
        assert (told.payload["decision"], told.payload.get("code"), told.payload.get("pointer")) == (
            decision,
            code,
            pointer,
        )
        name = str(told.payload.get("reversalId", told.payload["transactionId"]))
        assert (told.topic, told.subject, told.id) == ("points.commands", told.payload["account"], closing_id(name))
        return self

    @property
    def told(self) -> FollowUp:
        """What the last command tells the points service."""
        (told,) = self.accepted.follow_ups
        return told

    def event(self, at: int) -> Any:
        """One event of the last command."""
        return self.accepted.events[at][1]

    def life(self) -> list[LifeEvent]:
        """The events of vouchers among those of the last command."""
        return [event for _, event in self.accepted.events if isinstance(event, LifeEvent)]

    def voucher(self, serial: str) -> Voucher:
        """A voucher as it is now."""
        state = self.states.get(voucher_stream(STORE, serial), Voucher(serial))
        assert isinstance(state, Voucher)
        return state

    def decision(self, transaction: str = TRANSACTION) -> DecisionEvent | None:
        """What was decided on a transaction."""
        state = self.states.get(transaction_stream(STORE, transaction), Pivot(transaction))
        assert isinstance(state, Pivot)
        return state.decision

    def is_(self, serial: str, state: VoucherState) -> "World":
        """A voucher is in this state."""
        assert self.voucher(serial).state is state
        return self


def given(*definitions: VoucherDefinition) -> World:
    """A store with these definitions, or with OWN and ANY."""
    world = World()
    for each in definitions or (OWN, ANY):
        event = DefinitionPut(definition=each, version=1, booked_at=T0 - 30 * DAY)
        stream = definition_stream(STORE, each.code)
        world.states[stream] = DECIDER.evolve(DECIDER.initial(stream), event)
    return world

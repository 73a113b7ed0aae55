"""Random histories against a small model: nothing is used twice, and the first decision is final (rules 4.2.2, 4.3).

Commands of several accounts on the same few vouchers, in any order, many of them more than once, over several days.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from schemas.vouchers import (
    BookVoucherDue,
    VoidVoucher,
    VoucherChanged,
    VoucherIssued,
    VoucherRedeemed,
    VoucherRestored,
    VoucherState,
)
from services.voucher.changes import changes
from services.voucher.events import dump_event
from services.voucher.state import Voucher, transaction_stream, voucher_stream
from shared.decider import Accepted, Document
from tests.unit.voucher.chains import assert_chain
from tests.unit.voucher.commands import bought, cancelling, executing, issuing, reversing, threshold, used
from tests.unit.voucher.events import DECLARED
from tests.unit.voucher.world import ACCOUNT, DAY, OTHER, STORE, T0, World, given

COMMANDS = 150
HISTORIES = 40
SERIALS = [f"v{number}" for number in range(12)]
"""The vouchers of a history: the first belong to an account and a programme, the rest are anybody's and of none."""
OWNED = SERIALS[:6]


@dataclass
class Caller:
    """Sends commands that are mostly sensible; every fifth is one that was sent before, under another id."""

    random: Random
    sent: list[Any] = field(default_factory=list)
    transactions: int = 0

    def next(self, world: World, now: datetime) -> Any:
        """The next command."""
        if self.sent and self.random.random() < 0.2:
            return self.random.choice(self.sent)
        payload = self._new(world, now)
        self.sent.append(payload)
        return payload

    def _new(self, world: World, now: datetime) -> Any:
        serial, draw = self.random.choice(SERIALS), self.random.random()
        until = now + self.random.randint(1, 20) * DAY
        if draw < 0.25:
            owner = ACCOUNT if serial in OWNED else None
            return issuing(serial, "OWN" if owner else "ANY", owner, expiresAt=until)
        if draw < 0.6:
            return self._execution(now)
        if draw < 0.8:
            return self._reversal(world)
        if draw < 0.85:
            return cancelling(self._transaction(new=self.random.random() < 0.5), ACCOUNT)
        if draw < 0.9:
            return VoidVoucher(serial_id=serial, reason="r")
        return threshold((serial, "OWN")) if draw < 0.92 else BookVoucherDue(serial_id=serial)

    def _execution(self, now: datetime) -> Any:
        operations: list[Document] = []
        for at in range(self.random.randint(1, 3)):
            serial = self.random.choice(SERIALS)
            if self.random.random() < 0.25:
                until = now + self.random.randint(1, 9) * DAY
                code = "OWN" if serial in OWNED else "ANY"
                operations.append(bought(serial, code, at, use=self.random.random() < 0.3, expiresAt=until))
            else:
                programme = "LOY" if serial in OWNED else None
                operations.append(used(serial, programme, at, void=self.random.random() < 0.1))
        account = OTHER if self.random.random() < 0.15 else ACCOUNT
        deadline = now + timedelta(hours=self.random.randint(-1, 12))
        transaction = self._transaction(new=self.random.random() < 0.8)
        return executing(*operations, transaction=transaction, account=account, deadline=deadline)

    def _reversal(self, world: World) -> Any:
        """Of a transaction that has used a voucher, mostly."""
        reversal, grace_days = f"r{self.random.randrange(60)}", self.random.randint(0, 3)
        vouchers = [world.voucher(serial) for serial in SERIALS]
        in_use = [voucher for voucher in vouchers if voucher.redeemed_in is not None]
        if in_use and self.random.random() < 0.6:
            voucher = self.random.choice(in_use)
            return reversing((voucher.serial_id,), (), reversal, str(voucher.redeemed_in), grace_days)
        serial = self.random.choice(in_use or vouchers).serial_id
        return reversing((), (serial,), reversal, self._transaction(), grace_days)

    def _transaction(self, new: bool = False) -> str:
        if new or not self.transactions:
            self.transactions += 1
            return f"t{self.transactions}"
        return f"t{self.random.randint(max(1, self.transactions - 12), self.transactions)}"


@dataclass
class Model:
    """What was told of each transaction and reversal first, and how often each voucher was used and given back."""

    told: dict[str, Document] = field(default_factory=dict)
    used: Counter[str] = field(default_factory=Counter)
    returned: Counter[str] = field(default_factory=Counter)
    ever: Counter[str] = field(default_factory=Counter)
    published: dict[str, list[VoucherChanged]] = field(default_factory=lambda: defaultdict(list))

    def check(self, before: World, world: World, payload: Any, now: datetime) -> None:
        """Hold one command's outcome against all that went before it."""
        name = getattr(payload, "reversal_id", getattr(payload, "transaction_id", None))
        if not isinstance(world.outcome, Accepted):
            assert world.states == before.states
            return
        if world.outcome.follow_ups:
            self._decided(before, world, str(name))
        for event in world.life():
            held = before.states.get(voucher_stream(STORE, event.serial_id), Voucher(event.serial_id))
            assert isinstance(held, Voucher)
            if isinstance(event, VoucherIssued):
                self.ever[event.serial_id] += 1
            elif isinstance(event, VoucherRedeemed):
                assert event.account in (None, event.redeemed_by), "a foreign voucher was used"
                assert held.issued is None or held.state_at(now) is VoucherState.ISSUED
                self.used[event.serial_id] += 1
            elif isinstance(event, VoucherRestored):
                self.returned[event.serial_id] += 1
            self.published[event.serial_id].append(VoucherChanged.model_validate(changes(dump_event(event))))
        assert all(count == 1 for count in self.ever.values())
        for serial in SERIALS:
            assert_chain(self.published[serial], world.voucher(serial))
            redeemed = world.voucher(serial).state is VoucherState.REDEEMED
            assert self.used[serial] - self.returned[serial] == redeemed, "used twice, or given back twice"

    def _decided(self, before: World, world: World, name: str) -> None:
        told = {"id": world.told.id, "type": world.told.type, "payload": world.told.payload}
        if name in self.told:
            assert told == self.told[name], "another decision than the first"
            assert world.accepted.events == ()
            return
        self.told[name] = told
        if world.told.payload["decision"] != "executed":
            (event,) = world.accepted.events
            changed = {stream for stream in world.states if world.states[stream] != before.states.get(stream)}
            assert changed == {event[0]} == {transaction_stream(STORE, name)}


def played(seed: int, seen: Counter[str] | None = None) -> None:
    """Play one history, holding each outcome against the model."""
    caller, world, model, now = Caller(Random(seed)), given(*DECLARED), Model(), T0
    for number in range(COMMANDS):
        now += timedelta(hours=caller.random.randint(0, 12))
        payload = caller.next(world, now)
        before, world = world, world.when(payload, now, f"c{number}")
        model.check(before, world, payload, now)
        if seen is not None and isinstance(world.outcome, Accepted):
            seen.update(event.type for _, event in world.outcome.events)
            seen.update(str(told.payload.get("code", told.payload["decision"])) for told in world.outcome.follow_ups)
            seen["told again"] += bool(world.outcome.follow_ups) and not world.outcome.events


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_random_histories(seed: int) -> None:
    played(seed)


def test_the_histories_are_worth_something() -> None:
    """Every decision, refusals of several kinds, uses and returns: each ten times at least."""
    seen: Counter[str] = Counter()
    for seed in range(HISTORIES):
        played(seed, seen)
    decisions = {"executed", "cancelled", "too_late", "told again", "voucher.reversal_executed.v1"}
    refusals = {f"voucher_{name}" for name in ("unknown", "foreign", "void", "redeemed", "expired", "used")}
    lives = {f"voucher.{name}.v1" for name in ("issued", "redeemed", "voided", "expired", "restored")}
    assert {name for name in decisions | refusals | lives if seen[name] < 10} == set(), seen

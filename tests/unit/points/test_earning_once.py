"""A receipt earns once in a programme that earns from orders: by a load or by its order, whichever came first (4.1.10).

The model is one sentence, evaluated over every prefix of what happens: the order earns unless a load for its receipt
stands, and a load is refused when the order earns.
"""

from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from schemas.orders import OrderAwardRefused, OrderAwardRestored
from schemas.points import CloseTransaction, PointsRefusal, PostTransaction, Reverse
from schemas.receipts import FREE_RECEIPT, FreeReceipt
from services.points.identities import check_state
from services.points.orders.state import Order
from services.points.state import Account, Balance
from services.points.streams import order_stream
from shared.decider import FollowUp, Rejected
from shared.ids import account_id, closing_id
from tests.unit.points.order_world import EARN, after, cancel, fulfil, place, points
from tests.unit.points.world import (
    ACCOUNT,
    LOY,
    NUMBER,
    STORE,
    STREAM,
    T0,
    Given,
    applied,
    does,
    given,
    programme,
    transaction,
)

Refusal = PointsRefusal
ORD = applied(programme("ORD", **EARN, purchases=[{"voucherId": "V", "price": 1}]))
RECEIPT = {"receiptNr": "W-1"}
ORDER = order_stream(STORE, "W-1")
OTHER = "6300"


def load(value: int = 50, name: str = "ORD", number: str = NUMBER, **more: Any) -> PostTransaction:
    return transaction(does(name, loads=[value], **more), number=number, context=RECEIPT)


def held_load(value: int = 50) -> PostTransaction:
    return load(value, purchases=[{"voucherId": "V"}])


def undo(transaction_id: str, *operations: dict[str, int]) -> Reverse:
    body = {"accountNumber": NUMBER, "transactionId": transaction_id, "operations": operations, "reason": "wrong"}
    return Reverse.model_validate(body)


def free(follow_up: FollowUp) -> FreeReceipt:
    assert follow_up.type == FREE_RECEIPT
    return FreeReceipt.model_validate(follow_up.payload)


def test_an_order_whose_receipt_was_loaded_for_earns_nothing_and_that_is_reported() -> None:
    world = after(load(), start=given(ORD))
    when = world.when(place(60))
    (refused,) = [event for _, event in when.accepted.events if isinstance(event, OrderAwardRefused)]
    assert (refused.programme, refused.withheld, refused.code) == ("ORD", 60, "receipt_already_loaded")
    (award,) = when.accepted.result["entitlements"]
    assert (award["awarded"], award["withheld"]) == (0, 60)
    assert points(after(place(60), fulfil(), start=world)) == (50, 0, 0)


def test_it_is_reported_once_and_an_amendment_earns_nothing_either() -> None:
    world = after(load(), place(60), start=given(ORD))
    when = world.when(place(90, revision=2))
    assert not [event for _, event in when.accepted.events if isinstance(event, OrderAwardRefused)]
    assert points(after(fulfil(), start=when.world)) == (50, 0, 0)


def test_the_order_earns_where_nothing_was_loaded_and_programmes_of_loads_remember_nothing() -> None:
    twice = applied(programme("TWO", **EARN))
    world = after(load(name="LOY"), load(name="TWO"), place(60), fulfil(), start=given(LOY, ORD, twice))
    balances = world.when(transaction()).account.balances
    assert {name: each.booked for name, each in balances.items()} == {"LOY": 50, "ORD": 60, "TWO": 50}


def test_another_accounts_receipt_of_that_number_is_another_receipt() -> None:
    world, other = given(ORD), account_id(STORE, OTHER)
    world = world.when(load(number=OTHER), subject=other).world
    world = after(place(60), fulfil(), start=world)
    assert points(world) == (60, 0, 0)
    assert world.when(load(number=OTHER), subject=other, command_id="again").accepted
    world.when(load()).refused(Refusal.ORDER_ALREADY_EARNS, "/loyaltyPrograms/0/loads/0")


def test_a_load_that_is_reversed_wholly_lets_the_order_earn() -> None:
    first = "t"
    world = after(place(60), fulfil(), start=given(ORD).when(load(), command_id=first).world)
    part = world.when(undo(first, {"operation": 0, "value": 20}), command_id="u1")
    assert part.accepted.follow_ups == ()
    whole = part.world.when(undo(first), command_id="u2")
    freed = whole.world.when(free(*whole.accepted.follow_ups), command_id="u3")
    (restored,) = [event for _, event in freed.accepted.events if isinstance(event, OrderAwardRestored)]
    assert restored.awarded == 60
    assert points(freed.world) == (60, 0, 0)
    freed.world.when(load(), command_id="u4").refused(Refusal.ORDER_ALREADY_EARNS, "/loyaltyPrograms/0/loads/0")


@pytest.mark.parametrize(("decision", "comes_to"), [("executed", 49), ("refused", 60), ("cancelled", 60)])
def test_a_held_load_counts_until_it_is_released(decision: str, comes_to: int) -> None:
    held = given(ORD).when(held_load(), command_id="t")
    world = after(place(60), fulfil(), start=held.world)
    close = CloseTransaction.model_validate(
        {"transactionId": "t", "account": ACCOUNT, "decision": decision, "code": "voucher_unknown"}
    )
    when = world.when(close, command_id=closing_id("t"))
    follow_ups = [each for each in when.accepted.follow_ups if each.type == FREE_RECEIPT]
    assert bool(follow_ups) == (decision != "executed")
    for each in follow_ups:
        assert when.account.account_number is None
        when = when.world.when(free(each), command_id="free")
    assert points(when.world)[0] == comes_to


def test_loads_that_stand_keep_the_receipt() -> None:
    world = given(ORD).when(load(20), command_id="t1").world.when(load(30), command_id="t2").world
    world = after(place(60), fulfil(), start=world)
    one = world.when(undo("t1"), command_id="u1")
    world = one.world.when(free(*one.accepted.follow_ups), command_id="f1").world
    assert points(world)[0] == 30
    two = world.when(undo("t2"), command_id="u2")
    assert points(two.world.when(free(*two.accepted.follow_ups), command_id="f2").world)[0] == 60


def test_an_account_that_can_take_no_more_earns_with_the_next_fact() -> None:
    """The follow-up is never refused: what it frees stays free."""
    many = applied(programme("ORD", **EARN, issueImmediateThreshold={"value": 1, "voucherId": "V", "maxPerCommand": 1}))
    world = given(applied(programme("ORD", **EARN))).when(load(), command_id="t").world
    world = after(place(60), cancel(30), fulfil(20), start=world)
    world = Given({**world.states, **given(many).states}, world.entries)
    undone = world.when(undo("t"), command_id="u")
    freed = undone.world.when(free(*undone.accepted.follow_ups), command_id="f")
    assert freed.accepted
    assert freed.order("W-1").awards["ORD"].withheld == 60
    world = Given({**freed.world.states, **given(applied(programme("ORD", **EARN))).states}, freed.world.entries)
    assert points(after(fulfil(10, "F-2"), start=world))[0] == 30


class Till:
    """The service and the model beside it, held against each other after every step."""

    def __init__(self) -> None:
        self.world = given(ORD)
        self.loaded: dict[str, int] = {}
        self.open: set[str] = set()
        self.follow_ups: list[FollowUp] = []
        self.placed = self.fulfilled = self.bought = self.step = 0

    @property
    def earns(self) -> bool:
        """Whether the order promises points; what is released or reversed counts until the command that follows."""
        return self.placed > 0 and not self.loaded and not self.follow_ups

    def do(self, command: Any, name: str | None = None) -> PointsRefusal | None:
        self.step += 1
        now = T0 + timedelta(hours=self.step)
        when = self.world.when(command, now=now, command_id=name or f"c{self.step}")
        if isinstance(when.outcome, Rejected):
            return PointsRefusal(when.outcome.code)
        self.world = when.world
        self.follow_ups += [each for each in when.accepted.follow_ups if each.type == FREE_RECEIPT]
        for stream in {stream for stream, _ in when.accepted.events}:
            assert list(check_state(self.world.states[stream])) == []
        return None

    def load(self, body: PostTransaction) -> None:
        earned = self.earns
        assert self.do(body) == (Refusal.ORDER_ALREADY_EARNS if earned else None)
        if not earned:
            self.loaded[f"c{self.step}"] = 50

    def hold(self) -> None:
        self.load(held_load())
        self.open |= {f"c{self.step}"} & self.loaded.keys()

    def close(self, name: str, decision: str) -> None:
        body = {"transactionId": name, "account": ACCOUNT, "decision": decision, "code": "voucher_unknown"}
        assert self.do(CloseTransaction.model_validate(body), closing_id(name)) is None
        self.open -= {name}
        self.bought += decision == "executed"
        if decision == "refused":
            del self.loaded[name]

    def undo(self, name: str, value: int) -> None:
        assert self.do(undo(name, {"operation": 0, "value": value})) is None
        self.loaded[name] -= value
        self.loaded = {each: left for each, left in self.loaded.items() if left}

    def follow(self) -> None:
        assert self.do(free(self.follow_ups.pop(0))) is None

    def act(self, random: Random) -> None:
        """One thing that may happen now."""
        acts: list[Any] = [lambda: self.load(load()), self.hold, self.place, self.fulfil]
        acts += [self.follow] * 2 * bool(self.follow_ups)
        acts += (
            [lambda: self.close(random.choice(sorted(self.open)), random.choice(["executed", "refused"]))]
            * 2
            * bool(self.open)
        )
        closed = sorted(self.loaded.keys() - self.open)
        acts += [partial(self.undo, name, random.choice([self.loaded[name], 10])) for name in closed[:2]]
        random.choice(acts)()

    def place(self) -> None:
        self.placed += 1
        assert self.do(place(60 + self.placed, revision=self.placed)) is None

    def fulfil(self) -> None:
        if not self.fulfilled:
            self.fulfilled = 1
            assert self.do(fulfil()) is None

    def check(self) -> None:
        """The order's promise, and the balance: what is loaded and captured, what the order earned, what was bought."""
        order, account = self.world.states.get(ORDER, Order("W-1")), self.world.states.get(STREAM, Account(ACCOUNT))
        assert isinstance(order, Order)
        assert isinstance(account, Account)
        earned = 60 + self.placed if self.earns else 0
        assert sum(award.awarded for award in order.awards.values()) == earned
        balance = account.balances.get("ORD", Balance("ORD", 1, 0))
        loaded = sum(left for name, left in self.loaded.items() if name not in self.open)
        assert balance.booked == loaded + (earned if self.fulfilled else 0) - self.bought
        assert balance.pending == (0 if self.fulfilled else earned)


@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@over(st.builds(Random, st.integers(0, 2**32)), st.integers(4, 25))
def test_a_receipt_earns_once_whatever_comes_first(random: Random, length: int) -> None:
    """Loads, holds and their ends, reversals, the order, its amendments and its delivery, in any order of arrival."""
    till = Till()
    for _ in range(length):
        till.act(random)
        till.check()
    for name in sorted(till.open):
        till.close(name, random.choice(["executed", "refused"]))
    while till.follow_ups:
        till.follow()
        till.check()
    assert (till.placed > 0 and not till.loaded) == till.earns

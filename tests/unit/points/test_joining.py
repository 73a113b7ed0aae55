"""A new card is used before it is registered: what was booked under its number joins the customer's account (4.1.2).

Over both accounts together, and in flight, nothing is ever lost or doubled; once joined, everything is on the one
account, whatever came before, between and after.
"""

from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from schemas.accounts import AccountState, ReplaceNumber
from schemas.joining import JOIN_ACCOUNT, TAKE_OVER, JoinAccount, ReplaceCard, TakeOver
from schemas.points import CloseTransaction, PointsRefusal
from schemas.waiting_inputs import KnowNumber
from services.points.decider import DECIDER
from services.points.due import due_at
from services.points.identities import check_event, check_state
from services.points.state import Account, Balance
from services.points.streams import account_stream
from shared.decider import FollowUp, Forwarded, Rejected
from shared.ids import closing_id
from tests.unit.points.order_world import EARN, cancel, fulfil, give_up, place
from tests.unit.points.reversal_world import reverse
from tests.unit.points.test_accounts import HUNDRED, NEW, NEW_ACCOUNT, state
from tests.unit.points.world import (
    ACCOUNT,
    DAY,
    LOY,
    NUMBER,
    STORE,
    STREAM,
    T0,
    adjust,
    applied,
    does,
    given,
    programme,
    transaction,
)

Refusal = PointsRefusal
NEW_STREAM = account_stream(STORE, NEW_ACCOUNT)
CARD = ReplaceCard(account_number=NUMBER, new_number=NEW)
SHOP = (
    LOY,
    applied(programme("ORD", **EARN)),
    applied(programme("SELLS", purchases=[{"voucherId": "V", "price": 5}], expiry={"days": 9})),
)


class Cards:
    """Two numbers, and the commands under way; each account's commands are decided in order."""

    def __init__(self, *events: Any) -> None:
        self.world = given(*(events or SHOP))
        self.under_way: list[FollowUp] = []
        self.loaded: dict[str, str] = {}
        self.open: dict[str, str] = {}
        self.step = self.net = 0
        self.ordered = False
        self.last = ("", "")

    def do(self, body: Any, account: str, name: str | None = None) -> PointsRefusal | None:
        """Decide a command, at the account to which it is forwarded if it is."""
        self.step += 1
        name, now = name or f"c{self.step}", T0 + timedelta(minutes=self.step)
        before = dict(self.world.states)
        when = self.world.when(body, now=now, subject=account, command_id=name)
        if isinstance(when.outcome, Forwarded):
            self.under_way.sort(key=lambda follow_up: follow_up.type != TAKE_OVER)
            while self.under_way and self.under_way[0].type == TAKE_OVER:
                self.follow()  # It was sent before what is forwarded, to the same partition.
            return self.do(body, when.outcome.subject, name)
        if isinstance(when.outcome, Rejected):
            return PointsRefusal(when.outcome.code)
        for stream, event in when.accepted.events:
            found = before.get(stream) or DECIDER.initial(stream)
            assert list(check_event(found, event)) == []
            before[stream] = DECIDER.evolve(found, event)
        self.last = name, account
        self.world = when.world
        for stream in {stream for stream, _ in when.accepted.events}:
            assert list(check_state(self.world.states[stream])) == []
        self.under_way += [each for each in when.accepted.follow_ups if each.type in (JOIN_ACCOUNT, TAKE_OVER)]
        return None

    def follow(self) -> None:
        follow_up = self.under_way.pop(0)
        model: Any = JoinAccount if follow_up.type == JOIN_ACCOUNT else TakeOver
        assert self.do(model.model_validate(follow_up.payload), follow_up.subject) is None

    def account(self, stream: str) -> Account:
        found = self.world.states.get(stream, Account("none"))
        assert isinstance(found, Account)
        return found

    def sums(self) -> tuple[int, int]:
        """What is booked and pending on both accounts and in flight, over all programmes."""
        balances = [each for it in (STREAM, NEW_STREAM) for each in self.account(it).balances.values()]
        flying = [
            each
            for follow_up in self.under_way
            if follow_up.type == TAKE_OVER
            for each in TakeOver.model_validate(follow_up.payload).balances
        ]
        booked = sum(each.booked for each in balances)
        booked += sum(sum(lot.amount for lot in each.lots) - each.debt for each in flying)
        return booked, sum(each.pending for each in balances) + sum(each.pending for each in flying)


def load(value: int, number: str, name: str = "LOY") -> Any:
    return transaction(does(name, loads=[value]), number=number)


def at(number: str) -> str:
    return ACCOUNT if number == NUMBER else NEW_ACCOUNT


def joined(cards: Cards) -> Cards:
    assert cards.do(KnowNumber(account_number=NUMBER), ACCOUNT) is None
    assert cards.do(CARD, ACCOUNT) is None
    while cards.under_way:
        cards.follow()
    return cards


def balance(cards: Cards, name: str = "LOY", stream: str = STREAM) -> Balance:
    return cards.account(stream).balances[name]


def test_points_of_a_card_that_was_used_before_it_was_registered_are_the_customers() -> None:
    cards = Cards()
    for number, value in ((NUMBER, 100), (NEW, 30)):
        assert cards.do(load(value, number), at(number)) is None
    joined(cards)
    assert (balance(cards).booked, balance(cards, stream=NEW_STREAM).booked) == (130, 0)
    assert cards.do(transaction(does(redemptions=[120]), number=NEW), NEW_ACCOUNT) is None
    assert balance(cards).booked == 10
    giving = cards.account(NEW_STREAM)
    assert (giving.forwards_to, due_at(giving), giving.tiers) == (ACCOUNT, None, {})
    assert cards.account(STREAM).numbers == (NEW,)
    assert cards.do(CARD, ACCOUNT) is None
    assert cards.under_way == []


def test_lots_keep_their_expiry_and_future_ones_their_day() -> None:
    cards = Cards()
    assert cards.do(load(30, NEW, "SELLS"), NEW_ACCOUNT) is None
    late = adjust(7, "SELLS", activeFrom=(T0 + 5 * DAY).isoformat()).model_copy(update={"account_number": NEW})
    assert cards.do(late, NEW_ACCOUNT) is None
    before = balance(cards, "SELLS", NEW_STREAM)
    joined(cards)
    after = balance(cards, "SELLS")
    assert [(lot.amount, lot.expires_at) for lot in after.lots] == [(lot.amount, lot.expires_at) for lot in before.lots]
    assert [(lot.amount, lot.active_from, lot.expires_at) for lot in after.scheduled] == [
        (lot.amount, lot.active_from, lot.expires_at) for lot in before.scheduled
    ]
    assert balance(cards, "SELLS", NEW_STREAM).scheduled == ()


@pytest.mark.parametrize(("owes", "has"), [(NEW, NUMBER), (NUMBER, NEW)])
def test_a_debt_is_paid_by_the_other_account(owes: str, has: str) -> None:
    cards = Cards()
    assert cards.do(transaction(does(loads=[50], redemptions=[50]), number=owes), at(owes), "t") is None
    undo = reverse({"operation": 0}, accountNumber=owes, transactionId="t")
    assert cards.do(undo, at(owes)) is None
    assert cards.do(load(80, has), at(has)) is None
    joined(cards)
    assert (balance(cards).booked, balance(cards).debt) == (30, 0)


def test_an_order_of_the_card_is_delivered_and_its_transactions_are_reversed() -> None:
    cards = Cards()
    assert cards.do(place(60).model_copy(update={"account_number": NEW}), NEW_ACCOUNT) is None
    assert cards.do(load(30, NEW), NEW_ACCOUNT, "t") is None
    joined(cards)
    assert balance(cards, "ORD").pending == 60
    assert cards.do(fulfil(), ACCOUNT) is None
    assert cards.do(give_up(20), ACCOUNT) is None
    assert (balance(cards, "ORD").booked, balance(cards, "ORD").pending) == (40, 0)
    assert cards.do(reverse(transactionId="t"), ACCOUNT) is None
    assert balance(cards).booked == 0


def test_it_waits_for_the_end_of_what_is_open() -> None:
    cards = Cards()
    assert cards.do(load(30, NEW, "SELLS"), NEW_ACCOUNT) is None
    bought = transaction(does("SELLS", purchases=[{"voucherId": "V"}]), number=NEW)
    assert cards.do(bought, NEW_ACCOUNT, "t") is None
    joined(cards)
    assert cards.account(NEW_STREAM).forwards_to is None
    assert cards.do(load(1, NEW, "SELLS"), NEW_ACCOUNT) is None
    close = {"transactionId": "t", "account": NEW_ACCOUNT, "decision": "executed"}
    assert cards.do(CloseTransaction.model_validate(close), NEW_ACCOUNT, closing_id("t")) is None
    while cards.under_way:
        cards.follow()
    assert balance(cards, "SELLS").booked == 26


def test_an_account_with_an_owner_joins_nobody() -> None:
    """An operator's replacement never joins accounts; a card's does not, when an operator has blocked it."""
    cards = Cards()
    for number in (NUMBER, NEW):
        assert cards.do(load(30, number), at(number)) is None
    assert cards.do(ReplaceNumber(account_number=NUMBER, new_number=NEW), ACCOUNT) is Refusal.NUMBER_IN_USE
    blocked = state("spending_blocked", NEW)
    assert cards.do(blocked, NEW_ACCOUNT) is None
    assert cards.do(CARD, ACCOUNT) is Refusal.NUMBER_IN_USE
    assert cards.account(STREAM).state is AccountState.ACTIVE


def test_a_card_that_nobody_used_leads_at_once() -> None:
    when = given(*HUNDRED).when(CARD)
    assert [event.type for _, event in when.accepted.events] == [
        "points.account_forwarded.v1",
        "points.number_added.v1",
    ]


class Story(Cards):
    """What two cards do, and how much there must be."""

    def act(self, random: Random) -> None:
        number = random.choice([NUMBER, NEW])
        acts: list[Any] = [partial(self.load, number)] * 2 + [partial(self.spend, number), self.replace]
        acts += [self.follow] * 3 * bool(self.under_way)
        acts += [partial(self.hold, number)] * (number == NEW) + [partial(self.close, random)] * 2 * bool(self.open)
        acts += [partial(self.order, NEW)] * (not self.ordered)
        acts += [partial(self.undo, random)] * bool(self.loaded)
        random.choice(acts)()

    def load(self, number: str) -> None:
        assert self.do(load(20, number, "SELLS"), at(number)) is None
        self.loaded[self.last[0]] = number
        self.net += 20

    def undo(self, random: Random) -> None:
        """What is reversed on the one account while its points are with the other, or in flight, is owed there."""
        name = random.choice(sorted(self.loaded))
        number = self.loaded.pop(name)
        if self.do(reverse(accountNumber=number, transactionId=name), at(number)) is None:
            self.net -= 20

    def spend(self, number: str) -> None:
        if self.do(transaction(does("SELLS", redemptions=[3]), number=number), at(number)) is None:
            self.net -= 3

    def replace(self) -> None:
        assert self.do(CARD, ACCOUNT) in (None, Refusal.ACCOUNT_UNKNOWN)

    def hold(self, number: str) -> None:
        bought = transaction(does("SELLS", purchases=[{"voucherId": "V"}]), number=number)
        if self.do(bought, at(number)) is None:
            self.open.update([self.last])

    def close(self, random: Random) -> None:
        name, decision = random.choice(sorted(self.open)), random.choice(["executed", "refused"])
        body = {"transactionId": name, "account": self.open[name], "decision": decision, "code": "voucher_unknown"}
        assert self.do(CloseTransaction.model_validate(body), self.open.pop(name), closing_id(name)) is None
        self.net -= 5 * (decision == "executed")

    def order(self, number: str) -> None:
        self.ordered = self.do(place(60).model_copy(update={"account_number": number}), at(number)) is None

    def check(self) -> None:
        assert self.sums() == (self.net, 60 * self.ordered)


@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@over(st.builds(Random, st.integers(0, 2**32)), st.integers(4, 25))
def test_nothing_is_lost_or_doubled_whatever_comes_between(random: Random, length: int) -> None:
    story = Story()
    story.load(NUMBER)
    for _ in range(length):
        story.act(random)
        story.check()
    story.replace()
    while story.open or story.under_way:
        (story.follow if story.under_way else partial(story.close, random))()
        story.check()
    if story.ordered:
        assert story.do(cancel(20), ACCOUNT) is None
        assert story.do(fulfil(), ACCOUNT) is None
        assert story.sums() == (story.net + 40, 0)
    assert story.account(NEW_STREAM).forwards_to == ACCOUNT
    assert not any(it.booked or it.pending or it.scheduled for it in story.account(NEW_STREAM).balances.values())

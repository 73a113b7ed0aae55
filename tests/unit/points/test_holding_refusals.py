"""What is refused before anything is held, and what waits while something is (rules 4.2.1, 4.2.2)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from schemas.accounts import ReplaceNumber, SetAccountState
from schemas.points import PointsRefusal
from services.points.closing import HELD_MAX, HOLDS_MAX
from services.points.identities import check_state
from services.points.state import CREDITED_MAX, LOTS_MAX
from services.points.streams import account_stream
from shared.decider import Accepted
from shared.ids import account_id
from tests.unit.points.holding_world import (
    BUY,
    IN_SELLS,
    SELLS,
    SERIAL,
    closing,
    rich,
)
from tests.unit.points.world import (
    DAY,
    EARLIER,
    NUMBER,
    STORE,
    T0,
    Given,
    applied,
    does,
    given,
    loaded,
    lot,
    opened,
    programme,
    transaction,
)


def test_closing_an_account_waits_and_its_number_leads_nowhere_else() -> None:
    held = given(SELLS).when(transaction(does("SELLS", loads=[60]), voucherRedemptions=[SERIAL]))
    other = account_id(STORE, "2")
    world = rich().when(transaction(voucherRedemptions=[SERIAL])).world
    close = SetAccountState.model_validate({"accountNumber": NUMBER, "state": "closed", "reason": "moved"})
    world.when(close, command_id="b").refused(PointsRefusal.TRANSACTION_OPEN, "/state")
    done = world.when(closing("executed"), command_id="c")
    assert isinstance(done.world.when(close, command_id="d").outcome, Accepted)
    owner = opened().model_copy(update={"account": other, "account_number": "2"})
    states = {**held.world.states, account_stream(STORE, other): given(owner).states[account_stream(STORE, other)]}
    takes = ReplaceNumber(account_number="2", new_number=NUMBER)
    Given(states).when(takes, subject=other, command_id="b").refused(PointsRefusal.NUMBER_IN_USE, "/newNumber")


def test_an_account_has_a_bounded_number_of_open_transactions() -> None:
    world = rich()
    for number in range(HOLDS_MAX):
        world = world.when(transaction(voucherRedemptions=[SERIAL]), command_id=f"id-{number}").world
    one_more = world.when(transaction(voucherRedemptions=[SERIAL]), command_id="one more")
    one_more.refused(PointsRefusal.TOO_MANY_OPEN_TRANSACTIONS, "/accountNumber")


@pytest.mark.parametrize(
    ("state", "body", "pointer"),
    [
        ("spending_blocked", {"loyaltyPrograms": [does("SELLS", purchases=[BUY])]}, "/loyaltyPrograms/0/purchases/0"),
        ("spending_blocked", {"voucherRedemptions": [SERIAL]}, "/voucherRedemptions/0"),
        ("spending_blocked", {"voucherRedemptions": [{**SERIAL, "void": True}]}, None),
    ],
)
def test_a_blocked_account_does_not_spend_and_voids(state: str, body: Any, pointer: str | None) -> None:
    block = SetAccountState.model_validate({"accountNumber": NUMBER, "state": state, "reason": "lost"})
    when = (
        rich()
        .when(block, command_id="a")
        .world.when(transaction(**body) if "loyaltyPrograms" not in body else transaction(*body["loyaltyPrograms"]))
    )
    if pointer is None:
        assert when.accepted.held
    else:
        when.refused(PointsRefusal.ACCOUNT_SPENDING_BLOCKED, pointer)


@pytest.mark.parametrize(
    ("offer", "offered"),
    [
        ({}, True),
        ({"from": T0}, True),
        ({"until": T0}, False),
        ({"from": T0 + timedelta(seconds=1)}, False),
        ({"voucherId": "X"}, False),
    ],
)
def test_a_voucher_is_sold_within_its_window(offer: Any, offered: bool) -> None:
    sells = applied(programme("SELLS", purchases=[{"voucherId": "V", "price": 50, **offer}]))
    world = given(sells, opened(), loaded(1, 60, lot(1, 60), **IN_SELLS | EARLIER))
    when = world.when(transaction(does("SELLS", purchases=[BUY])))
    if offered:
        assert when.accepted.held
    else:
        when.refused(PointsRefusal.VOUCHER_NOT_OFFERED, "/loyaltyPrograms/0/purchases/0/voucherId")


def test_what_is_credited_at_the_close_never_takes_a_balance_beyond_what_is_exact() -> None:
    """However many are open, and whatever was credited meanwhile."""
    rules = applied(programme("SELLS", scale=2, loadLimits={"perLoad": 10**12}))
    cents = Decimal(HELD_MAX).scaleb(-2)
    start = given(rules, opened(), loaded(1, 1, lot(1, 1), **IN_SELLS | EARLIER))
    start.when(transaction(does("SELLS", loads=[cents + Decimal("0.01")]), voucherRedemptions=[SERIAL])).refused(
        PointsRefusal.BALANCE_LIMIT_EXCEEDED, "/loyaltyPrograms"
    )
    assert start.when(transaction(does("SELLS", loads=[cents]), voucherRedemptions=[SERIAL])).accepted.held
    assert CREDITED_MAX + HOLDS_MAX * HELD_MAX < 2**53


def test_a_load_that_is_captured_finds_a_lot_when_the_account_may_have_no_more() -> None:
    lots = [loaded(at, at, lot(at, 1, T0 + (at + 1) * DAY), **IN_SELLS | EARLIER) for at in range(1, LOTS_MAX)]
    load = {"value": 5, "balanceExpiresAt": (T0 + 5.5 * DAY).isoformat()}
    held = given(SELLS, opened(), *lots).when(transaction(does("SELLS", loads=[load]), voucherRedemptions=[SERIAL]))
    world = held.world.when(transaction(does("SELLS", loads=[1])), command_id="b").world
    done = world.when(closing("executed"), command_id="c").account.balances["SELLS"]
    assert len(done.lots) == LOTS_MAX
    assert [(each.expires_at, each.amount) for each in done.lots if each.amount > 1] == [(T0 + 6 * DAY, 6)]
    assert list(check_state(world.when(closing("executed"), command_id="c").account)) == []

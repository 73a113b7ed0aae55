"""Reversals over vouchers at the bounds: what is credited, what is owed, thresholds (rules 4.1.6, 4.1.11, 4.1.13)."""

from datetime import UTC, datetime, timedelta

from schemas.movements import GivenBack
from schemas.points import Adjust, CloseReversal, PointsRefusal
from services.points.identities import check_state
from services.points.state import CREDITED_MAX
from shared.ids import closing_id
from tests.unit.points.holding_world import BUY, IN_SELLS, LATER, SELLS, SERIAL, SOON, closed, rich
from tests.unit.points.reversal_world import BOUGHT, REVERSAL, USED, VOIDED, answered, asked, executed, reverse
from tests.unit.points.world import (
    ACCOUNT,
    COMMAND_ID,
    DAY,
    EARLIER,
    NUMBER,
    T0,
    Given,
    When,
    applied,
    does,
    given,
    loaded,
    lot,
    opened,
    programme,
    put,
    transaction,
)

Refusal = PointsRefusal


def test_a_balance_takes_no_more_than_it_ever_may() -> None:
    almost = lot(1, CREDITED_MAX - 25)
    world = given(SELLS, opened(), loaded(1, almost.amount, almost, **IN_SELLS | EARLIER))
    buys = transaction(does("SELLS", redemptions=[20], purchases=[BUY]))
    bought = {**BOUGHT, "operation": 1}
    done = closed(world.when(buys), "executed", issued=[{**bought, "validFrom": T0, "state": "issued"}]).world
    asked(done).refused(Refusal.BALANCE_LIMIT_EXCEEDED, "/transactionId")
    asked(done, {"operation": 1}).refused(Refusal.BALANCE_LIMIT_EXCEEDED, "/operations/0")
    assert asked(done, {"operation": 0}).accepted


def test_what_is_given_back_in_several_operations_counts_together() -> None:
    almost = lot(1, CREDITED_MAX - 25)
    world = given(SELLS, opened(), loaded(1, almost.amount, almost, **IN_SELLS | EARLIER))
    done = world.when(transaction(does("SELLS", redemptions=[20, 5, 1]))).world
    assert asked(done, {"operation": 0}, {"operation": 1}).accepted
    asked(done).refused(Refusal.BALANCE_LIMIT_EXCEEDED, "/transactionId")


def test_parts_of_one_operation_come_back_in_order_when_they_were_held() -> None:
    used = {**USED, "operation": 1}
    world = closed(
        rich().when(transaction(does("SELLS", redemptions=[70]), voucherRedemptions=[SERIAL])),
        "executed",
        redeemed=[used],
    ).world
    held = asked(world, {"operation": 0, "value": 8}, {"operation": 0, "value": 12}, {"operation": 1})
    back = answered(held.world, restored=[used])
    moved = [event for _, event in back.accepted.events if isinstance(event, GivenBack)]
    assert [[(part.expires_at, part.amount) for part in each.lots] for each in moved] == [
        [(LATER, 8)],
        [(LATER, 2), (SOON, 10)],
    ]


def owing() -> Given:
    """100, which are revoked while a transaction over a voucher is open that loads 50 and redeems 140: 90 are owed."""
    first = given(SELLS).when(transaction(does("SELLS", loads=[100])), command_id="first").world
    spends = transaction(does("SELLS", loads=[50], redemptions=[140]), voucherRedemptions=[{"serialId": "9"}])
    held = first.when(spends)
    undone = held.world.when(reverse(transactionId="first"), command_id="undo").world
    done = closed(When(held.outcome, undone.states, undone.entries), "executed", redeemed=[{**VOIDED, "operation": 2}])
    assert (done.account.balances["SELLS"].booked, done.account.balances["SELLS"].debt) == (-90, 90)
    return done.world


def test_what_a_debit_took_beyond_the_lots_comes_back_too() -> None:
    back = asked(owing(), {"operation": 1, "value": 100})
    balance = back.account.balances["SELLS"]
    assert (balance.booked, balance.debt, [each.amount for each in balance.lots]) == (10, 0, [10])
    rest = back.world.when(reverse({"operation": 1}), command_id="rest")
    assert rest.account.balances["SELLS"].booked == 50
    assert not list(check_state(rest.account))


def test_debt_that_was_paid_meanwhile_comes_back_for_the_grace() -> None:
    paid = owing().when(transaction(does("SELLS", loads=[200])), command_id="pays").world
    back = paid.when(reverse({"operation": 1, "value": 100}), T0 + timedelta(hours=1), command_id=REVERSAL)
    found = [(each.amount, each.expires_at) for each in back.account.balances["SELLS"].lots]
    assert found == [(90, datetime(2026, 12, 23, tzinfo=UTC)), (120, None)]
    assert not list(check_state(back.account))


def test_thresholds_reached_before_the_hold_are_booked_at_the_close() -> None:
    auto = applied(programme("SELLS", purchases=[], issueImmediateThreshold={"value": 50, "voucherId": "V"}))
    world = given(SELLS, opened(), loaded(1, 60, lot(1, 60), **IN_SELLS | EARLIER))
    world = Given({**world.states, **given(auto).states}, world.entries)
    held = world.when(transaction(voucherRedemptions=[SERIAL]), T0 + DAY)
    assert held.account.balances["SELLS"].booked == 60
    done = closed(held, "executed", T0 + DAY)
    assert done.account.balances["SELLS"].booked == 10


def test_thresholds_reached_before_a_held_reversal_are_booked_at_its_close() -> None:
    auto = programme("SELLS", purchases=[], issueImmediateThreshold={"value": 50, "voucherId": "V"})
    future = {"accountNumber": NUMBER, "programme": "SELLS", "value": 60, "reason": "later"}
    starts = Adjust.model_validate({**future, "activeFrom": (T0 + DAY).isoformat()})
    world = executed().when(starts, command_id="future").world.when(put(auto), command_id="rules").world
    held = world.when(reverse({"operation": 3}), T0 + DAY, command_id=REVERSAL)
    assert held.account.balances["SELLS"].booked == 100
    answer = {"account": ACCOUNT, "transactionId": COMMAND_ID, "reversalId": REVERSAL, "decision": "executed"}
    close = CloseReversal.model_validate({**answer, "restored": [USED]})
    done = held.world.when(close, T0 + DAY, command_id=closing_id(REVERSAL))
    assert done.account.balances["SELLS"].booked == 0

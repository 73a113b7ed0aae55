"""Reversing what a transaction did with vouchers: held until the voucher service has decided (RULES 4.1.13)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.accounts import SetAccountState
from schemas.holds import HoldEnded, HoldPlaced
from schemas.movements import GivenBack, Revoked
from schemas.points import Adjust, CloseReversal, PointsRefusal, Reverse
from schemas.refusals import VoucherRefusal
from schemas.reversals import ReversalHeld, ReversalReleased, Reversed, ReversedAmount
from schemas.voucher_saga import VoucherDone
from services.points.decider import DECIDER
from services.points.holding import HOLDS_MAX
from services.points.identities import check_state
from services.points.reversals import Reversals
from services.points.state import CREDITED_MAX, reversals_stream
from shared.decider import Accepted, Rejected
from shared.ids import closing_id
from tests.unit.points.holding_world import BUY, IN_SELLS, LATER, SELLS, SERIAL, SOON, closed, everything, rich
from tests.unit.points.world import (
    ACCOUNT,
    COMMAND_ID,
    DAY,
    EARLIER,
    NUMBER,
    STORE,
    T0,
    Given,
    When,
    applied,
    booked,
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
REVERSAL = "the reversal"
STREAM = reversals_stream(STORE, COMMAND_ID)
BOUGHT: dict[str, Any] = {"operation": 2, "serialId": "bought", "voucherId": "V"}
USED = {"operation": 3, **SERIAL, "voucherId": "W", "programme": "SELLS"}
VOIDED = {"operation": 4, "serialId": "9", "voucherId": "W"}
DONE: dict[str, Any] = {
    "issued": [{**BOUGHT, "validFrom": T0, "state": "redeemed"}],
    "redeemed": [BOUGHT, USED],
    "voided": [VOIDED],
}


def reverse(*operations: dict[str, Any], **more: Any) -> Reverse:
    fields = {"accountNumber": NUMBER, "transactionId": COMMAND_ID, "operations": operations, "reason": "wrong card"}
    return Reverse.model_validate({**fields, **more})


def asked(world: Given, *operations: dict[str, Any], **more: Any) -> When:
    return world.when(reverse(*operations, **more), command_id=REVERSAL)


def answered(world: Given, decision: str = "executed", reversal: str = REVERSAL, **more: Any) -> When:
    body = {"account": ACCOUNT, "transactionId": COMMAND_ID, "reversalId": reversal, "decision": decision, **more}
    return world.when(CloseReversal.model_validate(body), command_id=closing_id(reversal))


def executed(rules: Given | None = None) -> Given:
    """Everything, executed: in processing order load 10, redeem 20, buy for 50, redeem a voucher, void another."""
    return closed((rules or rich()).when(everything()), "executed", **DONE).world


def test_the_whole_is_held_and_booked_when_the_vouchers_are_dealt_with() -> None:
    world = executed()
    before = world.states
    held = asked(world)
    common: dict[str, Any] = {"account": ACCOUNT, "account_number": NUMBER, "booked_at": T0}
    amounts = [
        ReversedAmount(operation=at, programme="SELLS", amount=amount) for at, amount in [(0, 10), (1, 20), (2, 50)]
    ]
    plan = {"transaction_id": COMMAND_ID, "reversal_id": REVERSAL, "operations": tuple(amounts), "reason": "wrong card"}
    held.then(HoldPlaced(**common, transaction_id=REVERSAL), ReversalHeld(**common, **plan))
    assert held.accepted.held
    assert held.account.balances == before[f"account/{STORE}/{ACCOUNT}"].balances  # type: ignore[union-attr]
    (ask,) = held.accepted.follow_ups
    assert (ask.topic, ask.type, ask.subject, ask.id) == ("voucher.commands", "voucher.reverse.v1", ACCOUNT, None)
    assert ask.payload == {
        "reversalId": REVERSAL,
        "transactionId": COMMAND_ID,
        "account": ACCOUNT,
        "accountNumber": NUMBER,
        "redemptions": [{"operation": 3, "pointer": "/transactionId", **SERIAL, "graceDays": 30}],
        "purchases": [{"operation": 2, "pointer": "/transactionId", "serialId": "bought"}],
        "reason": "wrong card",
        "source": {},
    }
    assert DECIDER.load_state(STREAM, DECIDER.dump_state(held.states[STREAM])) == held.states[STREAM]
    done = answered(held.world, restored=[USED], voided=[BOUGHT])
    restored, voided = (VoucherDone.model_validate(each) for each in (USED, BOUGHT))
    moved: dict[str, Any] = {**IN_SELLS, "transaction_id": REVERSAL, "reason": "wrong card"}
    del common["account_number"]
    done.then(
        booked(GivenBack, lot(2, 10, LATER), lot(4, 40, SOON), **moved, sequence=6, delta=50, booked=90),
        booked(GivenBack, lot(4, 20, SOON), **moved, operation=1, sequence=7, delta=20, booked=110),
        booked(Revoked, lot(3, 10), **moved, operation=2, sequence=8, delta=-10, booked=100),
        HoldEnded(**common, account_number=NUMBER, transaction_id=REVERSAL),
        Reversed(**common, **plan, restored=(restored,), voided=(voided,)),
    )
    closing = done.accepted.closing
    assert closing is not None
    assert (closing.command_id, closing.refusal) == (REVERSAL, None)
    assert closing.result["transactionId"] == REVERSAL
    assert closing.result["balances"] == [{"loyaltyProgramId": "SELLS", "pointsBalance": 100, "scale": 0}]
    assert closing.result["reversed"] == [each.model_dump(by_alias=True) for each in amounts]
    assert closing.result["restoredVouchers"] == [USED]
    assert closing.result["voidedVouchers"] == [{**BOUGHT, "programme": None}]
    by = {3: REVERSAL, 2: REVERSAL}
    assert done.states[STREAM] == Reversals(COMMAND_ID, {0: 10, 1: 20, 2: 50}, by, None)
    assert DECIDER.load_state(STREAM, DECIDER.dump_state(done.states[STREAM])) == done.states[STREAM]
    assert not list(check_state(done.account))
    asked(done.world).refused(Refusal.ALREADY_REVERSED, "/transactionId")


def test_what_the_voucher_service_refuses_leaves_everything_as_it_was() -> None:
    world = executed()
    held = asked(world)
    done = answered(held.world, "refused", code="voucher_used", detail="used", pointer="/transactionId")
    assert [event.type for _, event in done.accepted.events] == ["points.hold_ended.v1", "points.reversal_released.v1"]
    assert done.accepted.events[1][1] == ReversalReleased(
        transaction_id=COMMAND_ID, reversal_id=REVERSAL, account=ACCOUNT, code="voucher_used", booked_at=T0
    )
    closing = done.accepted.closing
    assert closing is not None
    assert closing.refusal == Rejected(VoucherRefusal.VOUCHER_USED, "used", "/transactionId")
    account = f"account/{STORE}/{ACCOUNT}"
    assert done.states[account] == world.states[account]
    assert done.states[STREAM] == Reversals(COMMAND_ID)
    assert isinstance(asked(done.world).outcome, Accepted)


def test_one_reversal_of_a_transaction_is_open_at_a_time() -> None:
    held = asked(executed(), {"operation": 3})
    assert held.accepted.held
    other = held.world.when(reverse({"operation": 0}), command_id="another")
    other.refused(Refusal.TRANSACTION_OPEN, "/transactionId")
    done = answered(held.world, restored=[USED])
    assert done.account.balances["SELLS"].booked == 40
    assert done.accepted.closing is not None
    assert done.accepted.closing.result["balances"] == []
    one_step = done.world.when(reverse({"operation": 0}), command_id="another")
    assert not one_step.accepted.held
    assert one_step.account.balances["SELLS"].booked == 30
    rest = one_step.world.when(reverse(), command_id="rest")
    (ask,) = rest.accepted.follow_ups
    assert (ask.payload["redemptions"], len(ask.payload["purchases"])) == ([], 1)
    last = answered(rest.world, reversal="rest", voided=[BOUGHT])
    assert last.account.balances["SELLS"].booked == 100
    asked(last.world, {"operation": 2}).refused(Refusal.ALREADY_REVERSED, "/operations/0/operation")
    asked(last.world, {"operation": 3}).refused(Refusal.ALREADY_REVERSED, "/operations/0/operation")


@pytest.mark.parametrize(
    ("operations", "code", "pointer"),
    [
        ([{"operation": 4}], Refusal.NOT_REVERSIBLE, "/operations/0/operation"),
        ([{"operation": 5}], Refusal.REVERSED_OPERATION_UNKNOWN, "/operations/0/operation"),
        ([{"operation": 2, "value": 49}], Refusal.NOT_REVERSIBLE, "/operations/0/value"),
        ([{"operation": 2, "value": 51}], Refusal.REVERSAL_EXCEEDS_ORIGINAL, "/operations/0/value"),
        ([{"operation": 3, "value": 1}], Refusal.NOT_REVERSIBLE, "/operations/0/value"),
        ([{"operation": 3}, {"operation": 3}], Refusal.ALREADY_REVERSED, "/operations/1/operation"),
        ([{"operation": 2}, {"operation": 2}], Refusal.ALREADY_REVERSED, "/operations/1/operation"),
    ],
)
def test_refuses(operations: list[dict[str, Any]], code: PointsRefusal, pointer: str) -> None:
    asked(executed(), *operations).refused(code, pointer)


def test_the_price_may_be_named() -> None:
    held = asked(executed(), {"operation": 2, "value": 50})
    done = answered(held.world, voided=[BOUGHT])
    assert done.account.balances["SELLS"].booked == 90


def test_a_transaction_is_not_reversed_before_it_is_closed_and_not_when_nothing_came_of_it() -> None:
    open_one = rich().when(everything())
    asked(open_one.world).refused(Refusal.TRANSACTION_OPEN, "/transactionId")
    released = closed(open_one, "cancelled").world
    asked(released).refused(Refusal.NOT_REVERSIBLE, "/transactionId")


def test_the_grace_is_the_programmes_and_thirty_days_without_one() -> None:
    rules = programme("SELLS", purchases=[{"voucherId": "V", "price": 50}], reversalGraceDays=7)
    world = rich().when(put(rules), command_id="rules").world
    of_none = {"operation": 4, "serialId": "9", "voucherId": "W"}
    redeems_both = transaction(does("SELLS", voucherRedemptions=[SERIAL]), voucherRedemptions=[{"serialId": "9"}])
    first = {**USED, "operation": 0}
    world = closed(world.when(redeems_both), "executed", redeemed=[first, {**of_none, "operation": 1}]).world
    (ask,) = asked(world).accepted.follow_ups
    assert [each["graceDays"] for each in ask.payload["redemptions"]] == [7, 30]


def test_an_account_that_spends_meanwhile_owes_what_was_loaded() -> None:
    held = asked(executed(), {"operation": 0}, {"operation": 3})
    spent = held.world.when(transaction(does("SELLS", redemptions=[40])), command_id="spends").world
    done = answered(spent, restored=[USED])
    balance = done.account.balances["SELLS"]
    assert (balance.booked, balance.debt) == (-10, 10)
    assert not list(check_state(done.account))


def test_an_account_with_an_open_reversal_is_not_closed_and_counts_its_open_ones() -> None:
    held = asked(executed())
    close = SetAccountState.model_validate({"accountNumber": NUMBER, "state": "closed", "reason": "moved"})
    held.world.when(close, command_id="close").refused(Refusal.TRANSACTION_OPEN, "/state")
    world = executed()
    for number in range(HOLDS_MAX):
        world = world.when(transaction(voucherRedemptions=[SERIAL]), command_id=f"id-{number}").world
    asked(world).refused(Refusal.TOO_MANY_OPEN_TRANSACTIONS, "/accountNumber")
    assert not asked(world, {"operation": 0}).accepted.held


@pytest.mark.parametrize(("reversal", "decision"), [("unknown", "executed"), ("unknown", "refused")])
def test_an_answer_to_no_open_reversal_books_nothing(reversal: str, decision: str) -> None:
    more = {"code": "voucher_used"} if decision == "refused" else {}
    world = asked(executed()).world
    answered(world, decision, reversal, **more).refused(Refusal.TRANSACTION_UNKNOWN, "/reversalId")
    done = answered(world, restored=[USED], voided=[BOUGHT]).world
    again = done.when(
        CloseReversal.model_validate(
            {"account": ACCOUNT, "transactionId": COMMAND_ID, "reversalId": REVERSAL, "decision": "executed"}
        ),
        command_id="again",
    )
    again.refused(Refusal.TRANSACTION_UNKNOWN, "/reversalId")


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

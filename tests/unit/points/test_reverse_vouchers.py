"""Reversing what a transaction did with vouchers: held until the voucher service has decided (rules 4.1.13)."""

from typing import Any

import pytest

from schemas.accounts import SetAccountState
from schemas.holds import HoldEnded, HoldPlaced
from schemas.movements import GivenBack, Revoked
from schemas.points import CloseReversal, PointsRefusal
from schemas.refusals import VoucherRefusal
from schemas.reversals import ReversalHeld, ReversalReleased, Reversed, ReversedAmount
from schemas.voucher_saga import VoucherDone
from services.points.closing import HOLDS_MAX
from services.points.decider import DECIDER
from services.points.identities import check_state
from services.points.reversals import Reversals
from shared.decider import Accepted, Rejected
from tests.unit.points.holding_world import IN_SELLS, LATER, SERIAL, SOON, closed, everything, rich
from tests.unit.points.reversal_world import BOUGHT, DONE, REVERSAL, STREAM, USED, answered, asked, executed, reverse
from tests.unit.points.world import (
    ACCOUNT,
    COMMAND_ID,
    NUMBER,
    STORE,
    T0,
    booked,
    does,
    lot,
    programme,
    put,
    transaction,
)

Refusal = PointsRefusal


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
    assert closing.result["restoredVouchers"] == [{**USED, "benefit": None}]
    assert closing.result["voidedVouchers"] == [{**BOUGHT, "programme": None, "benefit": None}]
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


def test_a_transaction_with_vouchers_is_of_whoever_sent_it_and_not_of_what_closed_it() -> None:
    held = rich().when(everything(), actor="client:1")
    asked(held.world, onlyBy="client:2").refused(Refusal.TRANSACTION_FOREIGN, "/transactionId")
    asked(held.world, onlyBy="client:1").refused(Refusal.TRANSACTION_OPEN, "/transactionId")
    world = closed(held, "executed", **DONE).world
    asked(world, {"operation": 3}, onlyBy="client:2").refused(Refusal.TRANSACTION_FOREIGN, "/transactionId")
    done = answered(asked(world, onlyBy="client:1").world, restored=[USED], voided=[BOUGHT])
    assert done.account.balances["SELLS"].booked == 100


@pytest.mark.parametrize("decision", ["executed", "refused"])
def test_an_answer_to_no_open_reversal_books_nothing(decision: str) -> None:
    more = {"code": "voucher_used"} if decision == "refused" else {}
    world = asked(executed()).world
    answered(world, decision, "unknown", **more).refused(Refusal.TRANSACTION_UNKNOWN, "/reversalId")
    done = answered(world, restored=[USED], voided=[BOUGHT]).world
    again = done.when(
        CloseReversal.model_validate(
            {"account": ACCOUNT, "transactionId": COMMAND_ID, "reversalId": REVERSAL, "decision": "executed"}
        ),
        command_id="again",
    )
    again.refused(Refusal.TRANSACTION_UNKNOWN, "/reversalId")

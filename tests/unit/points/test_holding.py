"""Transactions over points and vouchers: held, captured or released, and nothing in between (rules 4.2.2)."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.holds import (
    CancelHeld,
    CancelRequested,
    HeldCredit,
    HeldDebit,
    HoldEnded,
    HoldPlaced,
    TransactionHeld,
)
from schemas.movements import GivenBack, Held, Moved, Purchased, Released, Revoked
from schemas.points import BookDue, PointsRefusal, Reverse
from schemas.refusals import VoucherRefusal
from services.points.holding import WAIT
from services.points.waking import wake
from shared.decider import FollowUp
from shared.ids import account_id
from tests.unit.points.holding_world import (
    BUY,
    IN_SELLS,
    LATER,
    SELLS,
    SERIAL,
    SOON,
    TRANSACTION,
    closed,
    closing,
    ended,
    everything,
    placed,
    rich,
)
from tests.unit.points.world import (
    ACCOUNT,
    COMMAND_ID,
    DAY,
    NUMBER,
    STORE,
    STREAM,
    T0,
    adjust,
    applied,
    booked,
    does,
    given,
    loaded,
    lot,
    opened,
    programme,
    redeemed,
    transaction,
)


def test_it_sets_aside_what_it_takes_and_asks_the_voucher_service() -> None:
    held = rich().when(everything())
    source = {"shop": "Webshop"}
    common = {**IN_SELLS, "source": source}
    plan = TransactionHeld.model_validate(
        {
            "transactionId": COMMAND_ID,
            "account": ACCOUNT,
            "accountNumber": NUMBER,
            "programmes": ["SELLS"],
            "credits": [HeldCredit(operation=0, programme="SELLS", amount=10)],
            "debits": [
                HeldDebit(operation=1, kind="redeem", programme="SELLS", amount=20, lots=(lot(1, 20, SOON),)),
                HeldDebit(
                    operation=2,
                    kind="purchase",
                    programme="SELLS",
                    amount=50,
                    lots=(lot(1, 40, SOON), lot(2, 10, LATER)),
                ),
            ],
            "source": source,
            "deadline": T0 + WAIT,
            "bookedAt": T0,
        }
    )
    held.then(
        placed(HoldPlaced),
        booked(Held, lot(1, 20, SOON), amount=20, operation=1, **common),
        booked(Held, lot(1, 40, SOON), lot(2, 10, LATER), amount=50, operation=2, **common),
        plan,
    )
    balance = held.account.balances["SELLS"]
    assert (balance.booked, balance.held, balance.spendable, balance.lots) == (100, 70, 30, (balance.lots[0],))
    assert held.accepted.held
    (execute,) = held.accepted.follow_ups
    assert (execute.topic, execute.type, execute.subject, execute.id) == (
        "voucher.commands",
        "voucher.execute.v1",
        ACCOUNT,
        None,
    )
    (bought,) = execute.payload["purchases"]
    serial = bought.pop("serialId")
    assert len(serial) == 19
    assert luhn(serial)
    assert bought == {
        "operation": 2,
        "pointer": "/loyaltyPrograms/0/purchases/0",
        "programme": "SELLS",
        "voucherId": "V",
        "use": True,
        "cost": 50,
        "scale": 0,
        "unit": "points",
    }
    assert execute.payload["redemptions"] == [
        {
            "operation": 3,
            "pointer": "/loyaltyPrograms/0/voucherRedemptions/0",
            "programme": "SELLS",
            "serialId": "6666270046419031265",
            "void": False,
        },
        {"operation": 4, "pointer": "/voucherRedemptions/0", "serialId": "9", "void": True},
    ]
    assert execute.payload["deadline"] == "2026-11-22T10:00:31.123Z"


def luhn(number: str) -> bool:
    """ISO/IEC 7812-1, annex B, the other way round: the weighted sum of all digits ends in 0."""
    return sum(sum(divmod(int(digit) * (1 + at % 2), 10)) for at, digit in enumerate(number[::-1])) % 10 == 0


def test_executed_it_is_booked_without_further_checks() -> None:
    issued = {"operation": 2, "serialId": "1", "voucherId": "V", "programme": "SELLS", "state": "redeemed"}
    done = closed(rich().when(everything()), "executed", issued=[{**issued, "validFrom": T0}])
    common = {**IN_SELLS, "source": {"shop": "Webshop"}}
    never, soon, later = lot(3, 10), lot(1, 40, SOON), lot(2, 10, LATER)
    done.then(
        loaded(3, 110, never, **common),
        booked(Released, lot(1, 20, SOON), amount=20, operation=1, **common),
        redeemed(4, 90, lot(1, 20, SOON), operation=1, **common),
        booked(Released, soon, later, amount=50, operation=2, **common),
        booked(Purchased, soon, later, sequence=5, delta=-50, booked=40, operation=2, **common),
        placed(HoldEnded),
        ended(
            "executed", issued=[{name: issued[name] for name in ("operation", "serialId", "voucherId", "programme")}]
        ),
    )
    outcome = done.accepted.closing
    assert outcome is not None
    assert (outcome.command_id, outcome.refusal) == (COMMAND_ID, None)
    assert outcome.result["transactionId"] == COMMAND_ID
    assert outcome.result["balances"] == [{"loyaltyProgramId": "SELLS", "pointsBalance": 40, "scale": 0}]
    (voucher,) = outcome.result["issuedVouchers"]
    assert (voucher["serialId"], voucher["state"]) == ("1", "redeemed")
    assert done.account.balances["SELLS"].held == 0
    assert done.account.holds == ()


@pytest.mark.parametrize(
    ("decision", "told", "code", "pointer"),
    [
        (
            "refused",
            {"code": "voucher_redeemed", "detail": "it was used", "pointer": "/voucherRedemptions/0"},
            VoucherRefusal.VOUCHER_REDEEMED,
            "/voucherRedemptions/0",
        ),
        ("cancelled", {}, PointsRefusal.TRANSACTION_TIMED_OUT, None),
    ],
)
def test_otherwise_what_was_set_aside_comes_back(decision: str, told: Any, code: Any, pointer: str | None) -> None:
    before = rich()
    done = closed(before.when(everything()), decision, **told)
    common = {**IN_SELLS, "source": {"shop": "Webshop"}}
    done.then(
        booked(Released, lot(1, 20, SOON), amount=20, operation=1, **common),
        booked(Released, lot(1, 40, SOON), lot(2, 10, LATER), amount=50, operation=2, **common),
        placed(HoldEnded),
        ended(decision, told.get("code")),
    )
    outcome = done.accepted.closing
    assert outcome is not None
    assert outcome.refusal is not None
    assert (outcome.refusal.code, outcome.refusal.pointer) == (code, pointer)
    now, then = done.account.balances["SELLS"], rich().states[STREAM].balances["SELLS"]  # type: ignore[union-attr]
    assert (now.lots, now.held, now.booked) == (then.lots, 0, 100)


def test_what_it_loads_itself_can_be_spent_and_is_seen_only_when_it_is_executed() -> None:
    world = given(SELLS)
    held = world.when(transaction(does("SELLS", loads=[60], purchases=[BUY])))
    plan = held.accepted.events[-1][1]
    assert isinstance(plan, TransactionHeld)
    assert plan.debits == (HeldDebit(operation=1, kind="purchase", programme="SELLS", amount=50),)
    assert [type(event) for _, event in held.accepted.events] == [HoldPlaced, TransactionHeld]
    assert held.account.account_number is None, "it does not open the account"
    assert closed(held, "refused", code="voucher_void").account.account_number is None
    done = closed(held, "executed")
    assert (done.account.account_number, done.account.balances["SELLS"].booked) == (NUMBER, 10)


def test_what_was_set_aside_cannot_be_spent_again_nor_expires() -> None:
    world = rich().when(transaction(does("SELLS", purchases=[BUY]))).world
    other = transaction(does("SELLS", redemptions=[51]))
    world.when(other, command_id="b").refused(PointsRefusal.INSUFFICIENT_POINTS, "/loyaltyPrograms/0/redemptions/0")
    after = world.when(adjust(1, "SELLS"), SOON + DAY, command_id="c")
    balance = after.account.balances["SELLS"]
    assert (balance.booked, balance.held, balance.expired) == (91, 50, 10), "10 of the 60 were not set aside"
    captured = after.world.when(closing("executed"), SOON + DAY, command_id="d")
    assert captured.account.balances["SELLS"].spendable == 41
    released = after.world.when(closing("cancelled"), SOON + DAY, command_id="d")
    assert released.account.balances["SELLS"].spendable == 91
    then = released.world.when(adjust(1, "SELLS"), SOON + DAY, command_id="e").account.balances["SELLS"]
    assert (then.booked, then.expired) == (42, 60), "it comes back to its lot, and expires with it"


def test_when_the_account_expires_what_was_set_aside_stays() -> None:
    rules = programme("SELLS", accountExpiryMonths=1, purchases=[{"voucherId": "V", "price": 50}])
    held = (
        given(applied(rules))
        .when(transaction(does("SELLS", loads=[80])), command_id="a")
        .world.when(transaction(does("SELLS", purchases=[BUY])))
    )
    late = T0 + 60 * DAY
    balance = held.world.when(BookDue(), late, command_id="b").account.balances["SELLS"]
    assert (balance.booked, balance.held, balance.expired, balance.lots) == (50, 50, 30, ())
    back = held.world.when(closing("cancelled"), late, command_id="c").account.balances["SELLS"]
    assert (back.booked, back.held, back.expired) == (50, 0, 30)


def test_what_is_owed_meanwhile_is_paid_from_what_comes_back() -> None:
    world = given(SELLS, opened())
    load = world.when(transaction(does("SELLS", loads=[60])), command_id="a")
    held = load.world.when(transaction(does("SELLS", purchases=[BUY])))
    reverse = Reverse(account_number=NUMBER, transaction_id="a", reason="wrong card")
    owing = held.world.when(reverse, command_id="b")
    balance = owing.account.balances["SELLS"]
    assert (balance.booked, balance.debt, balance.held, balance.lots) == (0, 50, 50, ())
    back = owing.world.when(closing("refused", code="voucher_void"), command_id="c")
    assert back.account.balances["SELLS"].held == 0
    assert (back.account.balances["SELLS"].debt, back.account.balances["SELLS"].lots) == (0, ())
    spent = owing.world.when(closing("executed"), command_id="c")
    assert (spent.account.balances["SELLS"].booked, spent.account.balances["SELLS"].debt) == (-50, 50)


def test_at_its_deadline_the_sweep_asks_to_cancel_it_and_nothing_more() -> None:
    held = rich().when(transaction(voucherRedemptions=[SERIAL]))
    ask, again = CancelHeld(transaction_id=COMMAND_ID), T0 + WAIT + timedelta(hours=1)
    held.world.when(ask, T0 + WAIT - timedelta(milliseconds=1), command_id="b").then()
    asked = held.world.when(ask, T0 + WAIT, command_id="b")
    asked.then(CancelRequested(transaction_id=COMMAND_ID, account=ACCOUNT, again_at=again, booked_at=T0 + WAIT))
    cancel = {"transactionId": COMMAND_ID, "account": ACCOUNT}
    assert asked.accepted.follow_ups == (FollowUp("voucher.commands", "voucher.cancel.v1", ACCOUNT, cancel),)
    asked.world.when(ask, again - timedelta(milliseconds=1), command_id="c").then()
    assert asked.world.when(ask, again, command_id="c").accepted.follow_ups
    done = asked.world.when(closing("executed"), again, command_id="d")
    done.world.when(ask, again, command_id="e").then()


def test_what_was_cancelled_before_it_came_is_never_held() -> None:
    world = rich().when(closing("cancelled"), command_id="a").then(ended("cancelled")).world
    world.when(closing("cancelled"), command_id="b").refused(PointsRefusal.TRANSACTION_UNKNOWN, "/transactionId")
    world.when(everything()).refused(PointsRefusal.TRANSACTION_TIMED_OUT, None)


def test_only_an_open_transaction_of_the_account_is_closed_and_once() -> None:
    unknown = rich().when(closing("executed"))
    unknown.refused(PointsRefusal.TRANSACTION_UNKNOWN, "/transactionId")
    held = rich().when(everything())
    foreign = account_id(STORE, "2")
    elsewhere = held.world.when(closing("executed"), subject=foreign, command_id="b")
    elsewhere.refused(PointsRefusal.TRANSACTION_UNKNOWN, "/transactionId")
    again = closed(held, "executed").world.when(closing("refused", code="voucher_void"), command_id="c")
    again.refused(PointsRefusal.TRANSACTION_UNKNOWN, "/transactionId")


def test_the_sweep_is_woken_by_the_transaction() -> None:
    found = wake(TRANSACTION, {"account": ACCOUNT})
    assert found is not None
    assert (found.type, found.subject, found.payload) == (
        "points.cancel_held.v1",
        ACCOUNT,
        {"transactionId": COMMAND_ID},
    )


def test_movements_of_a_closed_transaction_carry_its_id() -> None:
    done = closed(rich().when(everything()), "executed")
    moved = [event for _, event in done.accepted.events if isinstance(event, Moved)]
    assert {event.transaction_id for event in moved} == {COMMAND_ID}
    assert [event.operation for event in moved] == [0, 1, 2]
    assert not [event for event in moved if isinstance(event, Revoked | GivenBack)]

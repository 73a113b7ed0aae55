"""Points that become vouchers by themselves (rules 4.1.11)."""

from typing import Any

import pytest

from schemas.movements import ThresholdReached
from schemas.points import BookDue, CloseTransaction, Loaded, PointsRefusal, Reverse
from services.points.thresholds import TIMES_MAX
from shared.decider import Rejected
from shared.ids import closing_id
from tests.unit.points.order_world import EARN, after, fulfil, place
from tests.unit.points.world import (
    ACCOUNT,
    COMMAND_ID,
    DAY,
    EARLIER,
    NUMBER,
    T0,
    When,
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

AUTO: dict[str, Any] = {"issueImmediateThreshold": {"value": 100, "voucherId": "V"}}
BY_100 = applied(programme(**AUTO))


def reached(sequence: int, left: int, *parts: Any, **more: Any) -> Any:
    delta = -sum(part.amount for part in parts)
    return booked(ThresholdReached, *parts, sequence=sequence, delta=delta, booked=left, **more)


def thresholds(when: When) -> list[ThresholdReached]:
    return [event for _, event in when.accepted.events if isinstance(event, ThresholdReached)]


def test_it_is_deducted_with_the_load_named_in_the_reply_and_issued_by_the_command_that_follows() -> None:
    world = given(BY_100, opened(), loaded(1, 90, lot(1, 90, T0 + DAY), **EARLIER))
    when = world.when(transaction(does(loads=[15]), context={"shopId": "Webshop"}))
    source = {"shop": "Webshop"}
    when.then(
        loaded(2, 105, lot(2, 15), source=source),
        reached(3, 5, lot(1, 90, T0 + DAY), lot(2, 10), operation=1, source=source),
    )
    (issued,) = when.accepted.result["issuedVouchers"]
    serial = issued["serialId"]
    assert issued == {"operation": 1, "serialId": serial, "voucherId": "V", "programme": "LOY", "benefit": None}
    assert when.balances() == {"LOY": 5}
    (follow_up,) = when.accepted.follow_ups
    assert (follow_up.topic, follow_up.type, follow_up.subject) == (
        "voucher.commands",
        "voucher.issue_threshold.v1",
        ACCOUNT,
    )
    voucher = {"operation": 1, "programme": "LOY", "voucherId": "V", "serialId": serial}
    voucher |= {"cost": 100, "scale": 0, "unit": "points"}
    assert follow_up.payload == {
        "transactionId": COMMAND_ID,
        "account": ACCOUNT,
        "accountNumber": NUMBER,
        "vouchers": [voucher],
        "definitions": [],
        "source": source,
    }


def test_as_often_as_it_fits_after_what_the_same_command_takes() -> None:
    when = given(BY_100).when(transaction(does(loads=[350], redemptions=[60])))
    assert [event.booked for event in thresholds(when)] == [190, 90]
    serials = [each["serialId"] for each in when.accepted.result["issuedVouchers"]]
    assert len(set(serials)) == 2
    assert all(len(serial) == 19 for serial in serials)


def test_at_most_a_hundred_a_command_and_the_rest_by_the_next() -> None:
    """Of points that were there before the threshold was declared."""
    there = 100 * (TIMES_MAX + 30) + 6
    when = given(BY_100, opened(), loaded(1, there, lot(1, there), **EARLIER)).when(transaction(does(loads=[1])))
    assert len(thresholds(when)) == TIMES_MAX
    *_, again = when.accepted.follow_ups
    assert (again.type, again.subject, again.payload) == ("points.book_due.v1", ACCOUNT, {"thresholds": True})
    rest = when.world.when(BookDue(thresholds=True), command_id="b")
    assert (len(thresholds(rest)), rest.account.balances["LOY"].booked) == (30, 7)
    assert [each.type for each in rest.accepted.follow_ups] == ["voucher.issue_threshold.v1"]


@pytest.mark.parametrize(
    ("body", "times"),
    [
        (transaction(does(redemptions=[1])), 0),
        (adjust(-1), 0),
        (BookDue(), 0),
        (adjust(1), 2),
        (transaction(does(loads=[1], redemptions=[1])), 0),
    ],
)
def test_only_what_raises_what_may_be_spent(body: Any, times: int) -> None:
    """A threshold that was declared later looks at the next command that raises the balance, and at that one wholly."""
    world = given(BY_100, opened(), loaded(1, 250, lot(1, 250), **EARLIER))
    assert len(thresholds(world.when(body))) == times


def test_what_becomes_active_counts() -> None:
    world = given(BY_100, opened()).when(adjust(100, activeFrom=(T0 + DAY).isoformat()))
    assert not thresholds(world)
    assert len(thresholds(world.world.when(BookDue(), T0 + DAY, command_id="b"))) == 1


def test_reversing_the_load_leaves_the_voucher_and_creates_debt() -> None:
    world = given(BY_100).when(transaction(does(loads=[120]))).world
    reverse = Reverse(account_number=NUMBER, transaction_id=COMMAND_ID, reason="wrong card")
    balance = world.when(reverse, command_id="b").account.balances["LOY"]
    assert (balance.booked, balance.debt, balance.lots) == (-100, 100, ())


def test_a_programme_without_a_threshold_issues_nothing() -> None:
    when = given(applied(programme())).when(transaction(does(loads=[1000])))
    when.then(opened(T0), loaded(1, 1000, lot(1, 1000)))


FEW = applied(programme("FEW", issueImmediateThreshold={"value": 100, "voucherId": "V", "maxPerCommand": 2}))


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (transaction(does(loads=[1]), does("FEW", redemptions=[5], loads=[300, 5])), "/loyaltyPrograms/1/loads/0"),
        (adjust(300, "FEW"), "/value"),
        (transaction(does("FEW", loads=[300]), voucherRedemptions=[{"serialId": "1"}]), "/loyaltyPrograms/0/loads/0"),
    ],
)
def test_what_would_issue_too_many_vouchers_at_once_is_refused(body: Any, pointer: str) -> None:
    world = given(BY_100, FEW, opened(), booked(Loaded, lot(1, 99), programme="FEW", sequence=1, delta=99, booked=99))
    when = world.when(body)
    when.refused(PointsRefusal.THRESHOLD_LIMIT_EXCEEDED, pointer)
    assert isinstance(when.outcome, Rejected)
    assert "3 vouchers V" in when.outcome.detail
    assert "allows 2 a command" in when.outcome.detail
    assert len(thresholds(world.when(adjust(200, "FEW")))) == 2


def test_without_a_word_a_threshold_issues_twenty_vouchers_at_once_and_a_load_credits_a_million() -> None:
    assert len(thresholds(given(BY_100).when(transaction(does(loads=[2099]))))) == 20
    over = given(BY_100).when(transaction(does(loads=[2100])))
    over.refused(PointsRefusal.THRESHOLD_LIMIT_EXCEEDED, "/loyaltyPrograms/0/loads/0")
    plain = given(applied(programme()))
    assert plain.when(transaction(does(loads=[1_000_000]))).accepted
    for loads in ([1_000_001], [1_000_000, 1]):
        refused = plain.when(transaction(does(loads=list(loads))))
        refused.refused(PointsRefusal.LOAD_LIMIT_EXCEEDED, f"/loyaltyPrograms/0/loads/{len(loads) - 1}")


def test_an_order_that_would_issue_too_many_vouchers_stays_pending() -> None:
    rules = {"issueImmediateThreshold": {"value": 1, "voucherId": "V"}, **EARN}
    world = after(place(), start=given(applied(programme("ORD", **rules))))
    world.when(fulfil()).refused(PointsRefusal.THRESHOLD_LIMIT_EXCEEDED, None)
    assert len(thresholds(world.when(fulfil(20)))) == 20


def test_decimals_count_in_the_smallest_unit() -> None:
    rules = programme(scale=2, issueImmediateThreshold={"value": 1.5, "voucherId": "V"})
    when = given(applied(rules)).when(transaction(does(loads=[3.1])))
    assert [event.delta for event in thresholds(when)] == [-150, -150]


def test_a_captured_transaction_reaches_it_and_one_that_is_held_does_not() -> None:
    held = given(BY_100).when(transaction(does(loads=[130]), voucherRedemptions=[{"serialId": "1"}]))
    assert not thresholds(held)
    close = CloseTransaction.model_validate({"transactionId": COMMAND_ID, "account": ACCOUNT, "decision": "executed"})
    done = held.world.when(close, command_id=closing_id(COMMAND_ID))
    assert [event.transaction_id for event in thresholds(done)] == [COMMAND_ID]
    assert done.accepted.closing is not None
    assert len(done.accepted.closing.result["issuedVouchers"]) == 1
    assert [each.payload["transactionId"] for each in done.accepted.follow_ups] == [COMMAND_ID]


def test_what_is_spent_first_is_not_there_for_it() -> None:
    world = given(BY_100, opened(), loaded(1, 99, lot(1, 99), **EARLIER))
    when = world.when(transaction(does(loads=[5], redemptions=[5])))
    when.then(loaded(2, 104, lot(1, 5)), redeemed(3, 99, lot(1, 5), operation=1))

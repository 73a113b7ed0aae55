"""Corrections by hand, now or from a later time (rules 4.1.4, 4.1.6, 4.1.10)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.points import PointsRefusal
from shared.decider import Rejected
from tests.unit.points.world import (
    ACCOUNT,
    DAY,
    EARLIER,
    LOY,
    NUMBER,
    T0,
    activated,
    adjust,
    adjusted,
    applied,
    does,
    given,
    loaded,
    lot,
    opened,
    programme,
    redeemed,
    scheduled,
    transaction,
)

Refusal = PointsRefusal
HUNDRED = (LOY, opened(), loaded(1, 100, lot(1, 100), **EARLIER))
LATER = T0 + 10 * DAY


def test_upwards_books_at_once_and_opens() -> None:
    when = given(LOY).when(adjust(40, context={"comment": "sorry"}))
    when.then(opened(T0), adjusted(1, 40, 40, lot(1, 40)))
    assert when.balances() == {"LOY": 40}
    assert when.accepted.memo == "sorry"
    assert when.account.balances["LOY"].adjusted_up == 40


def test_downwards_takes_in_spending_order() -> None:
    world = given(*HUNDRED, loaded(2, 150, lot(2, 50, LATER), **EARLIER))
    when = world.when(adjust(-60))
    when.then(adjusted(3, 90, -60, lot(2, 50, LATER), lot(1, 10)))
    assert when.account.balances["LOY"].adjusted_down == 60


def test_a_start_that_has_come_is_now() -> None:
    given(LOY).when(adjust(40, activeFrom=T0.isoformat())).then(opened(T0), adjusted(1, 40, 40, lot(1, 40)))


def test_a_future_dated_credit_stays_outside_until_its_time() -> None:
    when = given(*HUNDRED).when(adjust(40, activeFrom=LATER.isoformat()))
    when.then(scheduled(lot(2, 40, None, LATER)))
    assert when.balances() == {"LOY": 100}
    assert when.account.balances["LOY"].booked == 100
    assert when.account.sequence == 1


def test_it_enters_by_an_activation_and_can_then_be_spent() -> None:
    world = given(*HUNDRED, scheduled(lot(2, 40, None, T0), **EARLIER))
    when = world.when(transaction(does(redemptions=[120])))
    when.then(activated(2, 140, lot(2, 40, None, T0)), redeemed(3, 20, lot(1, 120)))
    assert when.account.balances["LOY"].adjusted_up == 40


def test_equal_future_dated_credits_are_one_lot() -> None:
    world = given(*HUNDRED, scheduled(lot(2, 40, None, LATER), **EARLIER))
    when = world.when(adjust(2, activeFrom=LATER.isoformat()))
    when.then(scheduled(lot(2, 2, None, LATER)))
    assert [(each.id, each.amount) for each in when.account.balances["LOY"].scheduled] == [(2, 42)]


def test_its_expiry_counts_from_its_activation() -> None:
    rules = applied(programme(expiry={"days": 2}, accountExpiryMonths=1))
    when = given(rules).when(adjust(40, activeFrom=LATER.isoformat()))
    expiry = datetime(2026, 12, 5, tzinfo=UTC)
    closing = datetime(2027, 1, 3, tzinfo=UTC)
    when.then(opened(T0), scheduled(lot(1, 40, expiry, LATER), account_expires_at=closing))


@pytest.mark.parametrize(
    ("before", "body", "code", "pointer"),
    [
        ((), adjust(1), Refusal.PROGRAMME_UNKNOWN, "/programme"),
        ((LOY,), adjust(0), Refusal.VALUE_ZERO, "/value"),
        ((LOY,), adjust(1.5), Refusal.TOO_MANY_DECIMALS, "/value"),
        ((LOY,), adjust(-1), Refusal.ACCOUNT_UNKNOWN, "/value"),
        (HUNDRED, adjust(-101), Refusal.INSUFFICIENT_POINTS, "/value"),
        ((applied(programme(state="retired")),), adjust(1), Refusal.PROGRAMME_RETIRED, "/programme"),
        ((applied(programme(openOnCredit=False)),), adjust(1), Refusal.ACCOUNT_UNKNOWN, "/programme"),
        (HUNDRED, adjust(-1, activeFrom=LATER.isoformat()), Refusal.SCHEDULED_DEBIT, "/activeFrom"),
        (HUNDRED, adjust(-1, expiresAt=LATER.isoformat()), Refusal.SCHEDULED_DEBIT, "/expiresAt"),
        (HUNDRED, adjust(1, expiresAt=T0.isoformat()), Refusal.EXPIRY_IN_PAST, "/expiresAt"),
        (
            HUNDRED,
            adjust(1, activeFrom=LATER.isoformat(), expiresAt=LATER.isoformat()),
            Refusal.EXPIRY_BEFORE_ACTIVATION,
            "/expiresAt",
        ),
        (
            (applied(programme(expiry={"on": "2026-11-30"})),),
            adjust(1, activeFrom=LATER.isoformat()),
            Refusal.EXPIRY_BEFORE_ACTIVATION,
            "/programme",
        ),
    ],
)
def test_refuses(before: Any, body: Any, code: PointsRefusal, pointer: str) -> None:
    given(*before).when(body).refused(code, pointer)


def test_another_account_is_refused() -> None:
    assert NUMBER != "1"
    body = adjust(1).model_copy(update={"account_number": "1"})
    given(LOY).when(body, subject=ACCOUNT).refused(Refusal.ACCOUNT_MISMATCH, "/accountNumber")


def test_insufficient_points_says_how_many_there_are() -> None:
    refused = given(*HUNDRED).when(adjust(-101)).outcome
    assert isinstance(refused, Rejected)
    assert refused.detail == "LOY has 100 to spend, and 101 was asked for"


def test_what_starts_at_the_end_of_the_calendar_is_kept_and_never_comes() -> None:
    end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    when = given(*HUNDRED).when(adjust(40, activeFrom=end.isoformat()))
    when.then(scheduled(lot(2, 40, None, end)))

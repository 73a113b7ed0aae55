"""Post Transaction: loads and redemptions over several programmes, all or nothing (rules 4.2.1, 4.2.4, 4.1.6)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from schemas.points import PointsRefusal, Source
from services.points.state import CREDITED_MAX, LOTS_MAX
from tests.unit.points.world import (
    ACCOUNT,
    COMMAND_ID,
    DAY,
    EARLIER,
    LOY,
    T0,
    applied,
    does,
    given,
    loaded,
    lot,
    opened,
    programme,
    redeemed,
    transaction,
)

Refusal = PointsRefusal
HUNDRED = (LOY, opened(), loaded(1, 100, lot(1, 100), **EARLIER))
CENTS = applied(programme("CENTS", scale=2, unit="EUR"))


def test_a_first_load_opens_the_account() -> None:
    when = given(LOY).when(transaction(does(loads=[1000])))
    when.then(opened(T0), loaded(1, 1000, lot(1, 1000)))
    assert when.accepted.result == {
        "transactionId": COMMAND_ID,
        "balances": [{"loyaltyProgramId": "LOY", "pointsBalance": 1000, "scale": 0}],
        "issuedVouchers": [],
        "redeemedVouchers": [],
        "voidedVouchers": [],
    }


def test_a_load_into_an_equal_lot_joins_it() -> None:
    given(*HUNDRED).when(transaction(does(loads=[5]))).then(loaded(2, 105, lot(1, 5)))


def test_the_context_becomes_source_memo_and_time_of_the_fact() -> None:
    context = {
        "receiptNr": "R-1",
        "shopId": "12",
        "posId": "3",
        "operatorId": "7",
        "comment": "Order 12345 fulfilled",
        "occurredAt": "2026-11-20T09:00:00+01:00",
    }
    when = given(*HUNDRED).when(transaction(does(redemptions=[40]), context=context))
    source = Source(receipt="R-1", shop="12", till="3", operator="7")
    fact = T0.replace(day=20, hour=8, minute=0, second=0, microsecond=0)
    when.then(redeemed(2, 60, lot(1, 40), source=source, occurred_at=fact))
    assert when.accepted.memo == "Order 12345 fulfilled"


def test_loads_come_before_redemptions_over_all_programmes_and_every_operation_counts() -> None:
    parts = (does(redemptions=[30]), does("CENTS", loads=[0, Decimal("0.05")]), does(loads=[20], redemptions=[0]))
    when = given(LOY, CENTS).when(transaction(*parts))
    cents: dict[str, Any] = {"programme": "CENTS", "scale": 2, "unit": "EUR"}
    when.refused(Refusal.INSUFFICIENT_POINTS, "/loyaltyPrograms/0/redemptions/0")
    parts = (does(redemptions=[15]), *parts[1:])
    when = given(LOY, CENTS).when(transaction(*parts))
    when.then(
        opened(T0),
        loaded(1, 5, lot(1, 5), **cents, operation=1),
        loaded(2, 20, lot(1, 20), operation=2),
        redeemed(3, 5, lot(1, 15), operation=3),
    )
    assert when.balances() == {"LOY": 5, "CENTS": 5}


def test_a_redemption_takes_earliest_expiry_first_then_age_never_expiring_last() -> None:
    near, far = T0 + 5 * DAY, T0 + 50 * DAY
    world = given(
        LOY,
        opened(),
        loaded(1, 10, lot(1, 10), **EARLIER),
        loaded(2, 20, lot(2, 10, far), **EARLIER),
        loaded(3, 30, lot(3, 10, near), **EARLIER),
    )
    when = world.when(transaction(does(redemptions=[25])))
    when.then(redeemed(4, 5, lot(3, 10, near), lot(2, 10, far), lot(1, 5)))
    assert [(each.id, each.amount) for each in when.account.balances["LOY"].lots] == [(1, 5)]


@pytest.mark.parametrize(
    "body", [transaction(), transaction(does()), transaction(does(loads=[0, 0.0], redemptions=[0]))]
)
def test_an_empty_transaction_is_quiet_and_opens_nothing(body: Any) -> None:
    when = given(LOY).when(body)
    when.then()
    assert when.account.account_number is None
    assert all(balance == 0 for balance in when.balances().values())


def test_a_retired_programme_takes_no_credits_but_can_be_spent() -> None:
    retired = applied(programme(state="retired"), 2)
    world = given(*HUNDRED, retired)
    world.when(transaction(does(loads=[1]))).refused(Refusal.PROGRAMME_RETIRED, "/loyaltyPrograms/0/loads/0")
    world.when(transaction(does(loads=[0], redemptions=[100]))).then(
        redeemed(2, 0, lot(1, 100), programme_version=2, operation=1)
    )


def test_caller_expiry_overrides_the_rule_exactly_as_given() -> None:
    rules = applied(programme(expiry={"days": 10}))
    at = T0 + timedelta(hours=3)
    load = {"value": 5, "balanceExpiresAt": at.isoformat()}
    given(rules).when(transaction(does(loads=[load]))).then(opened(T0), loaded(1, 5, lot(1, 5, at)))


LOAD, REDEMPTION = "/loyaltyPrograms/0/loads/0", "/loyaltyPrograms/0/redemptions/0"
NO_OPENING = applied(programme(openOnCredit=False))
LIMITED = applied(programme(loadLimits={"perLoad": 10, "perTransaction": 15}))
PAST = (T0 - DAY).isoformat()


@pytest.mark.parametrize(
    ("before", "body", "code", "pointer"),
    [
        ((), transaction(does("NONE")), Refusal.PROGRAMME_UNKNOWN, "/loyaltyPrograms/0/loyaltyPointDefinitionId"),
        (
            (LOY,),
            transaction(does(loads=[-1]), does("NONE")),
            Refusal.PROGRAMME_UNKNOWN,
            "/loyaltyPrograms/1/loyaltyPointDefinitionId",
        ),
        ((LOY,), transaction(does(loads=[-1])), Refusal.VALUE_NEGATIVE, LOAD),
        ((LOY,), transaction(does(loads=[0.5])), Refusal.TOO_MANY_DECIMALS, LOAD),
        ((CENTS,), transaction(does("CENTS", loads=[Decimal("0.001")])), Refusal.TOO_MANY_DECIMALS, LOAD),
        ((NO_OPENING,), transaction(does(loads=[1])), Refusal.ACCOUNT_UNKNOWN, LOAD),
        ((LOY,), transaction(does(redemptions=[1])), Refusal.ACCOUNT_UNKNOWN, REDEMPTION),
        (HUNDRED, transaction(does(redemptions=[101])), Refusal.INSUFFICIENT_POINTS, REDEMPTION),
        (HUNDRED, transaction(does(redemptions=[-1])), Refusal.VALUE_NEGATIVE, REDEMPTION),
        (HUNDRED, transaction(does(redemptions=[1.5])), Refusal.TOO_MANY_DECIMALS, REDEMPTION),
        ((*HUNDRED, CENTS), transaction(does("CENTS", redemptions=[1])), Refusal.INSUFFICIENT_POINTS, REDEMPTION),
        ((LIMITED,), transaction(does(loads=[11])), Refusal.LOAD_LIMIT_EXCEEDED, LOAD),
        (
            (LIMITED,),
            transaction(does(loads=[8]), does(loads=[8])),
            Refusal.LOAD_LIMIT_EXCEEDED,
            "/loyaltyPrograms/1/loads/0",
        ),
        (
            (LOY,),
            transaction(does(loads=[{"value": 1, "balanceExpiresAt": PAST}])),
            Refusal.EXPIRY_IN_PAST,
            LOAD,
        ),
        (
            (LOY,),
            transaction(does(loads=[{"value": 1, "accountExpiresAt": T0.isoformat()}])),
            Refusal.EXPIRY_IN_PAST,
            LOAD,
        ),
        (
            (applied(programme(expiry={"on": "2026-11-21"})),),
            transaction(does(loads=[1])),
            Refusal.EXPIRY_IN_PAST,
            LOAD,
        ),
        (
            (LOY,),
            transaction(does(voucherRedemptions=[{"serialId": "1"}]), does(purchases=[{"voucherId": "V"}])),
            Refusal.VOUCHER_NOT_OFFERED,
            "/loyaltyPrograms/1/purchases/0/voucherId",
        ),
        (
            HUNDRED,
            transaction(does(purchases=[{"voucherId": "V"}]), does(loads=[1], redemptions=[102])),
            Refusal.INSUFFICIENT_POINTS,
            "/loyaltyPrograms/1/redemptions/0",
        ),
    ],
)
def test_refuses(before: Any, body: Any, code: PointsRefusal, pointer: str) -> None:
    when = given(*before).when(body)
    when.refused(code, pointer)


def test_limits_allow_exactly_the_limit() -> None:
    when = given(LIMITED).when(transaction(does(loads=[10]), does(loads=[5])))
    when.then(opened(T0), loaded(1, 10, lot(1, 10)), loaded(2, 15, lot(1, 5), operation=1))


def test_a_command_for_another_account_is_refused() -> None:
    when = given(LOY).when(transaction(does(loads=[1]), number="1"), subject=ACCOUNT)
    when.refused(Refusal.ACCOUNT_MISMATCH, "/accountNumber")


def test_an_account_has_a_bounded_number_of_lots_over_all_programmes() -> None:
    lots = [lot(number, 1, T0 + number * DAY) for number in range(1, LOTS_MAX + 1)]
    credits_ = [loaded(part.lot, part.lot, part, **EARLIER) for part in lots]
    world = given(LOY, CENTS, opened(), *credits_)
    world.when(transaction(does("CENTS", loads=[1]))).refused(Refusal.TOO_MANY_LOTS, LOAD)
    joins = {"value": 1, "balanceExpiresAt": (T0 + DAY).isoformat()}
    world.when(transaction(does(loads=[joins]))).then(loaded(LOTS_MAX + 1, LOTS_MAX + 1, lot(1, 1, T0 + DAY)))


def test_a_balance_is_bounded() -> None:
    world = given(LOY, opened(), loaded(1, CREDITED_MAX - 1, lot(1, CREDITED_MAX - 1), **EARLIER))
    world.when(transaction(does(loads=[2]))).refused(Refusal.BALANCE_LIMIT_EXCEEDED, LOAD)
    world.when(transaction(does(loads=[1]))).then(loaded(2, CREDITED_MAX, lot(1, 1)))

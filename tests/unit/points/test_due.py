"""What is due is booked first, in order of time, programme and lot (rules 4.1.4, 4.1.5; protocol P2)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.points import PointsRefusal
from services.points.due import due_at
from tests.unit.points.world import (
    DAY,
    EARLIER,
    LOY,
    T0,
    activated,
    adjust,
    adjusted,
    applied,
    does,
    expired,
    given,
    loaded,
    lot,
    opened,
    programme,
    redeemed,
    scheduled,
    transaction,
)

ZED = applied(programme("ZED"))
IN_ZED: dict[str, Any] = {"programme": "ZED"}
HOUR = timedelta(hours=1)
WITH_EXPIRY = (LOY, opened(), loaded(1, 100, lot(1, 100), **EARLIER), loaded(2, 130, lot(2, 30, T0), **EARLIER))


def test_a_lot_is_expired_from_its_very_instant() -> None:
    world = given(*WITH_EXPIRY)
    early = timedelta(milliseconds=1)
    world.when(transaction(does(redemptions=[130])), now=T0 - early).then(
        redeemed(3, 0, lot(2, 30, T0), lot(1, 100), booked_at=T0 - early, occurred_at=T0 - early)
    )
    when = world.when(transaction(does(redemptions=[100])))
    when.then(expired(3, 100, "lot", T0, lot(2, 30, T0)), redeemed(4, 0, lot(1, 100)))
    assert when.account.balances["LOY"].expired == 30


def test_an_empty_transaction_books_what_is_due() -> None:
    when = given(*WITH_EXPIRY).when(transaction())
    when.then(expired(3, 100, "lot", T0, lot(2, 30, T0)))
    assert when.accepted.result["balances"] == []


def test_a_refusal_is_decided_on_what_would_be_left_and_books_nothing() -> None:
    when = given(*WITH_EXPIRY).when(transaction(does(redemptions=[101])))
    when.refused(PointsRefusal.INSUFFICIENT_POINTS, "/loyaltyPrograms/0/redemptions/0")
    assert when.account.balances["LOY"].booked == 130


def test_what_is_due_goes_by_time_then_programme_then_lot() -> None:
    first, second = T0 - 2 * HOUR, T0 - HOUR
    world = given(
        LOY,
        ZED,
        opened(),
        loaded(1, 1, lot(1, 1, second), **EARLIER, **IN_ZED),
        loaded(2, 2, lot(1, 2, second), **EARLIER),
        scheduled(lot(2, 4, None, second), **EARLIER),
        loaded(3, 10, lot(3, 8, first), **EARLIER),
    )
    when = world.when(transaction())
    when.then(
        expired(4, 2, "lot", first, lot(3, 8, first)),
        expired(5, 0, "lot", second, lot(1, 2, second)),
        activated(6, 4, lot(2, 4, None, second)),
        expired(7, 0, "lot", second, lot(1, 1, second), **IN_ZED),
    )


def test_a_lot_may_start_and_end_before_anybody_looks() -> None:
    start, end = T0 - 2 * HOUR, T0 - HOUR
    world = given(*WITH_EXPIRY[:3], scheduled(lot(2, 40, end, start), **EARLIER))
    world.when(transaction()).then(
        activated(2, 140, lot(2, 40, end, start)), expired(3, 100, "lot", end, lot(2, 40, end))
    )


def test_an_activated_lot_joins_an_equal_one_and_the_older_id_stays() -> None:
    end = T0 + DAY
    world = given(LOY, opened(), scheduled(lot(1, 4, end, T0), **EARLIER), loaded(1, 8, lot(2, 8, end), **EARLIER))
    when = world.when(transaction())
    when.then(activated(2, 12, lot(1, 4, end, T0)))
    assert [(each.id, each.amount, each.active_from) for each in when.account.balances["LOY"].lots] == [(1, 12, None)]
    late = world.when(transaction(), now=end)
    late.then(
        activated(2, 12, lot(1, 4, end, T0), booked_at=end),
        expired(3, 0, "lot", end, lot(1, 12, end), booked_at=end),
    )


# ── the account's own expiry ──────────────────────────────────────────────────────────────────────────────────────

YEARLY = applied(programme(accountExpiryMonths=12))
CLOSING = datetime(2027, 11, 23, tzinfo=UTC)
ACTIVE = (YEARLY, opened(), loaded(1, 100, lot(1, 100), **EARLIER, account_expires_at=CLOSING))


def test_months_of_inactivity_count_from_every_accepted_operation() -> None:
    given(YEARLY).when(transaction(does(loads=[5]))).then(
        opened(T0), loaded(1, 5, lot(1, 5), account_expires_at=CLOSING)
    )
    later = datetime(2027, 1, 31, 12, tzinfo=UTC)
    times: dict[str, Any] = {"booked_at": later, "occurred_at": later}
    given(*ACTIVE).when(transaction(does(redemptions=[5])), now=later).then(
        redeemed(2, 95, lot(1, 5), **times, account_expires_at=datetime(2028, 2, 1, tzinfo=UTC))
    )
    quiet = given(*ACTIVE).when(transaction(does(loads=[0])), now=later)
    quiet.then()
    assert quiet.account.balances["LOY"].account_expires_at == CLOSING


def test_a_caller_moves_it_only_later() -> None:
    far = CLOSING + 100 * DAY
    later = {"value": 1, "accountExpiresAt": far.isoformat()}
    when = given(*ACTIVE).when(transaction(does(loads=[later])))
    when.then(loaded(2, 101, lot(1, 1), account_expires_at=far))
    sooner = {"value": 1, "accountExpiresAt": (T0 + DAY).isoformat()}
    given(*ACTIVE).when(transaction(does(loads=[sooner]))).then(loaded(2, 101, lot(1, 1), account_expires_at=CLOSING))
    given(LOY).when(transaction(does(loads=[later]))).then(opened(T0), loaded(1, 1, lot(1, 1), account_expires_at=far))


def test_on_expiry_all_that_is_active_goes_and_a_later_credit_reopens() -> None:
    world = given(*ACTIVE, loaded(2, 130, lot(2, 30, CLOSING + DAY), **EARLIER, account_expires_at=CLOSING))
    now = CLOSING + DAY
    times: dict[str, Any] = {"booked_at": now, "occurred_at": now}
    gone = expired(
        3, 0, "account", CLOSING, lot(2, 30, CLOSING + DAY), lot(1, 100), booked_at=now, account_expires_at=None
    )
    world.when(transaction(), now=now).then(gone)
    world.when(transaction(does(redemptions=[1])), now=now).refused(
        PointsRefusal.INSUFFICIENT_POINTS, "/loyaltyPrograms/0/redemptions/0"
    )
    again = datetime(2028, 11, 25, tzinfo=UTC)
    world.when(transaction(does(loads=[5])), now=now).then(
        gone, loaded(4, 5, lot(3, 5), **times, account_expires_at=again)
    )


def test_a_lot_that_ends_with_the_account_ends_as_a_lot() -> None:
    world = given(*ACTIVE, loaded(2, 130, lot(2, 30, CLOSING), **EARLIER, account_expires_at=CLOSING))
    world.when(transaction(), now=CLOSING).then(
        expired(3, 100, "lot", CLOSING, lot(2, 30, CLOSING), booked_at=CLOSING, account_expires_at=CLOSING),
        expired(4, 0, "account", CLOSING, lot(1, 100), booked_at=CLOSING),
    )


def test_a_future_dated_lot_outlives_the_account_and_reopens_it() -> None:
    start = CLOSING + DAY
    world = given(*ACTIVE, scheduled(lot(2, 40, None, start), **EARLIER, account_expires_at=CLOSING))
    when = world.when(transaction(), now=CLOSING)
    when.then(expired(2, 0, "account", CLOSING, lot(1, 100), booked_at=CLOSING))
    assert due_at(when.account) == start
    world.when(transaction(), now=start).then(
        expired(2, 0, "account", CLOSING, lot(1, 100), booked_at=start),
        activated(3, 40, lot(2, 40, None, start), booked_at=start),
    )


def test_an_account_without_points_has_nothing_to_expire() -> None:
    spent = given(*ACTIVE, redeemed(2, 0, lot(1, 100), **EARLIER, account_expires_at=CLOSING))
    quiet = spent.when(transaction(), now=CLOSING + DAY)
    quiet.then()
    assert due_at(quiet.account) is None
    now = CLOSING + DAY
    unlimited = given(
        *ACTIVE, redeemed(2, 0, lot(1, 100), **EARLIER, account_expires_at=CLOSING), applied(programme(), 2)
    )
    unlimited.when(transaction(does(loads=[5])), now=now).then(
        loaded(3, 5, lot(2, 5), programme_version=2, booked_at=now, occurred_at=now)
    )


def test_an_activation_at_the_instant_of_the_expiry_goes_with_it() -> None:
    world = given(*ACTIVE, scheduled(lot(2, 40, None, CLOSING), **EARLIER, account_expires_at=CLOSING))
    world.when(transaction(), now=CLOSING).then(
        activated(2, 140, lot(2, 40, None, CLOSING), booked_at=CLOSING, account_expires_at=CLOSING),
        expired(3, 0, "account", CLOSING, lot(1, 140), booked_at=CLOSING),
    )


def test_an_adjustment_books_what_is_due_too() -> None:
    when = given(*WITH_EXPIRY).when(adjust(-101))
    when.refused(PointsRefusal.INSUFFICIENT_POINTS, "/value")
    events = given(*WITH_EXPIRY).when(adjust(5)).accepted.events
    assert events[0][1] == expired(3, 100, "lot", T0, lot(2, 30, T0))
    assert len(events) == 2


def test_points_until_the_year_9999_are_points_without_end() -> None:
    never = {"value": 5, "balanceExpiresAt": "9999-12-31T23:59:59Z"}
    soon = applied(programme(expiry={"days": 3}))
    world = given(soon, opened(), loaded(1, 100, lot(1, 100), **EARLIER))
    when = world.when(transaction(does(loads=[never])))
    when.then(loaded(2, 105, lot(1, 5)))
    assert due_at(when.account) is None
    by_hand = world.when(adjust(5, expiresAt="9999-12-31T00:00:00Z"))
    by_hand.then(adjusted(2, 105, 5, lot(1, 5)))

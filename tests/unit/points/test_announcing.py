"""What expires is announced once an instant (rules 4.1.5)."""

from datetime import datetime
from typing import Any

from schemas.movements import Expired, ExpiringSoon
from schemas.points import BookDue
from services.points.due import due_at
from tests.unit.points.test_calendar_sweeps import MOMENT, account, swept
from tests.unit.points.world import (
    DAY,
    EARLIER,
    LOY,
    T0,
    applied,
    booked,
    does,
    expired,
    given,
    loaded,
    lot,
    opened,
    programme,
    transaction,
)

# ── announcing it ───────────────────────────────────────────────────────────────────────────────────────────────────

NOTICE = applied(programme(expiringSoonDays=10))
NOTICED: dict[str, Any] = {"notice_days": 10}


def soon(amount: int, ends: datetime, *parts: Any, **more: Any) -> ExpiringSoon:
    at = ends - 10 * DAY
    fields = {"operation": -1, "occurred_at": at, "booked_at": at, "notice_days": 10, **more}
    event: ExpiringSoon = booked(ExpiringSoon, *parts, **fields, amount=amount, expires_at=ends)
    return event


def test_an_expiry_is_announced_once_with_all_that_expires_then() -> None:
    ends = T0 + 40 * DAY
    two = lot(1, 20, ends)
    world = given(NOTICE, opened(), loaded(1, 20, two, **EARLIER, **NOTICED))
    assert due_at(account(world)) == ends - 10 * DAY
    world.when(BookDue(), now=ends - 10 * DAY - MOMENT).then()
    when = world.when(BookDue(), now=ends - 10 * DAY)
    when.then(soon(20, ends, two))
    when.world.when(BookDue(), now=ends - 9 * DAY).then()
    assert due_at(when.account) == ends
    more = {"value": 5, "balanceExpiresAt": ends.isoformat()}
    joined = when.world.when(transaction(does(loads=[more])), now=ends - 5 * DAY)
    assert [type(event).__name__ for _, event in joined.accepted.events] == ["Loaded"]
    assert due_at(joined.account) == ends, "the instant was announced already"


def test_each_instant_has_its_own_announcement_and_never_expiring_points_none() -> None:
    first, second = T0 + 40 * DAY, T0 + 45 * DAY
    world = given(
        NOTICE,
        opened(),
        loaded(1, 20, lot(1, 20, first), **EARLIER, **NOTICED),
        loaded(2, 50, lot(2, 30, second), **EARLIER, **NOTICED),
        loaded(3, 99, lot(3, 49), **EARLIER, **NOTICED),
    )
    late = second - 10 * DAY
    world.when(BookDue(), now=late).then(
        soon(20, first, lot(1, 20, first), booked_at=late), soon(30, second, lot(2, 30, second), booked_at=late)
    )
    seen = swept(world, second)
    assert account(seen).balances["LOY"].lots[0].id == 3
    assert due_at(account(seen)) is None


def test_what_has_expired_already_is_not_announced_any_more() -> None:
    first, second = T0 + 40 * DAY, T0 + 45 * DAY
    world = given(
        NOTICE,
        opened(),
        loaded(1, 20, lot(1, 20, first), **EARLIER, **NOTICED),
        loaded(2, 50, lot(2, 30, second), **EARLIER, **NOTICED),
    )
    when = world.when(BookDue(), now=first)
    when.then(
        soon(30, second, lot(2, 30, second), booked_at=first),
        expired(3, 30, "lot", first, lot(1, 20, first), booked_at=first, **NOTICED),
    )
    gone = world.when(BookDue(), now=second + DAY)
    assert [type(event) for _, event in gone.accepted.events] == [Expired, Expired]


def test_what_was_spent_is_not_announced() -> None:
    ends = T0 + 40 * DAY
    world = given(NOTICE, opened(), loaded(1, 20, lot(1, 20, ends), **EARLIER, **NOTICED))
    part = world.when(transaction(does(redemptions=[15]))).world
    part.when(BookDue(), now=ends - 10 * DAY).then(soon(5, ends, lot(1, 5, ends)))
    whole = world.when(transaction(does(redemptions=[20])))
    assert due_at(whole.account) is None
    whole.world.when(BookDue(), now=ends).then()


def test_a_programme_that_announces_from_now_on_does_so_with_the_next_booking() -> None:
    ends = T0 + 40 * DAY
    world = given(LOY, opened(), loaded(1, 20, lot(1, 20, ends), **EARLIER), applied(programme(expiringSoonDays=10), 2))
    assert due_at(account(world)) == ends
    when = world.when(transaction(does(loads=[5])))
    assert due_at(when.account) == ends - 10 * DAY

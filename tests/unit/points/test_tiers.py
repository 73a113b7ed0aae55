"""Tiers: up at once, down at a period's end plus grace (rules 4.1.12)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.movements import Activated
from schemas.points import BookDue, Reverse
from services.points.decider import DECIDER
from services.points.due import due_at
from tests.unit.points.tier_world import TIERS, Y27, Y28, Y29, changed, load, member, standing, started
from tests.unit.points.world import (
    DAY,
    LOY,
    NUMBER,
    STREAM,
    T0,
    Given,
    adjust,
    applied_tiers,
    booked,
    does,
    given,
    loaded,
    lot,
    opened,
    redeemed,
    tier_set,
    transaction,
)

# ── up ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("points", "level"), [(5, "BASIC"), (99, "BASIC"), (100, "SILVER"), (500, "GOLD"), (900, "GOLD")]
)
def test_a_level_is_reached_at_once_several_steps_included(points: int, level: str) -> None:
    when = given(LOY, TIERS).when(load(points))
    when.then(opened(T0), loaded(1, points, lot(1, points)), started(0, Y27), changed(None, level))
    assert standing(when).since == T0
    assert DECIDER.load_state(STREAM, DECIDER.dump_state(when.account)) == when.account


def test_below_the_lowest_level_there_is_none() -> None:
    levels = [{"code": "SILVER", "at": 100}]
    when = given(LOY, applied_tiers(tier_set(levels=levels))).when(load(99))
    when.then(opened(T0), loaded(1, 99, lot(1, 99)), started(0, Y27, floor=None))
    assert standing(when).code is None
    when.world.when(load(1)).then(loaded(2, 100, lot(1, 1)), changed(None, "SILVER"))


def test_what_reaches_no_other_level_stays_quiet() -> None:
    world = member(100)
    world.when(load(399)).then(loaded(2, 499, lot(1, 399)))
    world.when(transaction(does(redemptions=[100]))).then(redeemed(2, 0, lot(1, 100)))
    assert standing(world.when(Reverse(account_number=NUMBER, transaction_id="load", reason="wrong"))).code == "SILVER"


def test_points_from_before_the_tier_set_do_not_count_and_what_is_taken_back_does() -> None:
    before = given(LOY).when(load(400), command_id="old").world
    states = {**before.states, **given(LOY, TIERS).states}
    when = Given(states).when(load(99))
    when.then(loaded(2, 499, lot(1, 99)), started(400, Y27), changed(None, "BASIC"))
    taken = when.world.when(adjust(-50)).world
    assert standing(taken.when(load(50))).code == "BASIC"
    assert standing(taken.when(load(51))).code == "SILVER"


def test_a_credit_whose_time_comes_raises_the_level_at_that_time() -> None:
    starts = T0 + 5 * DAY
    world = member(5, (T0, adjust(600, activeFrom=starts.isoformat())))
    for late in (starts, starts + 3 * DAY):
        when = world.when(BookDue(), now=late)
        times: dict[str, Any] = {"booked_at": late, "occurred_at": starts, "operation": -1}
        when.then(
            booked(Activated, lot(2, 600, None, starts), **times, sequence=2, delta=600, booked=605),
            changed("BASIC", "GOLD", at=starts, booked_at=late),
        )
        assert standing(when).since == starts


def test_a_credit_that_comes_with_the_new_period_counts_in_it() -> None:
    world = member(5, (T0, adjust(600, activeFrom=Y27.isoformat())))
    when = world.when(BookDue(), now=Y27)
    assert [event.type for _, event in when.accepted.events] == [
        "points.tier_period_started.v1",
        "points.activated.v1",
        "points.tier_changed.v1",
    ]
    assert (standing(when).bases, standing(when).code) == ((5,), "GOLD")


# ── down ────────────────────────────────────────────────────────────────────────────────────────────────────────────

GRACE = given(LOY, applied_tiers(tier_set(graceDays=30)))
LOST = datetime(2028, 1, 31, tzinfo=UTC)


def test_the_period_that_earned_a_level_ends_and_it_stays() -> None:
    when = member(600).when(BookDue(), now=Y27)
    when.then(started(600, Y28, booked_at=Y27))
    assert standing(when).code == "GOLD"


@pytest.mark.parametrize(("points", "to"), [(0, "BASIC"), (99, "BASIC"), (100, "SILVER"), (499, "SILVER")])
def test_the_period_after_without_it_goes_straight_to_the_level_earned(points: int, to: str) -> None:
    world = member(600, (Y27, load(points)))
    when = world.when(BookDue(), now=Y28)
    when.then(
        started(600 + points, Y29, down_at=Y28, down_to=to, booked_at=Y28),
        changed("GOLD", to, "period_end", Y28),
    )
    assert (standing(when).code, standing(when).down_at, standing(when).down_to) == (to, None, None)


def test_a_level_is_lost_when_the_grace_is_over() -> None:
    world = member(600, (Y27, BookDue()), world=GRACE)
    ended = world.when(BookDue(), now=Y28)
    ended.then(started(600, Y29, down_at=LOST, down_to="BASIC", booked_at=Y28))
    assert standing(ended).code == "GOLD"
    assert due_at(ended.account) == LOST
    ended.world.when(BookDue(), now=LOST - timedelta(milliseconds=1)).then()
    ended.world.when(BookDue(), now=LOST).then(changed("GOLD", "BASIC", "period_end", LOST))


def test_earned_again_during_the_grace_the_level_stays() -> None:
    world = member(600, (Y27, BookDue()), (Y28, BookDue()), (Y28 + DAY, load(500)), world=GRACE)
    when = world.when(BookDue(), now=LOST)
    when.then(started(600, Y29, booked_at=LOST))
    assert (standing(when).code, standing(when).since) == ("GOLD", T0)


def test_earned_in_part_during_the_grace_it_goes_down_to_that() -> None:
    world = member(600, (Y27, BookDue()), (Y28, BookDue()), (Y28 + DAY, load(100)), world=GRACE)
    world.when(BookDue(), now=LOST).then(changed("GOLD", "SILVER", "period_end", LOST))


def test_a_level_that_the_set_has_no_more_is_lost_at_the_periods_end() -> None:
    world = member(600)
    without = applied_tiers(tier_set(levels=[{"code": "FRIEND", "at": 1000}]), 2)
    states = {**world.states, **given(LOY, without).states}
    when = Given(states).when(BookDue(), now=Y27)
    assert when.accepted.events[-1][1] == changed("GOLD", None, "period_end", Y27)
    assert due_at(when.account) is None


# ── who has nothing rests ───────────────────────────────────────────────────────────────────────────────────────────


def test_one_at_the_lowest_level_who_earned_nothing_rests_and_is_moved_on_when_used_again() -> None:
    world = member(5, (Y27, BookDue()))
    assert due_at(world.when(BookDue(), now=Y27).account) is None
    late = datetime(2031, 5, 5, tzinfo=UTC)
    times: dict[str, Any] = {"booked_at": late, "occurred_at": late}
    when = world.when(load(100), now=late)
    when.then(
        started(5, datetime(2032, 1, 1, tzinfo=UTC), booked_at=late),
        loaded(2, 105, lot(1, 100), **times),
        changed("BASIC", "SILVER", at=late),
    )


def test_an_account_that_slept_for_years_loses_what_it_lost_when_it_lost_it() -> None:
    late = datetime(2031, 5, 5, tzinfo=UTC)
    when = member(600).when(BookDue(), now=late)
    y30 = datetime(2030, 1, 1, tzinfo=UTC)
    when.then(
        started(600, Y28, booked_at=late),
        started(600, Y29, down_at=Y28, down_to="BASIC", booked_at=late),
        changed("GOLD", "BASIC", "period_end", Y28, booked_at=late),
        started(600, datetime(2032, 1, 1, tzinfo=UTC), booked_at=late),
    )
    assert y30 < late
    assert due_at(when.account) is None

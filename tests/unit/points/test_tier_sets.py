"""Tiers held by a pin, retired ones, and those by balance and by spend (rules 4.1.12)."""

from datetime import UTC, datetime

import pytest

from schemas.movements import SpendCounted
from schemas.orders import FulfilOrder, PlaceOrder, ReturnOrder
from schemas.points import BookDue, PointsRefusal
from schemas.tiers import PinTier
from services.points.decider import DECIDER
from services.points.due import due_at
from tests.unit.points.tier_world import TIERS, Y27, Y28, Y29, Refusal, changed, load, member, pin, standing, started
from tests.unit.points.world import (
    ACCOUNT,
    DAY,
    LOY,
    NUMBER,
    STREAM,
    T0,
    Given,
    applied,
    applied_tiers,
    booked,
    does,
    given,
    loaded,
    lot,
    opened,
    programme,
    tier_set,
    transaction,
)

# ── pins ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pin_holds_a_level_and_the_same_again_stays_quiet() -> None:
    when = member(5).when(pin("GOLD"))
    when.then(changed("BASIC", "GOLD", "pinned", pinned=True))
    assert when.accepted.result["tierSet"] == "LEVELS"
    assert (when.accepted.result["code"], when.accepted.result["pinned"]) == ("GOLD", True)
    assert when.accepted.memo == "a friend of the house"
    when.world.when(pin("GOLD")).then()
    when.world.when(pin("SILVER")).then(changed("GOLD", "SILVER", "pinned", pinned=True))


def test_a_pin_begins_a_standing_where_there_is_none() -> None:
    world = given(LOY, applied(programme("ZED")), applied_tiers(tier_set(programme="ZED"))).when(load(5)).world
    world.when(pin("GOLD")).then(started(0, Y27, programme="ZED"), changed(None, "GOLD", "pinned", pinned=True))
    quiet = world.when(pin(None))
    quiet.then()
    assert (quiet.accepted.result["code"], quiet.accepted.result["pinned"]) == (None, False)


def test_a_pin_holds_over_the_ends_of_periods_and_over_what_is_earned() -> None:
    world = member(5, (T0, pin("SILVER")))
    world.when(load(600)).then(loaded(2, 605, lot(1, 600)))
    held = world.when(BookDue(), now=Y29)
    held.then(
        started(5, Y28, down_to="BASIC", booked_at=Y29),
        started(5, Y29, down_to="BASIC", booked_at=Y29),
        started(5, datetime(2030, 1, 1, tzinfo=UTC), down_to="BASIC", booked_at=Y29),
    )
    assert (standing(held).code, standing(held).pinned) == ("SILVER", True)
    held.world.when(pin(None), now=Y29).then(changed("SILVER", "BASIC", "unpinned", Y29))


def test_without_its_pin_an_account_has_what_it_has_earned() -> None:
    pinned = member(5, (T0, pin("SILVER")))
    pinned.when(load(600)).world.when(pin(None)).then(changed("SILVER", "GOLD", "unpinned"))
    pinned.when(pin(None)).then(changed("SILVER", "BASIC", "unpinned"))
    member(5).when(pin(None)).then()


def test_a_pin_takes_nothing_that_was_earned_in_the_period_before() -> None:
    """Its level is rightfully the account's until this period's end, with and without the pin."""
    world = member(100, (Y27, BookDue()), (Y27 + DAY, pin("GOLD")), (Y27 + 2 * DAY, pin("BASIC")))
    world.when(pin(None), now=Y27 + 3 * DAY).then(changed("BASIC", "SILVER", "unpinned", Y27 + 3 * DAY))
    over_the_end = member(100, (T0, pin("GOLD")), (Y27, BookDue()))
    over_the_end.when(pin(None), now=Y27 + DAY).then(changed("GOLD", "SILVER", "unpinned", Y27 + DAY))
    stored = over_the_end.when(BookDue(), now=Y27).account
    assert DECIDER.load_state(STREAM, DECIDER.dump_state(stored)) == stored


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (pin("GOLD", "NONE"), Refusal.TIER_SET_UNKNOWN, "/tierSet"),
        (pin("GOLD", "GONE"), Refusal.TIER_SET_UNKNOWN, "/tierSet"),
        (pin(None, "GONE"), Refusal.TIER_SET_UNKNOWN, "/tierSet"),
        (pin("PLATINUM"), Refusal.TIER_UNKNOWN, "/code"),
        (pin("GOLD", number="1"), Refusal.ACCOUNT_MISMATCH, "/accountNumber"),
    ],
)
def test_a_pin_is_refused(body: PinTier, code: PointsRefusal, pointer: str) -> None:
    gone = applied_tiers(tier_set("GONE", state="retired"))
    world = given(LOY, TIERS, gone).when(load(5)).world
    world.when(body, subject=ACCOUNT).refused(code, pointer)


def test_nobody_cannot_be_pinned() -> None:
    given(LOY, TIERS).when(pin("GOLD")).refused(Refusal.ACCOUNT_UNKNOWN, "/accountNumber")


# ── other sets ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("pinned", [False, True])
def test_a_retired_set_ends_its_standings_with_the_period_and_raises_nobody(pinned: bool) -> None:
    world = member(100, *([(T0, pin("SILVER"))] if pinned else []))
    retired = given(LOY, applied_tiers(tier_set(state="retired"), 2))
    world = Given({**world.states, **retired.states})
    world.when(load(900)).then(loaded(2, 1000, lot(1, 900)))
    when = world.when(BookDue(), now=Y27 + DAY)
    when.then(changed("SILVER", None, "retired", Y27, booked_at=Y27 + DAY))
    assert when.account.tiers == {}
    assert when.world.when(load(900), now=Y27 + DAY).account.tiers == {}
    assert due_at(when.account) is None


def test_a_set_that_is_retired_from_the_start_begins_nothing() -> None:
    world = given(LOY, applied_tiers(tier_set(state="retired")))
    world.when(load(900)).then(opened(T0), loaded(1, 900, lot(1, 900)))


def test_by_balance_spending_lowers_the_level_at_the_periods_end() -> None:
    world = member(
        600, (T0, transaction(does(redemptions=[450]))), world=given(LOY, applied_tiers(tier_set(basis="balance")))
    )
    assert world.when(BookDue()).account.tiers["LEVELS"].code == "GOLD"
    when = world.when(BookDue(), now=Y27)
    bases = {"basis": "balance", "booked_at": Y27}
    when.then(started(0, Y28, down_at=Y27, down_to="SILVER", **bases), changed("GOLD", "SILVER", "period_end", Y27))
    again = when.world.when(load(350), now=Y27)
    assert again.accepted.events[-1][1] == changed("SILVER", "GOLD", at=Y27)


def test_by_balance_what_expires_with_the_period_is_gone_when_it_is_looked_at() -> None:
    yearly = applied(programme(expiry={"days": 0, "endOf": "year"}))
    world = member(600, world=given(yearly, applied_tiers(tier_set(basis="balance"))))
    when = world.when(BookDue(), now=Y27)
    assert [event.type for _, event in when.accepted.events] == [
        "points.expired.v1",
        "points.tier_period_started.v1",
        "points.tier_changed.v1",
    ]
    assert standing(when).code == "BASIC"


ORD = applied(programme("LOY", earnFrom="orders", earn=[{"on": "order", "points": 1, "per": 1}]))


def test_by_spend_the_money_of_orders_counts_when_it_is_fulfilled_until_it_is_returned() -> None:
    line = {"line": "1", "quantity": 1, "netAmount": 250}
    order = {"order": "W-1", "accountNumber": NUMBER, "currency": "EUR", "placedAt": T0.isoformat(), "lines": [line]}
    fact = {"order": "W-1", "accountNumber": NUMBER, "amount": 200}
    by_spend = tier_set(basis="spend", currency="EUR")
    dollars = tier_set("DOLLARS", programme="ZED", basis="spend", currency="USD")
    world = given(ORD, applied(programme("ZED")), applied_tiers(by_spend), applied_tiers(dollars))
    placed = world.when(PlaceOrder.model_validate(order))
    assert standing(placed).code == "BASIC", "an order alone is no spend"
    fulfilled = placed.world.when(FulfilOrder.model_validate({**fact, "fact": "F-1"}))
    assert standing(fulfilled).code == "SILVER"
    assert standing(fulfilled).scale == 2
    assert [event for _, event in fulfilled.accepted.events if isinstance(event, SpendCounted)] == [
        booked(
            SpendCounted,
            amount=20_000,
            currency="EUR",
            source={"order": "W-1"},
            occurred_at=T0,
        )
    ]
    returned = fulfilled.world.when(ReturnOrder.model_validate({**fact, "fact": "R-1", "amount": 150}))
    assert (returned.account.balances["LOY"].spent, standing(returned).code) == (5_000, "SILVER")
    assert set(returned.account.balances) == {"LOY"}
    down = returned.world.when(BookDue(), now=Y27)
    assert standing(down).code == "BASIC"

"""Giving back at the bounds: never refused for the number of lots, and never beyond a balance (rules 4.1.4, 4.1.13)."""

from datetime import datetime
from typing import Any

import pytest

from schemas.movements import GivenBack
from schemas.points import PointsRefusal, Reverse
from services.points.events import dump_event, load_event
from services.points.identities import check_state
from services.points.lots import not_earlier
from services.points.state import CREDITED_MAX, LOTS_MAX, Lot
from tests.unit.points.order_world import ORD, fulfil, give_up, place
from tests.unit.points.world import (
    DAY,
    EARLIER,
    LOY,
    NUMBER,
    T0,
    Given,
    When,
    adjust,
    applied,
    does,
    given,
    loaded,
    lot,
    opened,
    programme,
    transaction,
)

Refusal = PointsRefusal
CENTS = applied(programme("CENTS", scale=2, unit="EUR"))
EVEN = [lot(number, 1, T0 + 2 * number * DAY) for number in range(1, LOTS_MAX + 1)]
FULL = given(LOY, CENTS, opened(), *(loaded(part.lot, part.lot, part, **EARLIER) for part in EVEN))
"""An account with as many lots as it may have, a point each, which expire on every other day."""


def reverse(named: str, *operations: dict[str, int]) -> Reverse:
    fields = {"accountNumber": NUMBER, "transactionId": named, "operations": operations, "reason": "wrong till"}
    return Reverse.model_validate(fields)


def ending(amount: int, day: float) -> dict[str, Any]:
    """A load that expires so many days from now."""
    return {"value": amount, "balanceExpiresAt": (T0 + day * DAY).isoformat()}


def after(*bodies: Any, start: Given) -> Given:
    """The world after these commands, all accepted, under the ids c0, c1, …"""
    for index, body in enumerate(bodies):
        when = start.when(body, command_id=f"c{index}")
        assert when.accepted
        start = when.world
    return start


def given_back(when: When) -> list[tuple[int, int, datetime | None]]:
    """Lot, amount and expiry of all that was given back; it is the same to who reads the journal."""
    assert list(check_state(when.account)) == []
    events = [event for _, event in when.accepted.events if isinstance(event, GivenBack)]
    assert [load_event(dump_event(event)) for event in events] == events
    return [(part.lot, part.amount, part.expires_at) for event in events for part in event.lots]


def test_with_room_it_is_a_lot_of_its_own() -> None:
    world = after(transaction(does(redemptions=[2])), transaction(does(loads=[ending(1, 1)])), start=FULL)
    when = world.when(reverse("c0", {"operation": 0, "value": 1}))
    assert given_back(when) == [(LOTS_MAX + 2, 1, T0 + 4 * DAY)]


def test_without_room_it_goes_into_the_lot_that_expires_next_after_its_own() -> None:
    world = after(transaction(does(redemptions=[1])), transaction(does(loads=[ending(5, 1)])), start=FULL)
    world.when(transaction(does(loads=[ending(1, 2)]))).refused(Refusal.TOO_MANY_LOTS, "/loyaltyPrograms/0/loads/0")
    when = world.when(reverse("c0"))
    assert given_back(when) == [(2, 1, T0 + 4 * DAY)]
    lots = when.account.balances["LOY"].lots
    assert len(lots) == LOTS_MAX
    assert lots[:2] == (Lot(LOTS_MAX + 1, 5, T0 + DAY), Lot(2, 2, T0 + 4 * DAY))


def test_a_lot_that_is_there_still_takes_its_own() -> None:
    first = after(transaction(does(loads=[ending(4, 2)])), transaction(does(redemptions=[3])), start=FULL)
    assert given_back(first.when(reverse("c1"))) == [(1, 3, T0 + 2 * DAY)]


def test_the_last_place_is_for_what_was_taken_last_and_the_others_join_it() -> None:
    world = after(
        transaction(does(redemptions=[3])), transaction(does(loads=[ending(1, 1), ending(1, 1.5)])), start=FULL
    )
    when = world.when(reverse("c0"))
    assert given_back(when) == [(LOTS_MAX + 3, 3, T0 + 6 * DAY)]
    assert len(when.account.balances["LOY"].lots) == LOTS_MAX


def test_the_bound_is_over_all_programmes_and_what_is_to_come() -> None:
    few = given(LOY, CENTS, opened(), *(loaded(part.lot, part.lot, part, **EARLIER) for part in EVEN[:-2]))
    cents = transaction(does("CENTS", loads=[ending(1, 5), 1], redemptions=[1]))
    to_come = adjust(1, activeFrom=(T0 + DAY).isoformat())
    world = after(cents, to_come, start=few)
    assert given_back(world.when(reverse("c0", {"operation": 2}))) == [(2, 100, None)]


def test_what_expires_after_all_others_is_a_lot_of_its_own_beyond_the_bound() -> None:
    cents = transaction(does("CENTS", loads=[1.25], redemptions=[1.25]))
    few = given(LOY, CENTS, opened(), *(loaded(part.lot, part.lot, part, **EARLIER) for part in EVEN[:-1]))
    world = after(cents, transaction(does(loads=[ending(1, 1)])), start=few)
    part = world.when(reverse("c0", {"operation": 1, "value": 1}))
    assert given_back(part) == [(2, 100, None)]
    assert sum(len(each.lots) for each in part.account.balances.values()) == LOTS_MAX + 1
    part.world.when(transaction(does(loads=[ending(1, 3)]))).refused(
        Refusal.TOO_MANY_LOTS, "/loyaltyPrograms/0/loads/0"
    )
    assert given_back(part.world.when(reverse("c0", {"operation": 1}))) == [(2, 25, None)]


def test_the_next_lot_has_the_same_restriction_and_campaign() -> None:
    lots = [Lot(1, 1, T0), Lot(2, 1, T0 + 2 * DAY, None, "shop 7"), Lot(3, 1, T0 + 3 * DAY, None, None, "spring")]
    assert not_earlier(lots, Lot(9, 1, T0 + DAY)) is None
    assert not_earlier([*lots, Lot(4, 1), Lot(5, 1, T0 + 9 * DAY)], Lot(9, 1, T0 + DAY)) == Lot(5, 1, T0 + 9 * DAY)
    assert not_earlier([*lots, Lot(4, 1)], Lot(9, 1)) == Lot(4, 1)
    assert not_earlier(lots, Lot(9, 1, T0 + DAY, None, "shop 7")) == lots[1]
    assert not_earlier(lots, Lot(9, 1, T0 + DAY, None, None, "spring")) == lots[2]


@pytest.mark.parametrize(
    ("operations", "pointer"), [((), "/transactionId"), (({"operation": 0, "value": 10},), "/operations/0")]
)
def test_no_balance_is_given_back_more_than_may_ever_be_credited(operations: Any, pointer: str) -> None:
    start = given(LOY, opened(), loaded(1, CREDITED_MAX - 9, lot(1, CREDITED_MAX - 9), **EARLIER))
    world = after(transaction(does(redemptions=[10])), start=start)
    world.when(reverse("c0", *operations)).refused(Refusal.BALANCE_LIMIT_EXCEEDED, pointer)
    when = world.when(reverse("c0", {"operation": 0, "value": 9}))
    assert given_back(when) == [(1, 9, None)]
    when.world.when(transaction(does(loads=[1]))).refused(Refusal.BALANCE_LIMIT_EXCEEDED, "/loyaltyPrograms/0/loads/0")


@pytest.mark.parametrize(("goodwill", "fits"), [(CREDITED_MAX - 125, True), (CREDITED_MAX - 124, False)])
def test_an_amendment_gives_back_no_more_either(goodwill: int, fits: bool) -> None:
    """One of two is fulfilled and returned; at half the price, half of what was revoked for it comes back."""
    one = [{"line": "1", "quantity": 1}]
    start = given(ORD, opened(), loaded(1, goodwill, lot(1, goodwill), **EARLIER, programme="ORD"))
    world = after(place(), fulfil(lines=one), give_up(lines=one), start=start)
    when = world.when(place(50, revision=2))
    if fits:
        assert given_back(when) == [(1, 25, None)]
    else:
        when.refused(Refusal.BALANCE_LIMIT_EXCEEDED, "/lines")

"""Facts about "all that is left" of an order: counted anew with everything that is known (rules 4.1.8, 4.1.9)."""

import itertools
from typing import Any

import pytest

from schemas.movements import Deactivated, Dropped
from tests.unit.points.order_world import (
    Refusal,
    after,
    cancel,
    fulfil,
    give_up,
    moved,
    place,
    points,
    recorded,
    settled,
)
from tests.unit.points.world import lot

THREE = [{"line": "1", "quantity": 3}]


@pytest.mark.parametrize("fulfilled", [fulfil(), fulfil(lines=THREE)], ids=["all that is left", "by lines"])
@pytest.mark.parametrize("price", [15, 29, 30, 60])
def test_what_was_delivered_wholly_is_so_at_every_price_whichever_came_first(price: float, fulfilled: Any) -> None:
    told = (place(30, 3), place(price, 3, revision=2), fulfilled)
    assert {points(after(*arrival)) for arrival in itertools.permutations(told)} == {(price, 0, 0)}
    back = (*told, give_up())
    assert {points(after(*arrival)) for arrival in itertools.permutations(back)} == {(0, 0, 0)}


def test_all_that_is_left_is_what_amounts_and_lines_leave_whichever_came_first() -> None:
    for facts, end in (
        ((fulfil(), cancel(30)), (70, 0, 0)),
        ((cancel(), fulfil(30)), (30, 0, 0)),
        ((fulfil(), cancel(), fulfil(30, "F-2")), (100, 0, 0)),
        ((fulfil(40), give_up(), fulfil(60, "F-2")), (0, 0, 0)),
        ((fulfil(), give_up(20), cancel(30)), (50, 0, 0)),
    ):
        assert {points(after(*arrival)) for arrival in itertools.permutations((place(), *facts))} == {end}, facts


def test_what_came_back_was_not_cancelled() -> None:
    world = after(place(), fulfil(), give_up(60))
    world.when(cancel(40.01)).refused(Refusal.ORDER_EXCEEDED, "/amount")
    assert points(after(cancel(40), start=world)) == (0, 0, 0)


def test_a_cancellation_told_after_all_was_delivered_takes_its_points_back() -> None:
    when = after(place(10), fulfil()).when(cancel(4))
    when.then(
        recorded("cancelled", "C-1", "4"),
        moved(Deactivated, 3, -4, 4, 6, 4, lot(1, 4), reason="cancelled"),
        moved(Dropped, 4, 0, -4, 6, 0, reason="cancelled"),
        settled(6, 4, 0, -4, spend=600),
    )

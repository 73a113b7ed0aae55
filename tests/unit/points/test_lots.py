"""Lots: merging, order, taking (rules 4.1.4)."""

import pytest

from schemas.points import LotPart
from services.points.lots import activate, place, schedule, spend, take_out
from services.points.state import Lot
from tests.unit.points.world import DAY, T0


def test_lots_stand_in_spending_order() -> None:
    lots: tuple[Lot, ...] = ()
    for lot in (Lot(1, 1), Lot(2, 1, T0), Lot(3, 1, T0 - DAY), Lot(4, 1, T0, None, "shop 7"), Lot(5, 1, None)):
        lots = place(lots, lot)
    assert [(lot.id, lot.amount) for lot in lots] == [(3, 1), (2, 1), (4, 1), (1, 2)]


@pytest.mark.parametrize("other", [Lot(2, 1, T0), Lot(2, 1, None, None, "r"), Lot(2, 1, None, None, None, "c")])
def test_only_equal_lots_merge(other: Lot) -> None:
    assert len(place((Lot(1, 1),), other)) == 2
    assert place((Lot(1, 1), other) if other.expires_at is None else (other, Lot(1, 1)), other)


def test_merging_keeps_the_older_id_and_the_order_by_age() -> None:
    lots = place((Lot(3, 1, T0, None, "r"), Lot(5, 1, T0)), Lot(2, 1, T0))
    assert lots == (Lot(2, 2, T0), Lot(3, 1, T0, None, "r"))


def test_future_dated_lots_stand_in_order_of_activation() -> None:
    scheduled = schedule((Lot(1, 1, None, T0 + DAY),), Lot(2, 1, None, T0))
    scheduled = schedule(scheduled, Lot(3, 4, None, T0 + DAY))
    assert scheduled == (Lot(2, 1, None, T0), Lot(1, 5, None, T0 + DAY))
    assert activate((Lot(4, 1),), scheduled, 1, 5) == ((Lot(1, 6),), (Lot(2, 1, None, T0),))


def test_spending_and_taking_out_agree() -> None:
    lots = (Lot(3, 10, T0), Lot(1, 10), Lot(7, 1, None, None, "r"))
    taken = spend(lots, 15)
    assert taken == [(lots[0], 10), (lots[1], 5)]
    parts = [LotPart(lot=lot.id, amount=amount) for lot, amount in taken]
    assert take_out(lots, parts) == (Lot(1, 5), lots[2])
    assert take_out(lots, [LotPart(lot=7, amount=1)]) == lots[:2]


def test_taking_from_a_lot_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match="no lots"):
        take_out((Lot(1, 1),), [LotPart(lot=2, amount=1)])

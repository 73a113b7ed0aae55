"""Debt: what was revoked beyond what was there, and who pays it (rules 4.1.6)."""

from typing import Any

import pytest

from schemas.movements import Activated, GivenBack, Loaded, Revoked
from schemas.points import BookDue, PointsRefusal, Reverse
from services.points.due import due_at
from services.points.identities import check_state
from tests.unit.points.order_world import after as ordered
from tests.unit.points.order_world import fulfil, give_up, moved, place, points
from tests.unit.points.world import (
    DAY,
    NUMBER,
    STREAM,
    T0,
    Given,
    adjust,
    adjusted,
    applied,
    booked,
    does,
    given,
    loaded,
    lot,
    programme,
    transaction,
)

RULES = applied(programme(accountExpiryMonths=12))
CLOSES: dict[str, Any] = {
    "account_expires_at": T0.replace(year=2027, day=23, hour=0, minute=0, second=0, microsecond=0)
}


def undo(named: str) -> Reverse:
    return Reverse(account_number=NUMBER, transaction_id=named, reason="wrong")


def owing(debt: int = 70, *more: Any) -> Given:
    """One who owes: loaded a hundred, spent `debt` of it, and the load was reversed."""
    world = given(RULES)
    steps = [("load", transaction(does(loads=[100]))), ("spent", transaction(does(redemptions=[debt])))]
    for name, body in [*steps, ("undone", undo("load")), *more]:
        when = world.when(body, command_id=name)
        assert when.accepted
        assert not list(check_state(when.account))
        world = when.world
    return world


def test_what_is_revoked_comes_from_its_own_lot_then_others_in_spending_order_then_debt() -> None:
    near, far = T0 + 9 * DAY, T0 + 99 * DAY
    world = given(RULES)
    for name, amount, ends in (("far", 10, far), ("own", 50, None), ("near", 5, near)):
        load: dict[str, Any] = {"value": amount} | ({"balanceExpiresAt": ends.isoformat()} if ends else {})
        world = world.when(transaction(does(loads=[load])), command_id=name).world
    world = world.when(transaction(does(redemptions=[30])), command_id="spent").world
    assert [(each.id, each.amount) for each in account_lots(world)] == [(2, 35)]
    world = world.when(transaction(does(loads=[{"value": 4, "balanceExpiresAt": near.isoformat()}]))).world
    when = world.when(undo("own"), now=T0)
    revoked = when.accepted.events[0][1]
    assert isinstance(revoked, Revoked)
    assert (revoked.delta, revoked.debt_delta, revoked.booked) == (-50, 11, -11)
    assert [(part.lot, part.amount) for part in revoked.lots] == [(2, 35), (4, 4)]


def account_lots(world: Given) -> Any:
    account: Any = world.states[STREAM]
    return account.balances["LOY"].lots


@pytest.mark.parametrize(("amount", "left", "debt"), [(69, (), -69), (70, (), -70), (75, (5,), -70)])
def test_a_load_pays_first(amount: int, left: tuple[int, ...], debt: int) -> None:
    when = owing().when(transaction(does(loads=[amount])))
    parts = tuple(lot(2, each) for each in left)
    when.then(booked(Loaded, *parts, sequence=4, delta=amount, booked=amount - 70, debt_delta=debt, **CLOSES))
    assert when.balances() == {"LOY": amount - 70}
    assert not list(check_state(when.account))


def test_without_debt_nothing_is_said_of_it() -> None:
    event = given(RULES).when(transaction(does(loads=[5]))).accepted.events[1][1]
    assert event == loaded(1, 5, lot(1, 5), **CLOSES)


def test_a_correction_upwards_pays_first_and_one_downwards_is_refused() -> None:
    owing().when(adjust(75)).then(adjusted(4, 5, 75, lot(2, 5), debt_delta=-70, **CLOSES))
    owing().when(adjust(-1)).refused(PointsRefusal.INSUFFICIENT_POINTS, "/value")
    when = owing().when(transaction(does(redemptions=[1])))
    when.refused(PointsRefusal.INSUFFICIENT_POINTS, "/loyaltyPrograms/0/redemptions/0")


def test_what_is_given_back_pays_first() -> None:
    when = owing().when(undo("spent"))
    event = when.accepted.events[0][1]
    assert isinstance(event, GivenBack)
    assert (event.delta, event.debt_delta, event.booked, event.lots) == (70, -70, 0, ())


@pytest.mark.parametrize(("amount", "left"), [(50, 0), (90, 20)])
def test_a_credit_whose_time_comes_pays_first(amount: int, left: int) -> None:
    starts = T0 + 5 * DAY
    world = owing(70, ("to come", adjust(amount, activeFrom=starts.isoformat())))
    when = world.when(BookDue(), now=starts)
    event = when.accepted.events[0][1]
    assert isinstance(event, Activated)
    assert (event.delta, event.debt_delta, event.booked) == (amount, -min(amount, 70), amount - 70)
    assert [each.amount for each in when.account.balances["LOY"].lots] == ([left] if left else [])
    assert when.account.balances["LOY"].scheduled == ()
    assert not list(check_state(when.account))


def test_an_orders_activation_pays_first() -> None:
    world = ordered(place(100), fulfil(60), transaction(does("ORD", redemptions=[60])), give_up(60))
    assert points(world) == (-60, 40, 60)
    when = world.when(fulfil(name="F-2"))
    assert when.accepted.events[1][1] == moved(Activated, 5, 40, -40, -20, 0, debt_delta=-40)
    assert points(when.world) == (-20, 0, 20)


def test_debt_does_not_expire() -> None:
    world = owing()
    late = T0 + 4000 * DAY
    when = world.when(BookDue(), now=late)
    when.then()
    assert (due_at(when.account), when.account.balances["LOY"].debt) == (None, 70)
    paid = when.world.when(transaction(does(loads=[70])), now=late)
    assert (paid.balances(), paid.account.balances["LOY"].debt) == ({"LOY": 0}, 0)

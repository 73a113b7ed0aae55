"""Two shops tell of their orders of one number in every order of arrival: each comes to what it comes to alone (4.1.8).

The setting is declared before anything is told, or in between: what was told of an order before goes on, and the other
shop tells of its own from then on. Shop B tells of another account when a number without a shop would be ambiguous.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from schemas.orders import PlaceOrder
from schemas.points import PointsRefusal, PostTransaction
from services.points.identities import check_state
from services.points.state import Account
from shared.decider import Rejected
from shared.ids import account_id
from tests.unit.points.order_plans import plan
from tests.unit.points.shop_world import load_for, order_of, per_shop, told_by
from tests.unit.points.world import STORE, T0, Given, applied, given, programme

EARNING = tuple(
    applied(programme(name, earnFrom="orders", earn=[{"on": "order", "points": 3, "per": per}]))
    for name, per in (("ODD", 7), ("ORD", 1))
)
HOUR = timedelta(hours=1)
ARRIVALS_MAX = 40
DECLARED = "declared"
Award = tuple[str, int, int, int, int]
Refused = list[tuple[Any, Rejected]]


def played(arrival: Sequence[Any], world: Given) -> tuple[Given, Refused]:
    """The world after all of these, the declaration among them, and what was refused; what is booked always holds."""
    refused: Refused = []
    for step, each in enumerate(arrival):
        if each == DECLARED:
            world = per_shop(world)
            continue
        subject = account_id(STORE, each.account_number)
        when = world.when(each, now=T0 + step * HOUR, subject=subject, command_id=f"c{step}")
        if isinstance(when.outcome, Rejected):
            refused.append((each, when.outcome))
            continue
        world = when.world
        for stream in {stream for stream, _ in when.accepted.events}:
            assert list(check_state(world.states[stream])) == []
    return world, refused


def came_to(world: Given, shop: str | None) -> set[Award]:
    """What the order promises and has come to, in each programme; nothing of it waits or was refused."""
    order = order_of(world, shop)
    assert [*order.waiting, *(name for name, fact in order.facts.items() if fact.refused)] == []
    return {(it.programme, it.awarded, it.activated, it.dropped, it.revoked) for it in order.awards.values()}


def balances(*worlds: Given) -> dict[str, tuple[int, int]]:
    """What is booked and what is pending in each programme, over all accounts."""
    found: dict[str, tuple[int, int]] = {}
    for state in (state for world in worlds for state in world.states.values() if isinstance(state, Account)):
        for name, each in state.balances.items():
            booked, pending = found.get(name, (0, 0))
            found[name] = (booked + each.booked, pending + each.pending)
    return found


@dataclass
class Arrival:
    """What shop A tells before the setting, and what comes after it: the rest, and all that shop B tells."""

    before: list[Any]
    after: list[Any]

    @property
    def told(self) -> list[Any]:
        return [*self.before, DECLARED, *self.after]


def drawn(random: Random, ours: Sequence[Any], theirs: Sequence[Any]) -> Arrival:
    """Any order of arrival, the setting first or in between; before it shop A may not say its name."""
    ours, theirs = (random.sample([*each], len(each)) for each in (ours, theirs))
    cut, unnamed = random.randrange(len(ours) + 1) * random.choice([0, 1]), random.choice([True, False])
    before = [told_by(None, each) if unnamed else each for each in ours[:cut]]
    if cut and (unnamed or not any(isinstance(each, PlaceOrder) for each in before)):
        theirs = [each.model_copy(update={"account_number": "1"}) for each in theirs]
    left = [[*ours[cut:]], [*theirs]]
    mixed = []
    while any(left):
        mixed.append(random.choice([each for each in left if each]).pop(0))
    return Arrival(before, mixed)


def check_shops(random: Random, arrivals: int) -> None:
    """Each order comes to what it comes to alone, in any of these orders of arrival."""
    plans = {shop: [told_by(shop, each) for each in plan(random).told] for shop in "AB"}
    alone = {shop: played(told, given(*EARNING))[0] for shop, told in plans.items()}
    for _ in range(arrivals):
        arrival = drawn(random, plans["A"], plans["B"])
        world, refused = played(arrival.told, given(*EARNING))
        assert refused == []
        assert came_to(world, None if arrival.before else "A") == came_to(alone["A"], None)
        assert came_to(world, "B") == came_to(alone["B"], None)
        assert balances(world) == balances(*alone.values())


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@over(st.builds(Random, st.integers(0, 2**32)))
def test_orders_of_two_shops_come_to_the_same_in_every_order_of_arrival(random: Random) -> None:
    check_shops(random, 6)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(max_examples=500, deadline=None, derandomize=False, database=None)
@over(st.builds(Random, st.integers(0, 2**32)))
def test_orders_of_two_shops_for_long(random: Random) -> None:
    check_shops(random, ARRIVALS_MAX)


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@over(st.builds(Random, st.integers(0, 2**32)))
def test_a_receipt_of_each_shop_earns_once(random: Random) -> None:
    """By a load or by the order, whichever came first; what was loaded before the setting counts in both shops."""
    ours, theirs = ([*(told_by(shop, each) for each in plan(random).told), load_for(shop)] for shop in "AB")
    arrival = drawn(random, ours, theirs)
    world, refused = played(arrival.told, given(*EARNING))
    assert {rejected.code for _, rejected in refused} <= {PointsRefusal.ORDER_ALREADY_EARNS}
    unloaded = {"A" if each in arrival.before else each.context.shop_id for each, _ in refused}
    known_before = any(not isinstance(each, PostTransaction) for each in arrival.before)
    earned = pending = 0
    for shop, stream in (("A", None if known_before else "A"), ("B", "B")):
        award = order_of(world, stream).awards["ORD"]
        earned += award.activated - award.revoked
        pending += award.awarded - award.activated - award.dropped
        assert (award.withheld if shop in unloaded else award.awarded) == 0
    assert balances(world).get("ORD", (0, 0)) == (50 * (2 - len(unloaded)) + earned, pending)

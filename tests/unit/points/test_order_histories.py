"""Orders told in every order of arrival, and what is taken back in every split (rules 4.1.8, 4.1.9, 4.1.13).

An order with facts that agree with each other comes to the same whatever arrives first; partial returns sum to what
was awarded; reversals undo nothing twice.
"""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from schemas.orders import FulfilOrder, ReturnOrder
from schemas.points import Reverse
from schemas.refusals import PointsRefusal
from services.points.identities import check_state
from services.points.orders.state import Award, Order
from services.points.streams import order_stream
from shared.decider import Rejected
from tests.unit.points.order_plans import Plan, Quantities, Told, drawn_fact, drawn_order, plan
from tests.unit.points.world import NUMBER, STORE, T0, Given, applied, does, given, programme, transaction

HOUR = timedelta(hours=1)
STREAM = order_stream(STORE, "W-1")
ARRIVALS_MAX, PERMUTED_MAX = 40, 5
EARNING = (
    applied(programme("ODD", earnFrom="orders", earn=[{"on": "order", "points": 3, "per": 7}], expiry={"days": 400})),
    applied(programme("FINE", scale=2, earnFrom="orders", earn=[{"on": "order", "points": 0.35, "per": 0.9}])),
)
Result = dict[str, tuple[int, int, int]]

randoms = st.builds(Random, st.integers(0, 2**32))
"""Seeds: plans are short, and what hypothesis draws itself seldom cancels anything."""


def _do(world: Given, command: Any, step: int) -> Rejected | None:
    """Do a command in hour `step`; its id is derived from that."""
    when = world.when(command, now=T0 + step * HOUR, command_id=f"c{step}")
    if isinstance(when.outcome, Rejected):
        return when.outcome
    world.states.update(when.states)
    for stream in {stream for stream, _ in when.accepted.events}:
        assert list(check_state(when.states[stream])) == []
    return None


def _goodwill(world: Given) -> dict[int, Any]:
    """A lot that expires among the facts, spent in part, and one that never does."""
    soon = {"value": 40, "balanceExpiresAt": (T0 + 3.5 * HOUR).isoformat()}
    assert _do(world, transaction(does("ODD", loads=[soon, 30]), does("FINE", loads=[5.25])), 0) is None
    return {2: transaction(does("ODD", redemptions=[25])), 4: transaction(does("ODD", loads=[7], redemptions=[3]))}


def _debt(world: Given) -> dict[int, Any]:
    """A load that was spent and then reversed, and one that pays of the debt among the facts."""
    everything = transaction(does("ODD", loads=[8], redemptions=[8]), does("FINE", loads=[3.21], redemptions=[3.21]))
    assert _do(world, everything, 0) is None
    loads = [{"operation": 0}, {"operation": 1}]
    body = {"accountNumber": NUMBER, "transactionId": "c0", "operations": loads, "reason": "by mistake"}
    assert _do(world, Reverse.model_validate(body), 1) is None
    assert {balance.debt for balance in _account(world).balances.values()} == {8, 321}
    return {3: transaction(does("ODD", loads=[2]), does("FINE", loads=[0.4]))}


def _account(world: Given) -> Any:
    return next(state for name, state in world.states.items() if name.startswith("account/"))


def _orders(world: Given) -> Order:
    state = world.states[STREAM]
    assert isinstance(state, Order)
    return state


def _played(told: tuple[Told, ...] | list[Told], owes: bool) -> tuple[Result, Order]:
    """What an order of arrival comes to, with the same beside it at the same places."""
    world = given(*EARNING)
    beside = _debt(world) if owes else _goodwill(world)
    step = 1
    for place, each in enumerate([*told, *[None] * 5]):
        for command in (beside.get(place), each):
            step += 1
            if command is not None:
                assert _do(world, command, step) is None, command
    result = {name: (each.booked, each.pending, each.debt) for name, each in _account(world).balances.items()}
    return result, _orders(world)


def _check_plan(random: Random, arrivals_max: int) -> None:
    drawn, owes = plan(random), random.choice([True, False])
    arrivals: list[tuple[Told, ...]] = [tuple(drawn.told)]
    if len(drawn.told) <= PERMUTED_MAX:
        arrivals = list(permutations(drawn.told))
    else:
        arrivals += [tuple(random.sample(drawn.told, len(drawn.told))) for _ in range(arrivals_max)]
    expected, first = _played(arrivals[0], owes)
    for arrival in arrivals:
        result, order = _played(arrival, owes)
        assert result == expected, arrival
        assert [*order.waiting, *(name for name, fact in order.facts.items() if fact.refused)] == []
        assert {_came_to(award) for award in order.awards.values()} == {_came_to(it) for it in first.awards.values()}
    for award in first.awards.values():
        _check_award(award, drawn)


def _came_to(award: Award) -> tuple[str, int, int, int, int]:
    return award.programme, award.awarded, award.activated, award.dropped, award.revoked


def _check_award(award: Award, drawn: Plan) -> None:
    if drawn.settled:
        assert award.activated + award.dropped == award.awarded
    if drawn.settled and drawn.returned:
        assert award.revoked == award.activated
    assert award.revoked <= award.activated


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@over(randoms)
def test_every_order_of_arrival_comes_to_the_same(random: Random) -> None:
    _check_plan(random, 8)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(max_examples=500, deadline=None, derandomize=False, database=None)
@over(randoms)
def test_every_order_of_arrival_for_long(random: Random) -> None:
    _check_plan(random, ARRIVALS_MAX)


@pytest.mark.parametrize("left", [{"0": Decimal(1), "1": Decimal(1)}, {"1": Decimal(1)}], ids=["less", "gone"])
def test_an_amendment_keeps_the_lines_that_came_back(left: Quantities) -> None:
    """Two of line 0 were returned, of what was fulfilled without lines: a revision with fewer is refused."""
    world, nets = given(*EARNING), {"0": Decimal(10), "1": Decimal(90)}
    told = [drawn_order(1, nets, {"0": Decimal(2), "1": Decimal(1)}), drawn_fact(FulfilOrder, "f", {"": Decimal(80)})]
    for step, each in enumerate([*told, drawn_fact(ReturnOrder, "r", {"0": Decimal(2)})]):
        assert _do(world, each, step) is None
    refused = _do(world, drawn_order(2, {name: nets[name] for name in left}, left), 9)
    assert refused is not None
    assert refused.code is PointsRefusal.ORDER_AMENDMENT_BELOW_FACTS


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@over(
    st.integers(234, 20_000), st.lists(st.integers(1, 6_000), max_size=7), st.lists(st.integers(1, 6_000), max_size=7)
)
def test_partial_returns_sum_to_what_was_awarded(cents: int, fulfilled: list[int], returned: list[int]) -> None:
    """For any split of the fulfilments, and any other split of the returns."""
    world = given(*EARNING)
    worth = Decimal(cents) / 100
    told = [drawn_order(1, {"0": worth}, {"0": Decimal(1)})]
    sent: list[Told] = [drawn_fact(FulfilOrder, f"f{at}", part) for at, part in enumerate(_split(cents, fulfilled))]
    sent += [drawn_fact(ReturnOrder, f"r{at}", part) for at, part in enumerate(_split(cents, returned))]
    for step, each in enumerate([*told, *sent]):
        assert _do(world, each, step) is None
    for award in _orders(world).awards.values():
        per, points = (Fraction(7), 3) if award.programme == "ODD" else (Fraction(9, 10), 35)
        assert award.awarded == points * (Fraction(cents, 100) // per)
        assert award.activated == award.revoked == award.awarded
    assert all(each.booked == each.pending == each.debt == 0 for each in _account(world).balances.values())
    refused = _do(world, drawn_fact(ReturnOrder, "more", {"": Decimal("0.01")}), 99)
    assert refused is not None
    assert refused.code is PointsRefusal.RETURN_EXCEEDS_FULFILLED


def _split(cents: int, at: list[int]) -> list[Quantities]:
    """`cents` in parts as large as those wanted, and what is left."""
    parts: list[int] = []
    for part in [*at, cents]:
        left = cents - sum(parts)
        parts += [min(part, left)] if left else []
    return [{"": Decimal(part) / 100} for part in parts]


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@over(st.lists(st.tuples(st.sampled_from([0, 1]), st.integers(1, 25)), max_size=9), st.booleans())
def test_an_operation_is_undone_once_at_most(parts: list[tuple[int, int]], whole: bool) -> None:
    """Of a load of 40 and a redemption of 30, in any parts; the whole after parts takes what is left of both."""
    world = given(*EARNING)
    assert _do(world, transaction(does("ODD", loads=[40], redemptions=[30])), 0) is None
    left = [40, 30]
    for step, (operation, value) in enumerate(parts):
        refused = _undo(world, [{"operation": operation, "value": value}], step + 1)
        if value > left[operation]:
            assert refused in (PointsRefusal.REVERSAL_EXCEEDS_ORIGINAL, PointsRefusal.ALREADY_REVERSED)
            assert (refused is PointsRefusal.ALREADY_REVERSED) == (left[operation] == 0)
        else:
            assert refused is None
            left[operation] -= value
        assert _account(world).balances["ODD"].booked == left[0] - left[1]
    if whole:
        assert _undo(world, [], 50) == (None if any(left) else PointsRefusal.ALREADY_REVERSED)
        assert _undo(world, [], 51) is PointsRefusal.ALREADY_REVERSED
        assert (_account(world).balances["ODD"].booked, _account(world).balances["ODD"].debt) == (0, 0)


def _undo(world: Given, operations: list[dict[str, int]], step: int) -> PointsRefusal | None:
    body = {"accountNumber": NUMBER, "transactionId": "c0", "operations": operations, "reason": "by mistake"}
    refused = _do(world, Reverse.model_validate(body), step)
    assert refused is None or isinstance(refused.code, PointsRefusal)
    return None if refused is None else PointsRefusal(refused.code)

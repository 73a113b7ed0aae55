"""Facts about orders: active, dropped and revoked points, in any order of arrival (rules 4.1.8, 4.1.9)."""

import itertools
from datetime import timedelta
from typing import Any

import pytest

from schemas.accounts import ReplaceNumber
from schemas.movements import Activated, Dropped, Pended, Revoked, Source
from schemas.orders import (
    FactQuantity,
    OrderFactApplied,
    OrderFactRefused,
    OrderUnknown,
    PlaceOrder,
    ReportOrder,
)
from services.points.decider import DECIDER
from services.points.orders.documents import dump_order
from services.points.streams import order_stream
from shared.ids import account_id
from tests.unit.points.order_world import (
    COMMON,
    EARN,
    ORD,
    OTHER,
    WEEK,
    Refusal,
    after,
    cancel,
    fulfil,
    give_up,
    moved,
    place,
    placed,
    points,
    recorded,
    settled,
)
from tests.unit.points.world import (
    DAY,
    NUMBER,
    STORE,
    T0,
    adjust,
    applied,
    given,
    lot,
    opened,
    programme,
    transaction,
)

# ── facts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_fulfilled_becomes_active_in_parts_and_the_last_takes_the_rest() -> None:
    first = after(place(10)).when(fulfil(3.33))
    first.then(
        recorded("fulfilled", "F-1", "3.33"),
        moved(Activated, 2, 3, -3, 3, 7, lot(1, 3)),
        settled(3, 0, 0, 3, spend=333),
    )
    last = first.world.when(fulfil(name="F-2"))
    last.then(
        recorded("fulfilled", "F-2", None),
        moved(Activated, 3, 7, -7, 10, 0, lot(1, 7)),
        settled(10, 0, 0, 7, spend=1000),
    )


def test_what_is_cancelled_is_dropped() -> None:
    when = after(place(10)).when(cancel())
    when.then(
        recorded("cancelled", "C-1", None),
        moved(Dropped, 2, 0, -10, 0, 0, reason="cancelled"),
        settled(0, 10, 0),
    )


def test_what_is_returned_is_revoked_from_its_own_lot() -> None:
    when = after(place(10), fulfil()).when(give_up(2.5, shop="Store 7"))
    source = Source(order="W-1", shop="Store 7")
    when.then(
        recorded("returned", "R-1", "2.5", shop="Store 7"),
        moved(Revoked, 3, -2, 0, 8, 0, lot(1, 2), reason="returned", source=source),
        settled(10, 0, 2, spend=750),
    )


def test_a_fact_about_lines_counts_their_share() -> None:
    lines = [{"line": "1", "quantity": 3, "netAmount": 10}, {"line": "2", "quantity": 1, "netAmount": 20}]
    world = after(place(lines=lines))
    when = world.when(fulfil(lines=[{"line": "1", "quantity": 1}]))
    assert when.accepted.events[0][1] == recorded(
        "fulfilled", "F-1", None, lines=(FactQuantity(line="1", quantity="1"),)
    )
    assert points(when.world) == (10 * 1 // 3, 27, 0)
    thrice = after(
        *(fulfil(name=f"F-{turn}", lines=[{"line": "1", "quantity": 1}]) for turn in (2, 3)), start=when.world
    )
    assert points(thrice) == (10, 20, 0)


def test_the_remainder_goes_to_what_was_fulfilled_whichever_fact_came_last() -> None:
    """A = 1, E = 2: the half point of the half that came is a whole one, whether it came before or after."""
    half = applied(programme("ORD", earnFrom="orders", earn=[{"on": "order", "points": 1, "per": 0.02}]))
    facts = (fulfil(0.01), cancel(0.01))
    ends = [points(after(place(0.02), *order, start=given(half))) for order in itertools.permutations(facts)]
    assert ends == [(1, 0, 0), (1, 0, 0)]
    assert points(after(place(0.02), cancel(), start=given(half))) == (0, 0, 0)


def test_partial_returns_sum_to_exactly_what_was_awarded() -> None:
    world = after(place(10), fulfil(3.33), cancel(3.34), fulfil(name="F-2"))
    assert points(world) == (7, 0, 0)
    for turn, amount in enumerate((1.11, 1.11, 2.22, 2.22)):
        world = after(give_up(amount, f"R-{turn}"), start=world)
    assert points(world) == (0, 0, 0)


def test_a_fact_told_again_stays_quiet() -> None:
    after(place(), fulfil(5)).when(fulfil(5.00)).then()
    after(fulfil(5)).when(fulfil(5)).then()
    after(place(), cancel(5)).when(cancel(5)).then()
    after(place(), fulfil(), give_up(5)).when(give_up(5)).then()


def test_a_lots_expiry_counts_from_activation() -> None:
    world = after(place(), start=given(applied(programme("ORD", expiry={"days": 10}, **EARN))))
    when = world.when(fulfil(), now=T0 + 20 * DAY)
    assert [each.expires_at for each in when.account.balances["ORD"].lots] == [
        (T0 + 31 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    ]


def test_a_fixed_date_that_passed_meanwhile_breaks_no_promise() -> None:
    rules = applied(programme("ORD", expiry={"on": "2026-11-30"}, **EARN))
    when = after(place(), start=given(rules)).when(fulfil(), now=T0 + 20 * DAY)
    assert [(each.amount, each.expires_at) for each in when.account.balances["ORD"].lots] == [(100, None)]


# ── any order of arrival ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_fact_waits_for_its_order() -> None:
    early = given(ORD).when(fulfil(40, "F-1"))
    early.then(recorded("fulfilled", "F-1", "40", waiting=True))
    assert early.accepted.result["waiting"] == ["F-1"]
    assert early.account.account_number is None
    order = early.order("W-1")
    assert DECIDER.load_state(order_stream(STORE, "W-1"), dump_order(order)) == order
    when = early.world.when(place())
    when.then(
        placed(when),
        OrderFactApplied(**COMMON, fact="F-1"),
        opened(T0),
        moved(Pended, 1, 0, 100, 0, 100),
        moved(Activated, 2, 40, -40, 40, 60, lot(1, 40)),
        settled(40, 0, 0, 40, spend=4_000),
    )


def test_a_return_waits_for_its_fulfilment() -> None:
    world = after(place(), fulfil(40), give_up(50))
    assert points(world) == (40, 60, 0)
    assert points(after(fulfil(10, "F-2"), start=world)) == (0, 50, 0)


FREE: list[dict[str, Any]] = [{"line": "1", "quantity": 2, "netAmount": 10, "earns": False}]
PAID = [{"kind": "points", "amount": 10}]
ONE = [{"line": "1", "quantity": 1}]


@pytest.mark.parametrize(
    "order", [place(lines=FREE), place(10, payments=PAID)], ids=["earns nothing", "paid with points"]
)
def test_a_return_waits_for_its_fulfilment_where_nothing_is_earned(order: PlaceOrder) -> None:
    facts = (order, fulfil(lines=ONE), give_up(lines=ONE))
    for arrival in itertools.permutations(facts):
        end = after(*arrival)
        known = end.when(order).order("W-1")
        assert (dict(known.waiting), [fact.refused for fact in known.facts.values()]) == ({}, [False] * 2), arrival
    early = after(order).when(give_up(lines=ONE))
    assert early.accepted.result["waiting"] == ["R-1"]
    early.world.when(give_up(name="R-2", lines=[{"line": "1", "quantity": 3}])).refused(
        Refusal.RETURN_EXCEEDS_FULFILLED, "/lines"
    )
    gone = after(cancel(lines=ONE), cancel(name="C-2", lines=ONE), start=early.world)
    assert [name for name, fact in gone.when(order).order("W-1").facts.items() if fact.refused] == ["R-1"]


def test_a_return_of_a_line_that_earns_nothing_waits_when_all_that_earns_is_fulfilled() -> None:
    lines = [{"line": "1", "quantity": 1, "netAmount": 10}, {**FREE[0], "line": "2"}]
    both = [*ONE, {"line": "2", "quantity": 1}]
    facts = (place(lines=lines), fulfil(lines=ONE), fulfil(name="F-2", lines=both[1:]), give_up(lines=both))
    for arrival in itertools.permutations(facts):
        assert points(after(*arrival)) == (0, 0, 0), arrival


def test_a_fact_waits_for_the_revision_that_it_names() -> None:
    world = after(place(), fulfil(150, revision=2))
    assert points(world) == (0, 100, 0)
    assert points(after(place(200, revision=2), start=world)) == (150, 50, 0)


def test_facts_in_any_order_of_arrival_end_in_the_same_balances() -> None:
    facts = (place(10), fulfil(3.33), fulfil(3.34, "F-2"), cancel(), give_up(1.11), give_up(2.22, "R-2"))
    ends = set()
    for arrival in itertools.permutations(facts):
        ends.add(points(after(*arrival)))
    assert ends == {(4, 0, 0)}


def test_a_fact_that_waited_and_contradicts_is_refused_by_an_event() -> None:
    world = after(fulfil(120), cancel(30))
    when = world.when(place())
    refused = OrderFactRefused(**COMMON, fact="F-1", code="order_exceeded", detail="more than is left of the order")
    assert [event for _, event in when.accepted.events[1:3]] == [refused, OrderFactApplied(**COMMON, fact="C-1")]
    assert points(when.world) == (0, 70, 0)


def test_a_fact_of_another_account_that_waited_is_refused_when_the_order_comes() -> None:
    strange = given(ORD).when(fulfil(10, accountNumber="1"), subject=OTHER)
    when = strange.world.when(place())
    event = when.accepted.events[1][1]
    assert isinstance(event, OrderFactRefused)
    assert event.code == Refusal.ORDER_ACCOUNT_MISMATCH
    assert points(when.world) == (0, 100, 0)


# ── waiting too long ────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_an_amendment_takes_back_comes_from_the_last_activation() -> None:
    rules = {"earnFrom": "orders", "earn": [{"on": "order", "points": 3, "per": 7}], "expiry": {"days": 3}}
    world = given(applied(programme("ORD", **rules))).when(place(100)).world
    world = world.when(fulfil(40)).world.when(fulfil(60, name="F-2"), now=T0 + DAY).world
    (first, last) = world.when(transaction(), now=T0 + DAY).account.balances["ORD"].lots
    assert (first.amount, last.amount) == (16, 26)
    when = world.when(place(104, revision=2), now=T0 + DAY)
    assert [(lot.id, lot.amount) for lot in when.account.balances["ORD"].lots] == [(first.id, 16), (last.id, 24)]


def test_a_fact_that_waited_under_a_number_which_leads_here_since_has_its_effect() -> None:
    """A card is used before it is given to the customer: what was told under it is the customer's."""
    early = given(ORD).when(fulfil(40, accountNumber="NEW"), subject=account_id("main", "NEW"))
    world = after(adjust(1, "ORD"), start=early.world)
    world = world.when(ReplaceNumber(account_number=NUMBER, new_number="NEW")).world
    assert points(after(place(), start=world)) == (41, 60, 0)


def test_after_seven_days_the_facts_that_wait_are_told_once() -> None:
    world = after(fulfil(40))
    report = ReportOrder(order="W-1")
    world.when(report, now=T0 + WEEK - timedelta(milliseconds=1)).then()
    late = T0 + WEEK
    when = world.when(report, now=late)
    told = {**COMMON, "booked_at": late, "known": False, "facts": ("F-1",), "since": T0}
    when.then(OrderUnknown.model_validate(told))
    when.world.when(report, now=late + WEEK).then()
    assert dump_order(world.when(fulfil(40)).order("W-1"))["due_at"] == late
    assert dump_order(when.order("W-1"))["due_at"] is None
    assert points(after(place(), start=when.world)) == (40, 60, 0)


def test_nothing_is_told_of_facts_that_found_their_order() -> None:
    after(fulfil(40), place()).when(ReportOrder(order="W-1"), now=T0 + WEEK).then()
    given(ORD).when(ReportOrder(order="NONE"), now=T0 + WEEK).then()


def test_a_known_order_whose_facts_wait_is_told_too() -> None:
    [(_, event)] = after(place(), give_up(5)).when(ReportOrder(order="W-1"), now=T0 + WEEK).accepted.events
    assert isinstance(event, OrderUnknown)
    assert (event.known, event.facts) == (True, ("R-1",))

"""Shops that number their own orders: the shop is part of an order's identity when the store says so (rules 4.1.8)."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.order_numbers import OrderNumbersApplied, PutOrderNumbers
from schemas.orders import OrderAwardRefused, OrderFactApplied, OrderUnknown, ReportOrder
from schemas.points import PointsRefusal, Reverse
from schemas.receipts import FREE_RECEIPT, FreeReceipt
from services.points.concerns import concerns
from services.points.decider import DECIDER
from services.points.streams import order_stream
from services.points.waking import wake
from shared.decider import Rejected, Wake
from tests.unit.points.order_world import ORD as ORDERS
from tests.unit.points.order_world import OTHER, WEEK, after, cancel, fulfil, give_up, place, points
from tests.unit.points.shop_world import PER_SHOP, awarded, load_for, order_of, per_shop, told_by
from tests.unit.points.world import ACCOUNT, CATALOGUE, NUMBER, STORE, T0, Given, When, does, given, transaction

Refusal = PointsRefusal
SHOPS = given(ORDERS, PER_SHOP)


def test_two_shops_use_one_order_number_and_each_order_earns_by_its_own_facts() -> None:
    world = after(told_by("A", place(60)), told_by("B", place(90)), start=SHOPS)
    assert points(world) == (0, 150, 0)
    world = after(told_by("B", fulfil()), start=world)
    assert points(world) == (90, 60, 0)
    world = after(told_by("A", cancel(20)), told_by("A", fulfil()), told_by("B", give_up()), start=world)
    assert points(world) == (40, 0, 0)


def test_a_fact_of_a_shop_waits_for_that_shops_order() -> None:
    world = after(told_by("B", fulfil()), told_by("A", place(60)), start=SHOPS)
    assert points(world) == (0, 60, 0)
    when = world.when(told_by("B", place(90)))
    (applied,) = [event for _, event in when.accepted.events if isinstance(event, OrderFactApplied)]
    assert (applied.order, applied.shop) == ("W-1", "B")
    assert points(when.world) == (90, 60, 0)


def test_other_accounts_may_have_the_number_in_other_shops_and_not_in_the_same() -> None:
    world = after(told_by("A", place(60)), start=SHOPS)
    theirs = place(90, accountNumber="1")
    refused = world.when(told_by("A", theirs), subject=OTHER)
    refused.refused(Refusal.ORDER_ACCOUNT_MISMATCH, "/accountNumber")
    assert world.when(told_by("B", theirs), subject=OTHER).accepted


def test_without_the_setting_the_number_of_a_second_shop_is_refused_with_what_to_do() -> None:
    world = after(told_by("A", place(60)), start=given(ORDERS))
    for body, subject, code, pointer in (
        (place(90), ACCOUNT, Refusal.ORDER_CONFLICT, "/revision"),
        (place(90, accountNumber="1"), OTHER, Refusal.ORDER_ACCOUNT_MISMATCH, "/accountNumber"),
    ):
        when = world.when(told_by("B", body), subject=subject).refused(code, pointer)
        assert isinstance(when.outcome, Rejected)
        assert "orderNumbers: {uniquePer: shop}" in when.outcome.detail
        assert concerns(told_by("B", body))["shop"] == "B"
    assert "orderNumbers" not in refusal(world.when(told_by("A", place(90)))).detail


def refusal(when: When) -> Rejected:
    assert isinstance(when.outcome, Rejected)
    return when.outcome


@pytest.mark.parametrize("shop", [None, "", " A", "A ", "A\u200b", "\u202eA"])
@pytest.mark.parametrize("body", [place(60), fulfil(), cancel(5), give_up(5)])
def test_an_order_without_a_shop_or_with_a_look_alike_is_refused(shop: str | None, body: Any) -> None:
    SHOPS.when(told_by(shop, body)).refused(Refusal.SHOP_REQUIRED, "/shop")
    assert given(ORDERS).when(told_by(shop, body)).accepted


def test_a_load_for_a_receipt_needs_its_shop_only_where_orders_earn() -> None:
    SHOPS.when(load_for(None)).refused(Refusal.SHOP_REQUIRED, "/context/shopId")
    without_receipt = load_for(None).model_copy(update={"context": transaction().context})
    assert SHOPS.when(without_receipt).accepted
    redeeming = transaction(does("ORD", redemptions=[20]), context={"receiptNr": "W-1"})
    assert after(load_for("A"), start=SHOPS).when(redeeming).accepted


def test_a_load_keeps_the_order_of_its_shop_alone_from_earning() -> None:
    world = after(load_for("A"), start=SHOPS)
    when = world.when(told_by("A", place(60)))
    (refused,) = [event for _, event in when.accepted.events if isinstance(event, OrderAwardRefused)]
    assert (refused.shop, refused.withheld) == ("A", 60)
    world = after(told_by("B", place(90)), told_by("B", fulfil()), told_by("A", fulfil()), start=when.world)
    assert points(world) == (140, 0, 0)
    world.when(load_for("B")).refused(Refusal.ORDER_ALREADY_EARNS, "/loyaltyPrograms/0/loads/0")
    assert world.when(load_for("C"), command_id="c").accepted


def test_a_load_that_is_reversed_frees_the_receipt_of_its_shop() -> None:
    world = SHOPS.when(load_for("A"), command_id="t").world.when(load_for("B"), command_id="u").world
    world = after(*(told_by(shop, body) for shop in "AB" for body in (place(60), fulfil())), start=world)
    freed = freed_by(reversed_load(world, "t"))
    assert (awarded(freed.world, "A"), awarded(freed.world, "B")) == (60, 0)
    assert points(freed.world) == (110, 0, 0)


def reversed_load(world: Given, transaction_id: str) -> When:
    body = {"accountNumber": NUMBER, "transactionId": transaction_id, "operations": [], "reason": "wrong"}
    return world.when(Reverse.model_validate(body), command_id=f"reversal of {transaction_id}")


def freed_by(when: When) -> When:
    (follow_up,) = [each for each in when.accepted.follow_ups if each.type == FREE_RECEIPT]
    return when.world.when(FreeReceipt.model_validate(follow_up.payload), command_id=f"{follow_up.payload}")


def test_the_sweep_reports_what_waits_for_the_order_of_a_shop() -> None:
    stream = order_stream(STORE, "W-1", "A/B %")
    waiting = SHOPS.when(told_by("A/B %", fulfil(40)))
    document = DECIDER.dump_state(waiting.states[stream])
    assert DECIDER.load_state(stream, document) == waiting.states[stream]
    woken = wake(stream, document)
    assert woken == Wake("points.report_order.v1", ACCOUNT, {"order": "W-1", "shop": "A/B %"})
    report = waiting.world.when(ReportOrder.model_validate(woken.payload), now=T0 + WEEK)
    ((written, event),) = report.accepted.events
    assert isinstance(event, OrderUnknown)
    assert (written, event.order, event.shop, event.facts) == (stream, "W-1", "A/B %", ("F-1",))


# ── declaring it ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_order_numbers_become_unique_per_shop_once_and_for_all() -> None:
    world = given(ORDERS)
    for version, per in ((1, "store"), (2, "shop")):
        when = world.when(PutOrderNumbers(unique_per=per), subject="all")
        when.then(OrderNumbersApplied(unique_per=per, version=version, booked_at=T0))
        again = when.world.when(PutOrderNumbers(unique_per=per), subject="all").then()
        assert again.accepted.result == {"version": version}
        world = when.world
    back = world.when(PutOrderNumbers(unique_per="store"), subject="all")
    back.refused(Refusal.ORDER_NUMBERS_FIXED, "/uniquePer")
    view = DECIDER.views(world.states[CATALOGUE])
    assert view is not None
    assert view.value is not None
    assert view.value["orderNumbersUniquePer"] == "shop"


# ── orders from before it was declared ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("named", [None, "", "A"], ids=["without a shop", "with an empty one", "with its shop"])
def test_an_order_from_before_goes_on_under_its_number_alone(named: str | None) -> None:
    world = per_shop(after(told_by(named, place(60)), told_by(named, fulfil(20)), start=given(ORDERS)))
    world = after(told_by("A", place(70, revision=2)), told_by("A", fulfil(name="F-2")), start=world)
    assert order_of(world, "A").revision == 0
    assert points(world) == (70, 0, 0)
    world = after(told_by("B", place(90)), told_by("B", fulfil()), start=world)
    assert points(world) == (160, 0, 0)


def test_facts_that_waited_from_before_meet_their_order() -> None:
    world = per_shop(after(fulfil(), start=given(ORDERS)))
    world = after(told_by("A", place(60)), start=world)
    assert points(world) == (60, 0, 0)


def test_an_order_from_before_without_a_shop_leaves_its_number_to_other_accounts_of_any_shop() -> None:
    world = per_shop(after(place(60), start=given(ORDERS)))
    theirs = world.when(told_by("B", place(90, accountNumber="1")), subject=OTHER)
    assert theirs.accepted
    assert order_of(theirs.world, "B").account == OTHER


def test_an_order_from_before_keeps_its_shops_account() -> None:
    world = per_shop(after(told_by("A", place(60)), start=given(ORDERS)))
    theirs = told_by("A", place(90, accountNumber="1"))
    world.when(theirs, subject=OTHER).refused(Refusal.ORDER_ACCOUNT_MISMATCH, "/accountNumber")


def test_a_load_from_before_counts_in_every_shop_and_its_reversal_with_the_next_fact() -> None:
    world = per_shop(given(ORDERS).when(load_for("A"), command_id="t").world)
    world = after(told_by("A", place(60)), told_by("A", fulfil(20)), start=world)
    assert points(world) == (50, 0, 0)
    freed = freed_by(reversed_load(world, "t"))
    assert freed.accepted
    assert points(freed.world) == (0, 0, 0)
    later = freed.world.when(told_by("A", fulfil(name="F-2")), now=T0 + timedelta(hours=1))
    assert points(later.world) == (60, 0, 0)


def test_the_reversal_of_a_load_from_before_leaves_what_was_loaded_since() -> None:
    world = given(ORDERS).when(load_for("A"), command_id="t").world
    world = per_shop(after(told_by("A", place(60)), told_by("A", fulfil()), start=world))
    world = world.when(load_for("A", 30), command_id="u").world
    freed = freed_by(reversed_load(world, "t"))
    assert points(freed.world) == (30, 0, 0)
    world = after(told_by("A", place(61, revision=2)), start=freed.world)
    assert points(world) == (30, 0, 0)
    assert points(freed_by(reversed_load(world, "u")).world) == (61, 0, 0)

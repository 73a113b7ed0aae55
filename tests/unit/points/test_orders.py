"""Orders and their amendments: what is pending, and every refusal (rules 4.1.8 to 4.1.10)."""

from typing import Any

import pytest

from schemas.movements import Deactivated, Pended
from schemas.points import PointsRefusal
from services.points.decider import DECIDER
from services.points.orders.decide import FACTS_MAX, REVISIONS_MAX, WAITING_LINES_MAX
from services.points.orders.documents import dump_order
from services.points.state import LOTS_MAX
from services.points.streams import order_stream
from tests.unit.points.order_world import (
    EARN,
    ORD,
    OTHER,
    Refusal,
    after,
    cancel,
    fulfil,
    give_up,
    held,
    moved,
    place,
    placed,
    points,
    recorded,
    settled,
)
from tests.unit.points.world import (
    ACCOUNT,
    DAY,
    LOY,
    STORE,
    T0,
    Given,
    applied,
    does,
    given,
    loaded,
    lot,
    opened,
    programme,
    put,
    transaction,
)

# ── placing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_placed_order_is_pending_and_opens_the_account() -> None:
    when = given(ORD).when(place())
    when.then(placed(when), opened(T0), moved(Pended, 1, 0, 100, 0, 100), settled(0, 0, 0))
    assert when.balances() == {"ORD": 0}
    award = {"programme": "ORD", "awarded": 100, "activated": 0, "dropped": 0, "revoked": 0, "scale": 0}
    assert when.accepted.result["entitlements"] == [award]
    order = when.order("W-1")
    assert DECIDER.load_state(order_stream(STORE, "W-1"), dump_order(order)) == order


def test_the_same_revision_again_stays_quiet_and_an_older_one_too() -> None:
    world = after(place())
    world.when(place()).then()
    amended = after(place(60, revision=3), start=world)
    amended.when(place()).then()
    amended.when(place(1, revision=2)).then()


def test_only_lines_that_earn_count_less_what_points_and_vouchers_paid() -> None:
    lines = [
        {"line": "1", "quantity": 1, "netAmount": 82.64, "tax": 17.36, "discount": 10},
        {"line": "2", "quantity": 1, "netAmount": 50, "earns": False},
    ]
    payments = [{"kind": kind, "amount": 5} for kind in ("points", "voucher", "gift_card", "ideal")]
    when = given(ORD).when(place(lines=lines, payments=payments))
    assert (when.order("W-1").eligible, when.order("W-1").awards["ORD"].awarded) == (7_500, 75)


def test_an_order_that_earns_nothing_books_nothing_on_the_account() -> None:
    when = given(LOY).when(place())
    when.then(placed(when, awards=(), eligible=10_000))
    assert when.account.account_number is None
    free = given(ORD).when(place(0))
    assert [event.type for _, event in free.accepted.events] == ["points.order_placed.v1"]


def test_every_programme_that_earns_from_orders_does_so_by_its_own_rules() -> None:
    cents = applied(programme("CENTS", scale=2, earnFrom="orders", earn=[{"on": "order", "points": 0.05, "per": 1}]))
    dollars = applied(
        programme("USD", earnFrom="orders", earn=[{"on": "order", "points": 1, "per": 1, "currency": "USD"}])
    )
    when = given(LOY, ORD, cents, dollars).when(place(99.99))
    assert {name: award.awarded for name, award in when.order("W-1").awards.items()} == {
        "ORD": 99,
        "CENTS": 495,
        "USD": 0,
    }


# ── amendments ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_amendment_books_the_difference() -> None:
    more = after(place()).when(place(150, revision=2))
    more.then(placed(more, 150, 2), moved(Pended, 2, 0, 50, 0, 150, reason="amended"), settled(0, 0, 0))
    less = after(place()).when(place(60, revision=2))
    less.then(placed(less, 60, 2), moved(Pended, 2, 0, -40, 0, 60, reason="amended"), settled(0, 0, 0))


def test_an_amendment_of_what_was_fulfilled_in_part_keeps_to_the_formula() -> None:
    when = after(place(100), fulfil(50)).when(place(100, payments=[{"kind": "voucher", "amount": 20}], revision=2))
    assert points(when.world) == (50, 30, 0)
    poorer = applied(programme("ORD", earnFrom="orders", earn=[{"on": "order", "points": 1, "per": 2}]), 2)
    world = after(place(100), fulfil(50))
    amended = Given({**world.states, **given(poorer).states}).when(place(100, shop="Web", revision=2))
    taken = [event for _, event in amended.accepted.events if isinstance(event, Deactivated)]
    assert [(each.delta, each.pending_delta, each.reason) for each in taken] == [(-25, 25, "amended")]
    assert points(amended.world) == (25, 25, 0)


def test_a_retired_programme_keeps_what_it_has_promised_and_promises_no_more() -> None:
    world = after(place(100), fulfil(50), put(programme("ORD", state="retired", **EARN)))
    assert points(after(place(150, revision=2), start=world)) == (33, 67, 0)
    assert points(after(place(80, revision=2), start=world)) == (50, 30, 0)
    assert points(after(fulfil(name="F-2"), start=world)) == (100, 0, 0)
    fresh = after(place(order="W-2"), start=world)
    assert points(fresh) == (50, 50, 0)


# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────────────────

ELSEWHERE = [{"line": "2", "quantity": 1, "netAmount": 100}]
OPEN, DONE = after(place()), after(place(), fulfil(60), cancel(40))
BY_LINES = after(place(), fulfil(lines=[{"line": "1", "quantity": 1}]))
UNOPENED = given(applied(programme("ORD", openOnCredit=False, **EARN)))


@pytest.mark.parametrize(
    ("world", "body", "code", "pointer"),
    [
        (OPEN, place(99), Refusal.ORDER_CONFLICT, "/revision"),
        (OPEN, place(accountNumber="1", revision=2), Refusal.ORDER_ACCOUNT_MISMATCH, "/accountNumber"),
        (OPEN, place(currency="USD", revision=2), Refusal.CURRENCY_CHANGED, "/currency"),
        (DONE, place(99, revision=2), Refusal.ORDER_AMENDMENT_BELOW_FACTS, "/lines"),
        (BY_LINES, place(lines=ELSEWHERE, revision=2), Refusal.ORDER_AMENDMENT_BELOW_FACTS, "/lines"),
        (given(ORD), place(1.005), Refusal.TOO_MANY_DECIMALS, "/lines/0"),
        (given(ORD), place(payments=[{"kind": "points", "amount": 0.001}]), Refusal.TOO_MANY_DECIMALS, "/payments"),
        (given(ORD), place(100.5, currency="JPY"), Refusal.TOO_MANY_DECIMALS, "/lines/0"),
        (UNOPENED, place(), Refusal.ACCOUNT_UNKNOWN, "/accountNumber"),
        (held("suspended", OPEN), place(order="W-2"), Refusal.ACCOUNT_SUSPENDED, "/accountNumber"),
        (held("closed", OPEN), place(order="W-2"), Refusal.ACCOUNT_CLOSED, "/accountNumber"),
        (OPEN, fulfil(100.01), Refusal.ORDER_EXCEEDED, "/amount"),
        (DONE, cancel(0.01, "C-2"), Refusal.ORDER_EXCEEDED, "/amount"),
        (BY_LINES, cancel(lines=[{"line": "1", "quantity": 2}]), Refusal.ORDER_EXCEEDED, "/lines"),
        (DONE, give_up(60.01), Refusal.RETURN_EXCEEDS_FULFILLED, "/amount"),
        (OPEN, fulfil(lines=[{"line": "9", "quantity": 1}]), Refusal.ORDER_LINE_UNKNOWN, "/lines"),
        (OPEN, fulfil(1.005), Refusal.TOO_MANY_DECIMALS, "/amount"),
        (DONE, fulfil(59), Refusal.ORDER_FACT_CONFLICT, "/fact"),
        (DONE, cancel(60, "F-1"), Refusal.ORDER_FACT_CONFLICT, "/fact"),
        (OPEN, fulfil(1, accountNumber="1"), Refusal.ORDER_ACCOUNT_MISMATCH, "/accountNumber"),
        (held("closed", OPEN), fulfil(), Refusal.ACCOUNT_CLOSED, "/accountNumber"),
    ],
)  # fmt: skip
def test_refuses(world: Given, body: Any, code: PointsRefusal, pointer: str) -> None:
    subject = OTHER if body.account_number == "1" else ACCOUNT
    when = world.when(body, subject=subject)
    when.refused(code, pointer)
    assert when.states == world.states


def test_a_command_for_another_account_is_refused() -> None:
    OPEN.when(fulfil(accountNumber="1"), subject=ACCOUNT).refused(Refusal.ACCOUNT_MISMATCH, "/accountNumber")


def test_an_order_promises_no_more_than_a_balance_can_hold() -> None:
    rich = applied(programme("ORD", earnFrom="orders", earn=[{"on": "order", "points": 100_000, "per": 1}]))
    when = given(rich).when(place(10**12))
    when.refused(Refusal.BALANCE_LIMIT_EXCEEDED, "/lines")


def test_a_fulfilment_needs_room_for_its_lot() -> None:
    rules = applied(programme("ORD", expiry={"days": 10}, **EARN))
    lots = [loaded(number, number, lot(number, 1, T0 + (20 + number) * DAY)) for number in range(1, LOTS_MAX + 1)]
    world = after(place(), start=given(rules, LOY, opened(), *lots))
    world.when(fulfil()).refused(Refusal.TOO_MANY_LOTS, None)
    assert points(world) == (0, 100, 0)


def test_a_suspended_account_gets_what_was_promised_before() -> None:
    assert points(after(fulfil(60), place(80, revision=2), start=held("suspended", OPEN))) == (60, 20, 0)


def test_an_order_has_a_bounded_number_of_facts() -> None:
    facts = [recorded("fulfilled", f"F-{turn}", "0.01", waiting=True) for turn in range(FACTS_MAX)]
    given(ORD, *facts[1:]).when(fulfil(1, "F-X")).then(recorded("fulfilled", "F-X", "1", waiting=True))
    given(ORD, *facts).when(fulfil(1, "F-X")).refused(Refusal.TOO_MANY_FACTS, "/fact")


def test_facts_that_wait_name_a_bounded_number_of_lines() -> None:
    """What has its effect is no longer kept line by line, and so has no such bound."""
    many = [{"line": str(index), "quantity": 1} for index in range(500)]
    full = [fulfil(name=f"F-{turn}", lines=many) for turn in range(WAITING_LINES_MAX // 500)]
    world = after(*full)
    world.when(fulfil(name="F-X", lines=many[:1])).refused(Refusal.ORDER_TOO_LARGE, "/lines")
    assert world.when(fulfil(1, "F-X")).accepted
    known = after(place(lines=[{**line, "quantity": 100, "netAmount": 1} for line in many]), start=world)
    assert points(after(fulfil(name="F-X", lines=many), start=known)) == (105, 395, 0)


def test_an_order_has_a_bounded_number_of_revisions() -> None:
    world = after(*(place(revision=revision) for revision in range(1, REVISIONS_MAX + 1)))
    world.when(place(60, revision=REVISIONS_MAX + 1)).refused(Refusal.ORDER_TOO_LARGE, "/revision")
    world.when(place(revision=REVISIONS_MAX)).then()


def test_a_load_for_an_order_that_has_earned_is_refused() -> None:
    world = after(place(), start=given(ORD, LOY))
    receipt = {"receiptNr": "W-1"}
    world.when(transaction(does("ORD", loads=[5]), context=receipt)).refused(
        Refusal.ORDER_ALREADY_EARNS, "/loyaltyPrograms/0/loads/0"
    )
    assert world.when(transaction(does("LOY", loads=[5]), context=receipt)).accepted
    assert world.when(transaction(does("ORD", loads=[5]), context={"receiptNr": "W-2"})).accepted
    assert world.when(transaction(does("ORD", redemptions=[0], loads=[0]), context=receipt)).accepted

"""Reversing transactions: wholly, by operation, in part, and never twice (rules 4.1.13)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.accounts import AccountStateChanged
from schemas.movements import GivenBack, Revoked, Unscheduled
from schemas.points import PointsRefusal, Reverse, Reversed, ReversedAmount, Source
from services.points.decider import DECIDER
from services.points.reversals import Reversals
from services.points.streams import reversals_stream
from shared.decider import Entry
from shared.ids import account_id, derived_id
from tests.unit.points.world import (
    ACCOUNT,
    COMMAND_ID,
    DAY,
    LOY,
    NUMBER,
    STORE,
    STREAM,
    T0,
    Given,
    adjust,
    applied,
    booked,
    does,
    expired,
    given,
    lot,
    programme,
    put,
    transaction,
)

Refusal = PointsRefusal
FIRST, SECOND = "first", "second"
LATER = T0 + DAY
AT: dict[str, Any] = {"booked_at": LATER, "occurred_at": LATER, "reason": "wrong till"}


def reverse(named: str = FIRST, *operations: dict[str, Any], number: str = NUMBER, **more: Any) -> Reverse:
    fields = {"accountNumber": number, "transactionId": named, "operations": operations, "reason": "wrong till"}
    return Reverse.model_validate({**fields, **more})


def undone(named: str, *amounts: tuple[int, int], name: str = "LOY") -> Reversed:
    operations = tuple(ReversedAmount(operation=index, programme=name, amount=amount) for index, amount in amounts)
    common = {"account": ACCOUNT, "reason": "wrong till", "booked_at": LATER}
    return Reversed(transaction_id=named, reversal_id=COMMAND_ID, operations=operations, **common)


def revoked(sequence: int, after: int, delta: int, *parts: Any, **more: Any) -> Revoked:
    event: Revoked = booked(Revoked, *parts, **AT | more, sequence=sequence, delta=-delta, booked=after)
    return event


def given_back(sequence: int, after: int, delta: int, *parts: Any, **more: Any) -> GivenBack:
    event: GivenBack = booked(GivenBack, *parts, **AT | more, sequence=sequence, delta=delta, booked=after)
    return event


def after(*bodies: Any, rules: Any = LOY) -> Given:
    """The world after these commands, under the ids FIRST and SECOND."""
    world = given(rules)
    for body, name in zip(bodies, (FIRST, SECOND), strict=False):
        when = world.when(body, command_id=name)
        assert when.accepted
        world = when.world
    return world


LOADED_AND_SPENT = after(transaction(does(loads=[100], redemptions=[30])))


def test_all_of_it_in_the_opposite_order() -> None:
    when = LOADED_AND_SPENT.when(reverse(), now=LATER)
    when.then(
        given_back(3, 100, 30, lot(1, 30)),
        revoked(4, 0, 100, lot(1, 100), operation=1),
        undone(FIRST, (0, 100), (1, 30)),
    )
    assert when.balances() == {"LOY": 0}
    assert when.accepted.result["reversed"] == [
        {"operation": 0, "programme": "LOY", "amount": 100},
        {"operation": 1, "programme": "LOY", "amount": 30},
    ]
    stream = reversals_stream(STORE, FIRST)
    assert when.states[stream] == Reversals(FIRST, {0: 100, 1: 30})
    assert DECIDER.load_state(stream, DECIDER.dump_state(when.states[stream])) == when.states[stream]


def test_parts_add_up_to_the_original_and_no_further() -> None:
    once = LOADED_AND_SPENT.when(reverse(FIRST, {"operation": 1, "value": 20}), now=LATER)
    once.then(given_back(3, 90, 20, lot(1, 20)), undone(FIRST, (1, 20)))
    once.world.when(reverse(FIRST, {"operation": 1, "value": 11}), now=LATER).refused(
        Refusal.REVERSAL_EXCEEDS_ORIGINAL, "/operations/0/value"
    )
    twice = once.world.when(reverse(FIRST, {"operation": 1, "value": 4}, {"operation": 1}), now=LATER)
    twice.then(
        given_back(4, 94, 4, lot(1, 4)),
        given_back(5, 100, 6, lot(1, 6), operation=1),
        undone(FIRST, (1, 4), (1, 6)),
    )
    twice.world.when(reverse(FIRST, {"operation": 1}), now=LATER).refused(
        Refusal.ALREADY_REVERSED, "/operations/0/operation"
    )
    rest = twice.world.when(reverse(), now=LATER)
    rest.then(revoked(6, 0, 100, lot(1, 100)), undone(FIRST, (0, 100)))
    rest.world.when(reverse(), now=LATER).refused(Refusal.ALREADY_REVERSED, "/transactionId")


def test_a_load_that_was_spent_becomes_debt_after_its_own_lot_and_the_others() -> None:
    near = {"value": 10, "balanceExpiresAt": (T0 + 9 * DAY).isoformat()}
    world = after(transaction(does(loads=[100])), transaction(does(loads=[near])))
    spent = world.when(transaction(does(redemptions=[80])), command_id="third").world
    when = spent.when(reverse(), now=LATER)
    when.then(revoked(4, -70, 100, lot(1, 30), debt_delta=70), undone(FIRST, (0, 100)))
    assert (when.account.balances["LOY"].debt, when.account.balances["LOY"].lots) == (70, ())


def test_points_go_back_to_their_lots_the_last_taken_first() -> None:
    ends = T0 + 9 * DAY
    near = {"value": 10, "balanceExpiresAt": ends.isoformat()}
    world = after(transaction(does(loads=[100, near])), transaction(does(redemptions=[25])))
    part = world.when(reverse(SECOND, {"operation": 0, "value": 20}), now=LATER)
    part.then(given_back(4, 105, 20, lot(1, 15), lot(3, 5, ends)), undone(SECOND, (0, 20)))
    rest = part.world.when(reverse(SECOND), now=LATER)
    rest.then(given_back(5, 110, 5, lot(3, 5, ends)), undone(SECOND, (0, 5)))


@pytest.mark.parametrize(
    ("days", "at"), [(30, datetime(2027, 1, 3, 23, tzinfo=UTC)), (0, datetime(2026, 12, 4, 23, tzinfo=UTC))]
)
def test_points_of_a_lot_that_expired_meanwhile_live_for_the_grace(days: int, at: datetime) -> None:
    rules = applied(programme(zone="Europe/Amsterdam", reversalGraceDays=days))
    ends = T0 + 9 * DAY
    near = {"value": 10, "balanceExpiresAt": ends.isoformat()}
    world = after(transaction(does(loads=[near])), transaction(does(redemptions=[4])), rules=rules)
    now = datetime(2026, 12, 4, 12, tzinfo=UTC)
    when = world.when(reverse(SECOND), now=now)
    late: dict[str, Any] = {"booked_at": now, "occurred_at": now}
    when.then(
        expired(3, 0, "lot", ends, lot(1, 6, ends), booked_at=now),
        given_back(4, 4, 4, lot(2, 4, at), **late),
        undone(SECOND, (0, 4)).model_copy(update={"booked_at": now}),
    )


def test_a_correction_down_is_given_back_and_one_up_revoked() -> None:
    world = after(adjust(50), adjust(-20))
    world.when(reverse(SECOND), now=LATER).then(given_back(3, 50, 20, lot(1, 20)), undone(SECOND, (0, 20)))
    world.when(reverse(FIRST), now=LATER).then(revoked(3, -20, 50, lot(1, 30), debt_delta=20), undone(FIRST, (0, 50)))


def test_a_credit_to_come_never_comes_and_one_that_came_is_revoked() -> None:
    starts = T0 + 5 * DAY
    world = after(adjust(50, activeFrom=starts.isoformat()))
    when = world.when(reverse(FIRST, {"operation": 0, "value": 20}), now=LATER)
    gone = booked(Unscheduled, lot(1, 20, None, starts), **AT, amount=20)
    when.then(gone, undone(FIRST, (0, 20)))
    late = when.world.when(reverse(), now=starts)
    at_start: dict[str, Any] = {"booked_at": starts, "occurred_at": starts}
    assert [event.type for _, event in late.accepted.events] == [
        "points.activated.v1",
        "points.revoked.v1",
        "points.reversed.v1",
    ]
    assert late.accepted.events[1][1] == revoked(2, 0, 30, lot(1, 30), **at_start)


def test_the_context_is_that_of_the_reversal() -> None:
    when = LOADED_AND_SPENT.when(reverse(FIRST, {"operation": 1}, context={"receiptNr": "R-2"}), now=LATER)
    when.then(given_back(3, 100, 30, lot(1, 30), source=Source(receipt="R-2")), undone(FIRST, (1, 30)))


def test_a_transaction_is_known_by_the_id_that_it_had_before_it_was_forwarded() -> None:
    named = derived_id("follow-up", "at-the-till", 0)
    world = given(LOY).when(transaction(does(loads=[5])), command_id=named).world
    when = world.when(reverse("at-the-till"), now=LATER)
    when.then(revoked(2, 0, 5, lot(1, 5)), undone(named, (0, 5)))
    when.world.when(reverse(named), now=LATER).refused(Refusal.ALREADY_REVERSED, "/transactionId")


def test_a_retired_programme_is_reversed_as_before() -> None:
    retired = LOADED_AND_SPENT.when(put(programme(state="retired"))).world
    assert [event.type for _, event in retired.when(reverse(), now=LATER).accepted.events] == [
        "points.given_back.v1",
        "points.revoked.v1",
        "points.reversed.v1",
    ]


CLOSED = AccountStateChanged(
    account=ACCOUNT, account_number=NUMBER, from_="active", to="closed", reason="asked", booked_at=T0
)


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (reverse("none"), Refusal.TRANSACTION_UNKNOWN, "/transactionId"),
        (reverse(FIRST, {"operation": 2}), Refusal.REVERSED_OPERATION_UNKNOWN, "/operations/0/operation"),
        (
            reverse(FIRST, {"operation": 0}, {"operation": 7}),
            Refusal.REVERSED_OPERATION_UNKNOWN,
            "/operations/1/operation",
        ),
        (reverse(FIRST, {"operation": 0, "value": 1.5}), Refusal.TOO_MANY_DECIMALS, "/operations/0/value"),
        (reverse(FIRST, {"operation": 0, "value": 101}), Refusal.REVERSAL_EXCEEDS_ORIGINAL, "/operations/0/value"),
        (
            reverse(FIRST, {"operation": 1, "value": 30}, {"operation": 1, "value": 1}),
            Refusal.ALREADY_REVERSED,
            "/operations/1/operation",
        ),
    ],
)
def test_refuses(body: Reverse, code: PointsRefusal, pointer: str) -> None:
    LOADED_AND_SPENT.when(body, now=LATER).refused(code, pointer)


def test_a_transaction_that_booked_nothing_cannot_be_reversed() -> None:
    world = after(adjust(5), transaction(does(loads=[0])))
    world.when(reverse(SECOND), now=LATER).refused(Refusal.TRANSACTION_UNKNOWN, "/transactionId")
    ends = {"value": 5, "balanceExpiresAt": T0.isoformat()}
    early = given(LOY).when(transaction(does(loads=[ends])), now=T0 - DAY, command_id=FIRST).world
    due = early.when(transaction(), command_id=SECOND).world
    due.when(reverse(SECOND), now=LATER).refused(Refusal.NOT_REVERSIBLE, "/transactionId")


def test_the_account_must_be_there_and_its_own_and_open() -> None:
    given(LOY).when(reverse()).refused(Refusal.ACCOUNT_UNKNOWN, "/accountNumber")
    LOADED_AND_SPENT.when(reverse(number="1"), subject=ACCOUNT).refused(Refusal.ACCOUNT_MISMATCH, "/accountNumber")
    stream, event = LOADED_AND_SPENT.entries[FIRST].events[0]
    foreign = Entry(FIRST, "points.post_transaction.v1", account_id(STORE, "1"), "accepted", ((f"{stream}x", event),))
    given_world = Given(LOADED_AND_SPENT.states, {FIRST: foreign})
    given_world.when(reverse()).refused(Refusal.TRANSACTION_UNKNOWN, "/transactionId")
    states = {**LOADED_AND_SPENT.states, STREAM: DECIDER.evolve(LOADED_AND_SPENT.states[STREAM], CLOSED)}
    Given(states, LOADED_AND_SPENT.entries).when(reverse()).refused(Refusal.ACCOUNT_CLOSED, "/accountNumber")


def test_one_that_may_undo_its_own_transactions_alone_is_refused_every_other() -> None:
    world = given(LOY).when(transaction(does(loads=[100])), command_id=FIRST, actor="client:1").world
    for sender in ("client:2", "client:", "client:11"):
        world.when(reverse(onlyBy=sender), now=LATER).refused(Refusal.TRANSACTION_FOREIGN, "/transactionId")
    LOADED_AND_SPENT.when(reverse(onlyBy="client:1"), now=LATER).refused(Refusal.TRANSACTION_FOREIGN, "/transactionId")
    world.when(reverse("none", onlyBy="client:1")).refused(Refusal.TRANSACTION_UNKNOWN, "/transactionId")
    own = world.when(reverse(onlyBy="client:1"), now=LATER, actor="client:1")
    assert own.balances() == {"LOY": 0}
    again = own.world.when(reverse(onlyBy="client:2"), now=LATER, command_id=SECOND)
    again.refused(Refusal.TRANSACTION_FOREIGN, "/transactionId")  # Not even that it was reversed is told.


def test_a_refused_reversal_books_nothing_what_is_due_included() -> None:
    ends = {"value": 5, "balanceExpiresAt": LATER.isoformat()}
    world = after(transaction(does(loads=[100])), transaction(does(loads=[ends])))
    when = world.when(reverse("none"), now=LATER)
    when.refused(Refusal.TRANSACTION_UNKNOWN, "/transactionId")
    assert when.account.balances["LOY"].booked == 105
    assert when.states[STREAM] is world.states[STREAM]

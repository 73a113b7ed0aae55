"""Accounts of somebody who was forgotten are closed for good, once nothing on them is open (rules 4.5.6)."""

from typing import Any

import pytest

from schemas.accounts import AccountClosing, AccountState, AccountStateChanged, CloseAccount, ReplaceNumber
from schemas.holds import HoldEnded, HoldPlaced
from schemas.points import BookDue, PointsRefusal
from schemas.waiting_inputs import RELEASE_INPUTS, KnowNumber, ReleaseInputs
from services.points.decider import DECIDER
from services.points.streams import account_stream
from shared.ids import account_id
from tests.unit.points.holding_world import closed, everything, rich
from tests.unit.points.order_world import ORD, after, fulfil, place
from tests.unit.points.reversal_world import reverse
from tests.unit.points.test_accounts import HUNDRED, NEW, NEW_ACCOUNT, led, replace, state
from tests.unit.points.world import (
    ACCOUNT,
    DAY,
    EARLIER,
    LOY,
    NUMBER,
    STORE,
    STREAM,
    T0,
    Given,
    adjust,
    does,
    expired,
    given,
    loaded,
    lot,
    opened,
    transaction,
)

Refusal = PointsRefusal
WHY = "customer_anonymised"
CLOSE = CloseAccount(account_number=NUMBER, reason=WHY)


def for_good(before: str = "active") -> AccountStateChanged:
    return AccountStateChanged(
        account=ACCOUNT, account_number=NUMBER, from_=before, to="closed", reason=WHY, final=True, booked_at=T0
    )


def new_ones() -> list[Any]:
    """What a customer who is still there could do."""
    return [
        transaction(does(loads=[5])),
        transaction(does(redemptions=[5])),
        transaction(),
        adjust(5),
        reverse(),
        replace(),
        place(60),
        fulfil(),
    ]


def refuses_all(world: Given) -> None:
    for body in new_ones():
        world.when(body, command_id="new").refused(Refusal.ACCOUNT_CLOSED, "/accountNumber")


@pytest.mark.parametrize("before", ["active", "suspended", "closed"])
def test_an_account_is_closed_for_good_and_takes_nothing(before: str) -> None:
    world = given(*HUNDRED)
    if before != "active":
        world = world.when(state(before)).world
    when = world.when(CLOSE)
    when.then(for_good(before))
    refuses_all(when.world)
    when.world.when(state("active")).refused(Refusal.ACCOUNT_CLOSED, "/accountNumber")
    when.world.when(CLOSE).then()
    assert DECIDER.load_state(STREAM, DECIDER.dump_state(when.account)) == when.account


def test_a_number_that_no_credit_has_opened_is_closed_too() -> None:
    when = given(LOY, ORD).when(CLOSE)
    when.then(for_good())
    refuses_all(when.world)
    assert DECIDER.views(when.account) is None
    other = CloseAccount(account_number=NEW, reason=WHY)
    world = given(*HUNDRED).when(other, subject=NEW_ACCOUNT).world
    world.when(replace()).refused(Refusal.NUMBER_IN_USE, "/newNumber")


def test_points_of_a_closed_account_still_expire() -> None:
    world = given(LOY, opened(), loaded(1, 30, lot(1, 30, T0 + DAY), **EARLIER)).when(CLOSE).world
    when = world.when(BookDue(), now=T0 + DAY)
    when.then(expired(2, 0, "lot", T0 + DAY, lot(1, 30, T0 + DAY), booked_at=T0 + DAY))


@pytest.mark.parametrize("decision", ["executed", "refused"])
def test_what_is_open_ends_first(decision: str) -> None:
    """It is captured or released as the voucher service decides; meanwhile nothing new begins."""
    held = rich().when(everything())
    when = held.world.when(CLOSE, command_id="close")
    when.then(AccountClosing(account=ACCOUNT, account_number=NUMBER, reason=WHY, booked_at=T0))
    assert when.account.state is AccountState.ACTIVE
    refuses_all(when.world)
    when.world.when(CLOSE, command_id="again").then()
    ended = closed(when, decision, code=None if decision == "executed" else "voucher_unknown")
    kinds = [type(event) for _, event in ended.accepted.events]
    assert kinds.index(HoldEnded) < kinds.index(AccountStateChanged)
    assert ended.account.state is AccountState.CLOSED
    assert ended.account.balances["SELLS"].booked == (40 if decision == "executed" else 100)
    refuses_all(ended.world)


def test_it_closes_with_the_last_of_several() -> None:
    placed = [HoldPlaced(account=ACCOUNT, account_number=NUMBER, transaction_id=it, booked_at=T0) for it in "ab"]
    account = given(*HUNDRED, *placed).when(CLOSE).account
    assert account.holds == ("a", "b")
    held = rich().when(everything())
    more = DECIDER.evolve(held.account, placed[0])
    world = Given({**held.world.states, STREAM: more}, held.world.entries)
    ended = closed(world.when(CLOSE, command_id="close"), "executed")
    assert ended.account.state is AccountState.ACTIVE
    assert ended.account.is_closed


def test_inputs_that_wait_for_the_number_are_refused_visibly() -> None:
    waits = transaction(does(loads=[5]), fromInput=True)
    world = given(LOY).when(waits, command_id="w").world
    when = world.when(CLOSE, command_id="close")
    (released,) = [each for each in when.accepted.follow_ups if each.type == RELEASE_INPUTS]
    world = when.world.when(ReleaseInputs.model_validate(released.payload), command_id="r").world
    for body in (waits, place(60, fromInput=True)):
        world.when(body, command_id="n").refused(Refusal.ACCOUNT_CLOSED, "/accountNumber")


def test_an_order_of_a_closed_account_stays_as_it_is() -> None:
    """What is pending stays, and what happens to the order is refused."""
    world = after(place(60), CLOSE, start=given(ORD))
    world.when(fulfil()).refused(Refusal.ACCOUNT_CLOSED, "/accountNumber")
    assert world.when(BookDue()).account.balances["ORD"].pending == 60


def test_the_account_to_which_a_number_leads_is_closed() -> None:
    world = given(*HUNDRED, led())
    when = world.when(CloseAccount(account_number=NEW, reason=WHY), subject=NEW_ACCOUNT)
    assert getattr(when.outcome, "subject", None) == ACCOUNT


def test_a_number_that_nobody_knows_is_not_opened_by_a_replacement() -> None:
    typo = ReplaceNumber(account_number=NUMBER, new_number=NEW)
    given(LOY).when(typo).refused(Refusal.ACCOUNT_UNKNOWN, "/accountNumber")
    known = given(LOY).when(KnowNumber(account_number=NUMBER), command_id="k").world
    assert known.when(typo).account.account_number == NUMBER
    assert account_stream(STORE, account_id(STORE, NEW)) in known.when(typo).states

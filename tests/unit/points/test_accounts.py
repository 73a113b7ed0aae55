"""States of accounts, numbers that lead to them, and what the sweep asks for (rules 4.1.2, 4.1.5)."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.accounts import (
    AccountForwarded,
    AccountState,
    AccountStateChanged,
    NumberAdded,
    ReplaceNumber,
    SetAccountState,
)
from schemas.points import BookDue, PointsRefusal
from schemas.waiting_inputs import NumberKnown
from services.points.accounts import NUMBERS_MAX
from services.points.decider import DECIDER
from services.points.state import Account
from services.points.streams import account_stream
from shared.decider import Forwarded
from shared.ids import account_id
from tests.unit.points.world import (
    ACCOUNT,
    DAY,
    EARLIER,
    LOY,
    NUMBER,
    STORE,
    T0,
    When,
    adjust,
    adjusted,
    does,
    expired,
    given,
    loaded,
    lot,
    opened,
    redeemed,
    transaction,
)

Refusal = PointsRefusal
HUNDRED = (LOY, opened(), loaded(1, 100, lot(1, 100), **EARLIER))
NEW = "7000"
NEW_ACCOUNT = account_id(STORE, NEW)


def state(to: str, number: str = NUMBER) -> SetAccountState:
    return SetAccountState(account_number=number, state=AccountState(to), reason="asked")


def changed(to: str, before: str = "active", **more: Any) -> AccountStateChanged:
    fields = {"account": ACCOUNT, "account_number": NUMBER, "from_": before, "to": to, "reason": "asked"}
    return AccountStateChanged(**{**fields, "booked_at": T0, **more})


def replace(new: str = NEW, number: str = NUMBER) -> ReplaceNumber:
    return ReplaceNumber(account_number=number, new_number=new)


def added(number: str = NEW) -> NumberAdded:
    return NumberAdded(account=ACCOUNT, account_number=NUMBER, number=number, booked_at=T0)


def led(number: str = NEW) -> AccountForwarded:
    account = account_id(STORE, number)
    return AccountForwarded(account=account, account_number=number, forwards_to=ACCOUNT, booked_at=T0)


def forwarded(when: When) -> None:
    """The command goes on to the account itself."""
    assert when.outcome == Forwarded(ACCOUNT)


# ── states ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_state_is_set_and_told() -> None:
    when = given(*HUNDRED).when(state("suspended"))
    when.then(changed("suspended"))
    assert when.accepted.result["state"] == "suspended"
    assert when.account.state is AccountState.SUSPENDED
    stream = account_stream(STORE, ACCOUNT)
    assert DECIDER.load_state(stream, DECIDER.dump_state(when.account)) == when.account


def test_the_same_state_again_stays_quiet() -> None:
    given(*HUNDRED).when(state("active")).then()
    given(*HUNDRED, changed("closed")).when(state("closed")).then()


def test_a_closed_account_can_be_opened_again() -> None:
    given(*HUNDRED, changed("closed")).when(state("active")).then(changed("active", "closed"))


def test_a_state_is_refused_to_nobody_and_to_another() -> None:
    given(LOY).when(state("closed")).refused(Refusal.ACCOUNT_UNKNOWN, "/accountNumber")
    given(*HUNDRED).when(state("closed", NEW), subject=ACCOUNT).refused(Refusal.ACCOUNT_MISMATCH, "/accountNumber")


def test_what_is_due_is_booked_before_the_state() -> None:
    world = given(LOY, opened(), loaded(1, 30, lot(1, 30, T0), **EARLIER))
    world.when(state("suspended")).then(expired(2, 0, "lot", T0, lot(1, 30, T0)), changed("suspended"))


@pytest.mark.parametrize(
    ("held", "body", "code", "pointer"),
    [
        (
            "spending_blocked",
            transaction(does(loads=[5], redemptions=[1])),
            Refusal.ACCOUNT_SPENDING_BLOCKED,
            "/loyaltyPrograms/0/redemptions/0",
        ),
        ("suspended", transaction(does(loads=[5])), Refusal.ACCOUNT_SUSPENDED, "/accountNumber"),
        ("suspended", transaction(does(redemptions=[5])), Refusal.ACCOUNT_SUSPENDED, "/accountNumber"),
        ("closed", transaction(does(loads=[5])), Refusal.ACCOUNT_CLOSED, "/accountNumber"),
        ("closed", adjust(5), Refusal.ACCOUNT_CLOSED, "/accountNumber"),
        ("closed", replace(), Refusal.ACCOUNT_CLOSED, "/accountNumber"),
    ],
)
def test_each_state_has_its_refusal(held: str, body: Any, code: PointsRefusal, pointer: str) -> None:
    given(*HUNDRED, changed(held)).when(body).refused(code, pointer)


def test_what_each_state_still_allows() -> None:
    blocked, suspended = given(*HUNDRED, changed("spending_blocked")), given(*HUNDRED, changed("suspended"))
    blocked.when(transaction(does(loads=[5], redemptions=[0]))).then(loaded(2, 105, lot(1, 5)))
    blocked.when(adjust(-5)).then(adjusted(2, 95, -5, lot(1, 5)))
    suspended.when(adjust(-5)).then(adjusted(2, 95, -5, lot(1, 5)))
    given(*HUNDRED, changed("suspended"), changed("active", "suspended")).when(transaction(does(redemptions=[5]))).then(
        redeemed(2, 95, lot(1, 5))
    )


# ── the sweep ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("held", ["active", "suspended", "closed"])
def test_what_is_due_is_booked_in_every_state(held: str) -> None:
    news = [] if held == "active" else [changed(held)]
    world = given(LOY, opened(), loaded(1, 30, lot(1, 30, T0), **EARLIER), *news)
    when = world.when(BookDue())
    when.then(expired(2, 0, "lot", T0, lot(1, 30, T0)))
    when.world.when(BookDue(), now=T0 + DAY).then()


def test_a_sweep_that_comes_too_early_or_to_nobody_stays_quiet() -> None:
    world = given(LOY, opened(), loaded(1, 30, lot(1, 30, T0), **EARLIER))
    world.when(BookDue(), now=T0 - timedelta(milliseconds=1)).then()
    given().when(BookDue()).then()


def test_an_expiry_is_booked_once_whoever_comes_first() -> None:
    world = given(LOY, opened(), loaded(1, 30, lot(1, 30, T0), **EARLIER))
    gone = expired(2, 0, "lot", T0, lot(1, 30, T0))
    swept = world.when(BookDue()).then(gone)
    swept.world.when(transaction(does(loads=[5]))).then(loaded(3, 5, lot(2, 5)))
    came = world.when(transaction(does(loads=[5]))).then(gone, loaded(3, 5, lot(2, 5)))
    came.world.when(BookDue()).then()
    assert swept.world.when(transaction(does(loads=[5]))).account == came.account


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_number_leads_to_the_account() -> None:
    when = given(*HUNDRED).when(replace())
    when.then(led(), added())
    assert when.accepted.result["newNumber"] == NEW
    other = when.states[account_stream(STORE, NEW_ACCOUNT)]
    assert other == Account(NEW_ACCOUNT, NEW, booked_at=T0, forwards_to=ACCOUNT)
    assert when.account.numbers == (NEW,)
    when.world.when(replace()).then()


def test_what_arrives_under_it_goes_on_and_is_booked_there() -> None:
    world = given(*HUNDRED, led(), added())
    said = transaction(does(loads=[5]), number=NEW)
    forwarded(world.when(said, subject=NEW_ACCOUNT))
    forwarded(world.when(state("closed", NEW), subject=NEW_ACCOUNT))
    forwarded(world.when(BookDue(), subject=NEW_ACCOUNT))
    when = world.when(said)
    when.then(loaded(2, 105, lot(1, 5)))
    assert when.balances() == {"LOY": 105}


def test_a_number_of_another_account_is_refused_there() -> None:
    world = given(*HUNDRED, led(), added())
    world.when(transaction(number="7001"), subject=ACCOUNT).refused(Refusal.ACCOUNT_MISMATCH, "/accountNumber")


def test_a_number_in_use_is_refused() -> None:
    given(*HUNDRED).when(replace(NUMBER)).refused(Refusal.NUMBER_IN_USE, "/newNumber")
    used = opened().model_copy(update={"account": NEW_ACCOUNT, "account_number": NEW})
    given(*HUNDRED, used).when(replace()).refused(Refusal.NUMBER_IN_USE, "/newNumber")
    elsewhere = led().model_copy(update={"forwards_to": account_id(STORE, "8000")})
    given(*HUNDRED, elsewhere).when(replace()).refused(Refusal.NUMBER_IN_USE, "/newNumber")


def test_a_number_that_has_no_account_yet_can_be_replaced_and_is_opened() -> None:
    known = NumberKnown(account=ACCOUNT, account_number=NUMBER, booked_at=T0)
    when = given(LOY, known).when(replace())
    when.then(opened(T0), led(), added())
    assert when.accepted.result == {**when.accepted.result, "accountNumber": NUMBER, "newNumber": NEW}
    assert when.account.numbers == (NEW,)
    said = transaction(does(loads=[5]), number=NEW)
    forwarded(when.world.when(said, subject=NEW_ACCOUNT))
    when.world.when(said).then(loaded(1, 5, lot(1, 5)))
    given(LOY, known).when(replace(NUMBER)).refused(Refusal.NUMBER_IN_USE, "/newNumber")


def test_a_number_is_refused_to_another() -> None:
    given(*HUNDRED).when(replace(number="1"), subject=ACCOUNT).refused(Refusal.ACCOUNT_MISMATCH, "/accountNumber")


def test_an_account_has_a_bounded_number_of_numbers() -> None:
    numbers = [added(str(number)) for number in range(NUMBERS_MAX)]
    given(*HUNDRED, *numbers[1:]).when(replace()).then(led(), added())
    given(*HUNDRED, *numbers).when(replace()).refused(Refusal.TOO_MANY_NUMBERS, "/newNumber")

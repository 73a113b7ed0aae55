"""States of a customer: activated, blocked, deleted and restored (rules 4.5.3)."""

import pytest

from schemas.customers import CustomerRefusal, CustomerState, SetCustomerState
from tests.unit.customer.events import CARDS, EMAILS, anonymised, claimed, created, person, state_changed, updated
from tests.unit.customer.world import BEN, EMAIL, Booked, create, given, update


def state(to: str) -> SetCustomerState:
    return SetCustomerState(state=CustomerState(to), reason="Ada asked for it")


@pytest.mark.parametrize(
    ("before", "after"),
    [("active", "blocked"), ("blocked", "active"), ("active", "deleted"), ("deleted", "active"), ("active", "new")],
)
def test_another_state_is_booked_and_the_reason_is_personal(before: str, after: str) -> None:
    was = () if before == "active" else (state_changed("active", before),)
    when = given(*person(), *was).when(state(after))
    when.then(state_changed(before, after, "Ada asked for it")).answers(state=after).follows()
    assert "Ada" not in repr([event.told for _, event in when.accepted.events]), "a reason may name somebody"


def test_the_same_state_again_books_nothing() -> None:
    world = given(*person(), state_changed("active", "blocked"))
    world.when(state("blocked")).then().answers(state="blocked").follows()


def test_a_customer_who_was_created_as_new_is_activated() -> None:
    world = given(created(state=CustomerState.NEW), claimed(CARDS, "6001"))
    world.when(state("active")).then(state_changed("new", "active", "Ada asked for it"))


@pytest.mark.parametrize(
    ("before", "code"),
    [
        ((), CustomerRefusal.CUSTOMER_UNKNOWN),
        ((*person(), anonymised()), CustomerRefusal.CUSTOMER_ANONYMISED),
    ],
)
def test_nobody_and_the_forgotten_have_no_state(before: tuple[Booked, ...], code: CustomerRefusal) -> None:
    given(*before).when(state("active")).refused(code)


def test_a_blocked_customer_can_be_updated() -> None:
    world = given(*person(), state_changed("active", "blocked"))
    world.when(update(first_name="Ada")).then(updated("firstName", first_name="Ada"))


def test_a_deleted_customer_keeps_everything_and_everything_stays_taken() -> None:
    ada = person(claims={EMAILS: EMAIL}, email_address=EMAIL)
    world = given(*ada, state_changed("active", "deleted"))
    wanted = create("6002", email_address=EMAIL)
    world.when(wanted, BEN).refused(CustomerRefusal.EMAIL_IN_USE, "/customerInfo/emailAddress")
    restored = world.when(state("active")).then(state_changed("deleted", "active", "Ada asked for it"))
    assert restored.world.view()["customerInfo"]["emailAddress"] == EMAIL

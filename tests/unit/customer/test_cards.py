"""Cards: one more, one instead of another, and what the points service is told of it (rules 4.1.2)."""

from typing import Any

import pytest

from schemas.customers import AddCard, CustomerRefusal, ReplaceCard
from services.customer.cards import CARDS_MAX
from tests.unit.customer.events import (
    CARDS,
    anonymised,
    card_added,
    card_replaced,
    claimed,
    knows_number,
    leads_to,
    person,
    state_changed,
)
from tests.unit.customer.world import BEN, Booked, given

REPLACED = (*person(), card_replaced("6001", "6002"), claimed(CARDS, "6002"))
"""Ada's card 6001 was replaced by 6002."""


def test_one_more_card_is_claimed_and_points_are_told_its_number() -> None:
    when = given(*person()).when(AddCard(card_number="6002"))
    when.then(card_added("6002"), claimed(CARDS, "6002"))
    when.answers(cardNumber="6002").follows(knows_number("6002"))
    assert when.world.view()["cardNumber"] == "6001", "the first one stays the main card"


def test_a_card_that_the_customer_has_is_not_added_again() -> None:
    world = given(*person(), card_added("6002"), claimed(CARDS, "6002"))
    world.when(AddCard(card_number="6002")).then().answers(cardNumber="6002").follows()
    given(*REPLACED).when(AddCard(card_number="6001")).then().answers(cardNumber="6001").follows()


def test_a_card_number_is_drawn_where_none_is_given() -> None:
    when = given(*person()).when(AddCard())
    number = when.accepted.result["cardNumber"]
    assert len(number) == 19
    when.then(card_added(number), claimed(CARDS, number)).follows(knows_number(number))


@pytest.mark.parametrize(
    "payload", [ReplaceCard(new_number="6002"), ReplaceCard(card_number="6001", new_number="6002")]
)
def test_a_card_instead_of_another_leads_to_its_account(payload: ReplaceCard) -> None:
    when = given(*person()).when(payload)
    when.then(card_replaced("6001", "6002"), claimed(CARDS, "6002"))
    when.answers(cardNumber="6002").follows(leads_to("6001", "6002"), knows_number("6002"))
    view = when.world.view()
    assert view["cardNumber"] == "6002"
    assert [(card["cardNumber"], card["replacedBy"]) for card in view["cards"]] == [("6001", "6002"), ("6002", None)]
    assert view["search"]["cardNumbers"] == ["6001", "6002"]


def test_the_main_card_is_the_last_of_those_that_replaced_each_other() -> None:
    when = given(*REPLACED).when(ReplaceCard(new_number="6003"))
    when.then(card_replaced("6002", "6003"), claimed(CARDS, "6003"))
    when.follows(leads_to("6002", "6003"), knows_number("6003"))
    assert when.world.view()["cardNumber"] == "6003"


def test_the_number_of_a_replacement_is_drawn_where_none_is_given() -> None:
    when = given(*person()).when(ReplaceCard())
    number = when.accepted.result["cardNumber"]
    when.then(card_replaced("6001", number), claimed(CARDS, number))


FULL = (*person(), *(card_added(f"6001-{number}") for number in range(1, CARDS_MAX)))


@pytest.mark.parametrize(
    ("before", "payload", "code", "pointer"),
    [
        (REPLACED, ReplaceCard(card_number="6009", new_number="6003"), CustomerRefusal.CARD_UNKNOWN, "/cardNumber"),
        (REPLACED, ReplaceCard(card_number="6001", new_number="6003"), CustomerRefusal.CARD_REPLACED, "/cardNumber"),
        (REPLACED, ReplaceCard(new_number="6001"), CustomerRefusal.CARD_IN_USE, "/newNumber"),
        (REPLACED, ReplaceCard(new_number="6002"), CustomerRefusal.CARD_IN_USE, "/newNumber"),
        (REPLACED, ReplaceCard(new_number="7001"), CustomerRefusal.CARD_IN_USE, "/newNumber"),
        (REPLACED, AddCard(card_number="7001"), CustomerRefusal.CARD_IN_USE, "/cardNumber"),
        (FULL, AddCard(card_number="one more"), CustomerRefusal.TOO_MANY_CARDS, "/cardNumber"),
        (FULL, ReplaceCard(), CustomerRefusal.TOO_MANY_CARDS, "/newNumber"),
    ],
)
def test_a_card_is_refused(before: tuple[Booked, ...], payload: Any, code: CustomerRefusal, pointer: str) -> None:
    given(*before, *person("7001", BEN)).when(payload).refused(code, pointer)


def test_with_the_most_cards_one_of_them_is_still_a_no_op() -> None:
    given(*FULL).when(AddCard(card_number="6001")).then()


@pytest.mark.parametrize("payload", [AddCard(), ReplaceCard()])
@pytest.mark.parametrize(
    ("before", "code"),
    [
        ((), CustomerRefusal.CUSTOMER_UNKNOWN),
        ((*person(), state_changed("active", "deleted")), CustomerRefusal.CUSTOMER_DELETED),
        ((*person(), anonymised()), CustomerRefusal.CUSTOMER_ANONYMISED),
    ],
)
def test_no_card_for_nobody_the_deleted_and_the_forgotten(
    before: tuple[Booked, ...], code: CustomerRefusal, payload: Any
) -> None:
    given(*before).when(payload).refused(code)

"""Every command of the customer service has its specs: accepted, refused with each of its codes, and repeated."""

import pytest

from schemas.base import Wire
from schemas.customers import (
    COMMANDS,
    AddCard,
    AnonymiseCustomer,
    CreateCustomer,
    CustomerRefusal,
    ReplaceCard,
    UpdateCustomer,
)
from tests.unit.customer import test_cards, test_creating, test_forgetting, test_states, test_updating
from tests.unit.customer.world import DETAILS
from tests.unit.spec_coverage import QUIET, Shown, lacking, refusals_in_source, shown_by

SPECS = (test_cards, test_creating, test_forgetting, test_states, test_updating)

NEVER: dict[tuple[type[Wire], str], str] = {
    (CreateCustomer, QUIET): "a repeat with another id is `customer_exists`",
    (ReplaceCard, QUIET): "a repeat with another id is `card_in_use`, or draws another number",
    (AddCard, CustomerRefusal.EMAIL_IN_USE): "it names no e-mail address",
    (AddCard, CustomerRefusal.PHONE_IN_USE): "it names no phone",
    (ReplaceCard, CustomerRefusal.EMAIL_IN_USE): "it names no e-mail address",
    (ReplaceCard, CustomerRefusal.PHONE_IN_USE): "it names no phone",
    (UpdateCustomer, CustomerRefusal.CARD_IN_USE): "it names no card",
    (AnonymiseCustomer, CustomerRefusal.CUSTOMER_ANONYMISED): "forgetting again is a no-op",
}
CODES = refusals_in_source("customer", CustomerRefusal)


@pytest.fixture(scope="module")
def shown() -> frozenset[Shown]:
    return shown_by(*SPECS)


def test_every_command_and_every_refusal_has_a_spec(shown: frozenset[Shown]) -> None:
    assert lacking(COMMANDS.values(), CODES, NEVER, shown) == set()


def test_every_code_can_come_about_and_has_a_sentence() -> None:
    assert {code for codes in CODES.values() for code in codes} == {*CustomerRefusal} == DETAILS.keys()
    assert CODES.keys() == {command.__name__ for command in COMMANDS.values()}


@pytest.mark.parametrize("absent", SPECS)
def test_specs_that_are_missing_are_found(absent: object) -> None:
    kept = shown_by(*(module for module in SPECS if module is not absent))
    assert lacking(COMMANDS.values(), CODES, NEVER, kept)

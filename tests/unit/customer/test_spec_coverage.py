"""Every command of the customer service has its specs: accepted, refused with each of its codes, and repeated."""

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
from tests.unit.spec_coverage import QUIET, SpecCoverage

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


class TestSpecsOfTheCustomerService(SpecCoverage):
    service, commands, refusal = "customer", COMMANDS, CustomerRefusal
    specs, never = SPECS, NEVER


def test_every_code_has_a_sentence() -> None:
    assert {*CustomerRefusal} == DETAILS.keys()

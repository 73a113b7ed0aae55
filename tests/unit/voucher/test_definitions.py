"""Declaring definitions, and their versions (rules 4.1.1, 4.3.1)."""

from typing import Any

import pytest

from schemas.vouchers import DefinitionPut, PutDefinition
from tests.unit.voucher.commands import executing, used
from tests.unit.voucher.events import done, executed, put, redeemed, there
from tests.unit.voucher.world import OWN, T0, definition, given

AMOUNT: dict[str, Any] = {"type": "amount", "value": 5, "currency": "EUR"}
PERCENTAGE: dict[str, Any] = {"type": "percentage", "value": 10, "max": 5, "currency": "EUR"}


def test_a_first_declaration_is_version_1() -> None:
    when = given().when(PutDefinition(definition=OWN))
    when.then(("definition/main/OWN", DefinitionPut(definition=OWN, version=1, booked_at=T0)))
    when.answers(voucher="OWN", version=1)


def test_another_declaration_is_the_next_version_and_may_change_everything() -> None:
    new = definition(
        titles={"nl": "Vijf euro", "en": "Five euros"},
        descriptions={"nl": "Op alles"},
        defaultLanguage="nl",
        programme=None,
        validity={"days": 30},
        zone="Europe/Amsterdam",
        bearer=True,
        benefit=AMOUNT,
        state="retired",
    )
    when = given(put(OWN), put(definition(zone="Africa/Cairo"), 2)).when(PutDefinition(definition=new))
    when.then(("definition/main/OWN", DefinitionPut(definition=new, version=3, booked_at=T0)))
    when.answers(voucher="OWN", version=3)


def test_an_equal_declaration_books_nothing() -> None:
    given(put(OWN, 4)).when(PutDefinition(definition=OWN)).then().answers(voucher="OWN", version=4)


@pytest.mark.parametrize(
    ("benefit", "subject", "code", "pointer", "detail"),
    [
        (
            None,
            "ELSE",
            "definition_mismatch",
            "/definition/code",
            "the command is addressed to another definition than it declares",
        ),
        ({**AMOUNT, "value": 4.955}, None, "too_many_decimals", "/definition/benefit/value", "EUR has 2 decimals"),
        (
            {**AMOUNT, "value": 0.5, "currency": "JPY"},
            None,
            "too_many_decimals",
            "/definition/benefit/value",
            "JPY has 0 decimals",
        ),
        ({**PERCENTAGE, "max": 0.001}, None, "too_many_decimals", "/definition/benefit/max", "EUR has 2 decimals"),
    ],
)
def test_a_declaration_is_refused(benefit: Any, subject: str | None, code: str, pointer: str, detail: str) -> None:
    declared = PutDefinition(definition=definition(benefit=benefit))
    given().when(declared, subject=subject).refused(code, pointer, detail)


def test_a_voucher_keeps_the_definition_that_it_was_issued_with() -> None:
    changed = definition(titles={"nl": "anders"}, defaultLanguage="nl", programme=None, state="retired")
    world = given(put(OWN), there("v"), put(changed, 2))
    world.when(executing(used("v"))).then(redeemed("v"), executed(redeemed=(done("v"),)))

"""What a voucher is worth: declared, pinned at issue, and told wherever the voucher is (rules 4.3.1)."""

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.vouchers import CloseTransaction, PutDefinition, VoucherState
from services.voucher.views import views
from tests.unit.voucher.commands import bought, executing, reversing, used
from tests.unit.voucher.events import (
    BOUGHT,
    IN_REVERSAL,
    done,
    executed,
    issued,
    put,
    redeemed,
    restored,
    reversed_,
    sold,
    there,
    voided,
)
from tests.unit.voucher.world import T0, definition, given

FIVE = {"type": "amount", "value": 5, "currency": "EUR"}
TENTH: dict[str, Any] = {"type": "percentage", "value": 10, "max": None, "currency": None}

GOOD: list[dict[str, Any]] = [
    FIVE,
    {**FIVE, "value": 4.95},
    {**FIVE, "value": 500, "currency": "JPY"},
    {**FIVE, "value": 1.234, "currency": "KWD"},
    {"type": "percentage", "value": 12.5},
    {"type": "percentage", "value": 100, "max": 25.5, "currency": "EUR"},
    {"type": "product", "sku": "COFFEE-250"},
    {"type": "product", "sku": "COFFEE-250", "quantity": 2},
    {"type": "text", "text": "A tour of the brewery"},
]
BAD: list[dict[str, Any]] = [
    {"type": "amount", "value": 5},
    {**FIVE, "value": 0},
    {**FIVE, "value": -5},
    {**FIVE, "value": "5"},
    {**FIVE, "currency": "euro"},
    {**FIVE, "max": 10},
    {"type": "percentage", "value": 100.1},
    {"type": "percentage", "value": 0},
    {"type": "percentage", "value": 10, "max": 5},
    {"type": "percentage", "value": 10, "currency": "EUR"},
    {"type": "product", "sku": ""},
    {"type": "product", "sku": "X", "quantity": 0},
    {"type": "text", "text": ""},
    {"type": "text"},
    {"type": "free shipping"},
    {"value": 5, "currency": "EUR"},
]


@pytest.mark.parametrize("benefit", GOOD)
def test_a_benefit_that_a_till_can_compute_is_declared(benefit: dict[str, Any]) -> None:
    declared = definition(benefit=benefit)
    given().when(PutDefinition(definition=declared)).then(put(declared, booked_at=T0))
    again = type(declared).model_validate_json(declared.model_dump_json(by_alias=True))
    assert again == declared
    assert benefit.items() <= declared.model_dump(mode="json", by_alias=True)["benefit"].items()


@pytest.mark.parametrize("benefit", BAD)
def test_a_benefit_without_a_meaning_does_not_parse(benefit: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        definition(benefit=benefit)


def test_a_benefit_is_pinned_at_issue_and_told_wherever_the_voucher_is() -> None:
    """A definition that changes afterwards changes no voucher that exists, as with its texts."""
    old, new = definition(benefit=FIVE), definition(benefit=TENTH)
    world = given(put(old), there("old", old), put(new, 2))
    when = world.when(executing(bought("new", use=True), used("old", operation=1)))
    when.then(
        issued("new", new, **BOUGHT, definition_version=2),
        redeemed("new", 2, new),
        redeemed("old", 2, old, operation=1),
        executed(
            issued=(sold("new", 0, new, state=VoucherState.REDEEMED),),
            redeemed=(done("new", 0, new), done("old", 1, old)),
        ),
    )
    told = CloseTransaction.model_validate(when.told.payload).model_dump(mode="json", by_alias=True)
    assert [each["benefit"] for each in told["issued"]] == [TENTH]
    assert [each["benefit"] for each in told["redeemed"]] == [TENTH, FIVE]
    undone = when.when(reversing(("old",), ("new",)))
    undone.then(
        restored("old", 3, old),
        restored("new", 3, new),
        voided("new", 4, new, **IN_REVERSAL),
        reversed_(restored=(done("old", 0, old),), voided=(done("new", 0, new),)),
    )
    assert [each["benefit"] for each in undone.told.payload["restored"]] == [FIVE]


@pytest.mark.parametrize("benefit", [FIVE, TENTH, None])
def test_a_voucher_shows_its_benefit(benefit: dict[str, Any] | None) -> None:
    """As the snapshot has it; a state comes back as it was stored."""
    view = views(given(there("v", definition(benefit=benefit))).voucher("v"))
    assert view is not None
    assert view.value is not None
    assert view.value["benefit"] == benefit

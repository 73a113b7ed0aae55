"""What a voucher is worth: declared, pinned at issue, and told wherever the voucher is (rules 4.3.1)."""

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.vouchers import CloseTransaction, PutDefinition, VoucherRefusal
from services.voucher.views import views
from tests.unit.voucher.world import World, bought, definition, executing, given, issuing, reversing, used

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
def test_what_can_be_declared(benefit: dict[str, Any]) -> None:
    declared = definition(benefit=benefit)
    given().when(PutDefinition(definition=declared)).accepted  # noqa: B018
    again = type(declared).model_validate_json(declared.model_dump_json(by_alias=True))
    assert again == declared
    assert benefit.items() <= declared.model_dump(mode="json", by_alias=True)["benefit"].items()


@pytest.mark.parametrize("benefit", BAD)
def test_what_cannot(benefit: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        definition(benefit=benefit)


@pytest.mark.parametrize(
    ("benefit", "place"),
    [
        ({**FIVE, "value": 4.955}, "value"),
        ({**FIVE, "value": 0.5, "currency": "JPY"}, "value"),
        ({"type": "percentage", "value": 10, "max": 0.001, "currency": "EUR"}, "max"),
    ],
)
def test_money_that_its_currency_has_not_is_refused(benefit: dict[str, Any], place: str) -> None:
    when = given().when(PutDefinition(definition=definition(benefit=benefit)))
    when.refused(VoucherRefusal.TOO_MANY_DECIMALS, f"/definition/benefit/{place}")


def test_it_is_pinned_at_issue_and_told_with_the_voucher() -> None:
    """A definition that changes afterwards changes no voucher that exists, as with its texts."""
    world = given(definition(benefit=FIVE)).when(issuing("1"))
    world = world.when(PutDefinition(definition=definition(benefit=TENTH))).when(issuing("2"))
    assert [_worth(world, serial) for serial in ("1", "2")] == [FIVE, TENTH]
    world = world.when(executing(bought("3", use=True), used("1", operation=1)))
    told = CloseTransaction.model_validate(world.told.payload).model_dump(mode="json", by_alias=True)
    assert [each["benefit"] for each in told["issued"]] == [TENTH]
    assert [each["benefit"] for each in told["redeemed"]] == [TENTH, FIVE]
    undone = world.when(reversing(redeemed=("1",), purchased=("3",))).told.payload
    assert [each["benefit"] for each in undone["restored"]] == [FIVE]
    assert [each["benefit"]["type"] for each in undone["voided"]] == ["percentage"]
    assert _worth(given().when(issuing("4")), "4") is None


def _worth(world: World, serial: str) -> Any:
    """As the snapshot shows it; a state comes back as it was stored."""
    view = views(world.voucher(serial))
    assert view is not None
    assert view.value is not None
    return view.value["benefit"]

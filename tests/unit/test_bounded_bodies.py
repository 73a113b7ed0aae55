"""Bodies with too many parts are refused by their number, before any part is looked at (rules 4.2.3)."""

from time import process_time
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.base import Wire
from schemas.contacts import ContactData
from schemas.orders import FulfilOrder, OrderPlacement, PlaceOrder
from schemas.transaction import OPERATIONS_MAX, Transaction

MANY = 85_000
EMPTY: list[dict[str, Any]] = [{}] * MANY
PART = "loyaltyPointDefinitionId"
ORDER = {"order": "W-1", "accountNumber": "6299", "currency": "EUR", "placedAt": "2026-11-22T10:00:00Z"}


@pytest.mark.parametrize(
    ("model", "body", "kind"),
    [
        (Transaction, {"loyaltyPrograms": EMPTY}, "too_long"),
        (Transaction, {"loyaltyPrograms": [{PART: "LOY", "loads": EMPTY}]}, "too_many_operations"),
        (Transaction, {"loyaltyPrograms": [{"loads": EMPTY[:90], "what": EMPTY[:90]}] * 100}, "too_many_operations"),
        (Transaction, {"voucherRedemptions": EMPTY}, "too_long"),
        (
            OrderPlacement,
            {**ORDER, "lines": [], "loyaltyPrograms": [{PART: "L", "loads": EMPTY}]},
            "too_many_operations",
        ),
        (PlaceOrder, {**ORDER, "lines": EMPTY}, "too_long"),
        (PlaceOrder, {**ORDER, "lines": [], "payments": EMPTY}, "too_long"),
        (FulfilOrder, {"order": "W-1", "accountNumber": "6299", "fact": "F-1", "lines": EMPTY}, "too_long"),
        (ContactData, {"addresses": EMPTY}, "too_long"),
    ],
)
def test_many_empty_objects_are_refused_at_once(model: type[Wire], body: dict[str, Any], kind: str) -> None:
    began = process_time()
    with pytest.raises(ValidationError) as raised:
        model.model_validate(body)
    assert process_time() - began < 0.05
    assert [error["type"] for error in raised.value.errors()] == [kind]


def transaction(loads: int, vouchers: int, parts: int = 2) -> dict[str, Any]:
    each = {PART: "LOY", "loads": [{"value": 1}] * (loads // parts)}
    return {"loyaltyPrograms": [each] * parts, "voucherRedemptions": [{"serialId": "1"}] * vouchers}


def test_operations_count_over_all_programmes_and_vouchers() -> None:
    Transaction.model_validate(transaction(60, 40))
    for body in (transaction(60, 41), transaction(102, 0), transaction(10_000, 0, 100)):
        with pytest.raises(ValidationError, match=f"at most {OPERATIONS_MAX} operations in all"):
            Transaction.model_validate(body)
    with pytest.raises(ValidationError, match="operations in all"):
        OrderPlacement.model_validate({**ORDER, "lines": [], **transaction(60, 41)})

"""The body of Post Transaction: the union of the LoyaltyVault document's and the CRM document's.

Used as it is over HTTP, on `oms.fulfilments` and, with the account's number, as a command of the points service.
"""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from schemas.base import Amount, AtMost, Instant, Wire
from schemas.text import Comment, Key, Text

OPERATIONS_MAX = 100
"""The loads, redemptions, purchases and vouchers of one transaction, over all its programmes (rules 4.2.3)."""

MISSPELT = {"loyaltypointdefinitionld": "loyaltyPointDefinitionId", "shopld": "shopId"}
"""The two keys that the document's own OMS example misspells (a lower-case L for a capital I), folded."""


class Load(Wire):
    """Points to book as a credit; zero is a no-op, negative is refused by the rules."""

    value: Amount
    balance_expires_at: Instant | None = None
    account_expires_at: Instant | None = None


class Redemption(Wire):
    """Points to take; zero is a no-op, negative is refused by the rules."""

    value: Amount


class Purchase(Wire):
    """A voucher to buy with points; its price is never among the redemptions."""

    voucher_id: Key
    use: StrictBool = False
    valid_from: Instant | None = None
    expires_at: Instant | None = None


class VoucherRedemption(Wire):
    """A voucher to redeem, or with `void` to make unusable."""

    serial_id: Key
    void: StrictBool = False


_Loads = Annotated[tuple[Load, ...], AtMost(OPERATIONS_MAX)]
_Redemptions = Annotated[tuple[Redemption, ...], AtMost(OPERATIONS_MAX)]
_Purchases = Annotated[tuple[Purchase, ...], AtMost(OPERATIONS_MAX)]
VoucherRedemptions = Annotated[tuple[VoucherRedemption, ...], AtMost(OPERATIONS_MAX)]


class ProgrammePart(Wire):
    """What a transaction does in one programme."""

    loyalty_point_definition_id: Key
    loads: _Loads = ()
    redemptions: _Redemptions = ()
    purchases: _Purchases = ()
    voucher_redemptions: VoucherRedemptions = ()


def _counted(value: Any) -> Any:
    """Count what all programmes do together before any of it is looked at."""
    if isinstance(value, list | tuple):
        count = sum(len(each) for part in value if isinstance(part, dict) for each in part.values() if _many(each))
        _few_enough(count)
    return value


def _many(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _few_enough(count: int) -> None:
    if count > OPERATIONS_MAX:
        fields = {"max_length": OPERATIONS_MAX, "actual_length": count}
        raise PydanticCustomError(
            "too_many_operations",
            "a transaction has at most {max_length} operations in all, not {actual_length}",
            fields,
        )


ProgrammeParts = Annotated[tuple[ProgrammePart, ...], AtMost(OPERATIONS_MAX), BeforeValidator(_counted)]


def check_operations(
    parts: tuple[ProgrammePart, ...], vouchers: tuple[VoucherRedemption, ...], giftcards: int = 0
) -> None:
    """Refuse a transaction of more operations than one may have, so many of them with gift cards.

    :raises PydanticCustomError: it has more.
    """
    lists = [each for it in parts for each in (it.loads, it.redemptions, it.purchases, it.voucher_redemptions)]
    _few_enough(sum(map(len, lists)) + len(vouchers) + giftcards)


class Context(Wire):
    """Where it happened. `occurred_at` is ours: the time of the fact at an offline till."""

    receipt_nr: Text | None = None
    shop_id: Text | None = None
    pos_id: Text | None = None
    operator_id: Text | None = None
    comment: Comment | None = None
    utc_offset: Text | None = None
    occurred_at: Instant | None = None


class Transaction(Wire):
    """Operations over several programmes and vouchers, processed as one; at most a hundred in all."""

    loyalty_programs: ProgrammeParts = ()
    voucher_redemptions: VoucherRedemptions = ()
    context: Context = Context()

    @model_validator(mode="after")
    def _few(self) -> Self:
        check_operations(self.loyalty_programs, self.voucher_redemptions)
        return self


def example() -> dict[str, Any]:
    """A transaction with one load and one redemption, for the generated documents."""
    return {
        "loyaltyPrograms": [
            {
                "loyaltyPointDefinitionId": "LOY22-BuyVouchers",
                "loads": [{"value": 1000}],
                "redemptions": [{"value": 250}],
            }
        ],
        "context": {"receiptNr": "R-1001", "shopId": "Webshop"},
    }

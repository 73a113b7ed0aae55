"""The body of Post Transaction: the union of the LoyaltyVault document's and the CRM document's (`seeds/003`, `000`).

Used as it is over HTTP, on `oms.fulfilments` and, with the account's number, as a command of the points service.
"""

from typing import Annotated, Any

from pydantic import Field, StrictBool

from schemas.base import Amount, Instant, Key, Text, Wire

OPERATIONS_MAX = 100

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


_Loads = Annotated[tuple[Load, ...], Field(max_length=OPERATIONS_MAX)]
_Redemptions = Annotated[tuple[Redemption, ...], Field(max_length=OPERATIONS_MAX)]
_Purchases = Annotated[tuple[Purchase, ...], Field(max_length=OPERATIONS_MAX)]
_VoucherRedemptions = Annotated[tuple[VoucherRedemption, ...], Field(max_length=OPERATIONS_MAX)]


class ProgrammePart(Wire):
    """What a transaction does in one programme."""

    loyalty_point_definition_id: Key
    loads: _Loads = ()
    redemptions: _Redemptions = ()
    purchases: _Purchases = ()
    voucher_redemptions: _VoucherRedemptions = ()


class Context(Wire):
    """Where it happened. `occurred_at` is ours: the time of the fact at an offline till."""

    receipt_nr: Text | None = None
    shop_id: Text | None = None
    pos_id: Text | None = None
    operator_id: Text | None = None
    comment: Annotated[str, Field(max_length=1000)] | None = None
    utc_offset: Text | None = None
    occurred_at: Instant | None = None


class Transaction(Wire):
    """Operations over several programmes and vouchers, processed as one."""

    loyalty_programs: Annotated[tuple[ProgrammePart, ...], Field(max_length=OPERATIONS_MAX)] = ()
    voucher_redemptions: _VoucherRedemptions = ()
    context: Context = Context()


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

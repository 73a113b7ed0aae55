"""Posting transactions, which several families offer: body, responses and check of scopes (rules 4.2)."""

from functools import partial
from typing import Annotated

from schemas.transaction import MISSPELT, Transaction, example
from services.edge.auth.tokens import Caller
from services.edge.families.models import TransactionAnswer
from services.edge.families.preview_models import PreviewAnswer
from services.edge.http.bodies import Body, case_insensitive_body
from services.edge.http.documenting import success_responses

POST_TRANSACTION = "points.post_transaction.v1"

_POINTS = {
    "transactionId": "0199d2a5-7c00-7000-8000-000000000001",
    "balances": [{"loyaltyProgramId": "LOY22-BuyVouchers", "pointsBalance": 4200}],
    "issuedVouchers": [],
    "redeemedVouchers": [],
    "voidedVouchers": [],
}
_REDEEMED = {
    "operation": 0,
    "serialId": "6666160395443995410",
    "voucherId": "VOUCHER-5",
    "programme": None,
    "benefit": {"type": "amount", "value": 5, "currency": "EUR"},
}
_BOUGHT = {
    "operation": 1,
    "serialId": "6666160395443995428",
    "voucherId": "VOUCHER-5",
    "programme": "LOY22-BuyVouchers",
    "validFrom": "2026-11-22T10:00:00.000Z",
    "expiresAt": "2027-11-22T23:00:00.000Z",
    "state": "issued",
}
_ANSWERS = {
    "points": {"summary": "Points were loaded and redeemed", "value": _POINTS},
    "vouchers": {
        "summary": "A voucher was redeemed, another bought",
        "value": {**_POINTS, "issuedVouchers": [_BOUGHT], "redeemedVouchers": [_REDEEMED]},
    },
}
BOOKED = partial(success_responses, TransactionAnswer, "All of it is booked.", examples=_ANSWERS)
_PREVIEW = {
    "balances": [{"loyaltyProgramId": "LOY22-BuyVouchers", "pointsBalanceBefore": 3700, "pointsBalance": 4200}],
    "issuedVouchers": [],
    "redeemedVouchers": [],
    "voidedVouchers": [],
    "tiers": [{"tierSet": "LEVELS", "before": "BASIC", "after": "SILVER"}],
}
PREVIEWED = partial(
    success_responses,
    PreviewAnswer,
    "It would be accepted, with this result. Nothing was booked.",
    examples={"load": {"summary": "Points would be loaded", "value": _PREVIEW}},
)
_OMS = {
    "LoyaltyPrograms": [{"LoyaltyPointDefinitionId": "LOY22-BuyVouchers", "Loads": [{"Value": 1000}]}],
    "Context": {"ShopId": "Webshop", "Comment": "Order 12345 fulfilled"},
}
TransactionBody = Annotated[
    Body[Transaction],
    case_insensitive_body(
        Transaction,
        MISSPELT,
        till={"summary": "A load and a redemption", "value": example()},
        oms={"summary": "An order was fulfilled; keys come in any case", "value": _OMS},
    ),
]


def check_voids(caller: Caller, transaction: Transaction) -> None:
    """Require the scope `api_void` for a transaction that voids vouchers (rules 4.2.1).

    :raises Problem: `insufficient_scope`.
    """
    in_programmes = [each for part in transaction.loyalty_programs for each in part.voucher_redemptions]
    if any(redemption.void for redemption in (*in_programmes, *transaction.voucher_redemptions)):
        caller.need("api_void")

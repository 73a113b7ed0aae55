"""What posting a transaction is, whichever document describes it: of an account, or of a customer (rules 4.2)."""

from typing import Any

from starlette.requests import Request

from schemas.transaction import MISSPELT, Transaction, example
from services.edge.auth.tokens import Caller
from services.edge.edge import Edge
from services.edge.families.preview_models import PreviewAnswer
from services.edge.http import bodies
from services.edge.http.models import TransactionAnswer
from shared.hashing import canonical

POST_TRANSACTION = "points.post_transaction.v1"

RULES = (
    "programme_unknown",
    "programme_retired",
    "account_unknown",
    "account_spending_blocked",
    "account_suspended",
    "account_closed",
    "order_already_earns",
    "value_negative",
    "too_many_decimals",
    "insufficient_points",
    "load_limit_exceeded",
    "balance_limit_exceeded",
    "too_many_lots",
    "expiry_in_past",
    "voucher_not_offered",
    "transaction_timed_out",
    "too_many_open_transactions",
    "voucher_unknown",
    "voucher_foreign",
    "voucher_void",
    "voucher_redeemed",
    "voucher_expired",
    "voucher_not_yet_valid",
    "programme_mismatch",
    "too_large",
)
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
BOOKED = {
    "model": TransactionAnswer,
    "description": "Booked, all of it.",
    "content": {"application/json": {"examples": _ANSWERS}},
}
_PREVIEW = {
    "balances": [{"loyaltyProgramId": "LOY22-BuyVouchers", "pointsBalanceBefore": 3700, "pointsBalance": 4200}],
    "issuedVouchers": [],
    "redeemedVouchers": [],
    "voidedVouchers": [],
    "tiers": [{"tierSet": "LEVELS", "before": "BASIC", "after": "SILVER"}],
}
PREVIEWED = {
    "model": PreviewAnswer,
    "description": "It would be accepted, and this is what it would come to. Nothing was done.",
    "content": {"application/json": {"example": _PREVIEW}},
}
PREVIEW_RULES = tuple(rule for rule in RULES if rule != "transaction_timed_out")
_OMS = {
    "LoyaltyPrograms": [{"LoyaltyPointDefinitionId": "LOY22-BuyVouchers", "Loads": [{"Value": 1000}]}],
    "Context": {"ShopId": "Webshop", "Comment": "Order 12345 fulfilled"},
}
EXAMPLES = {
    "till": {"summary": "A load and a redemption", "value": example()},
    "oms": {"summary": "An order was fulfilled; keys come in any case", "value": _OMS},
}


async def transaction_of(edge: Edge, request: Request, caller: Caller) -> tuple[dict[str, Any], str | bytes]:
    """The body as the command has it, but for the account's number; and what was said, for recognising a repeat.

    :raises Problem: it is malformed, or voids a voucher and the caller may not (`insufficient_scope`; rules 4.2.1).
    """
    raw = await bodies.read(request, edge.settings.record_bytes_max)
    said = bodies.folded(raw, Transaction, MISSPELT)
    transaction = bodies.validated(Transaction, said)
    in_programmes = [each for part in transaction.loyalty_programs for each in part.voucher_redemptions]
    if any(redemption.void for redemption in (*in_programmes, *transaction.voucher_redemptions)):
        caller.need("api_void")
    return transaction.model_dump(by_alias=True, exclude_unset=True, exclude_none=True), canonical(said)

"""Post Transaction, as the LoyaltyVault document describes it (`seeds/003`; RULES 4.2)."""

import re

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from schemas.transaction import MISSPELT, Transaction, example
from services.edge import bodies
from services.edge.documents import TransactionAnswer
from services.edge.edge import Edge
from services.edge.routes.commands import described, send
from services.edge.routes.head import account_number, idempotency_key
from services.edge.tokens import Caller
from shared.hashing import canonical

PATH = "/api/v1.0/LoyaltyVault/Account/{accountNumber}/Transaction"

_TRANSACTION: TypeAdapter[Transaction] = TypeAdapter(Transaction)
_RULES = (
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
_ANSWER = {
    "transactionId": "0199d2a5-7c00-7000-8000-000000000001",
    "balances": [{"loyaltyProgramId": "LOY22-BuyVouchers", "pointsBalance": 4200}],
    "issuedVouchers": [],
    "redeemedVouchers": [],
    "voidedVouchers": [],
}
_BOOKED = {
    "model": TransactionAnswer,
    "description": "Booked, all of it.",
    "content": {"application/json": {"example": _ANSWER}},
}
_OMS = {
    "LoyaltyPrograms": [{"LoyaltyPointDefinitionId": "LOY22-BuyVouchers", "Loads": [{"Value": 1000}]}],
    "Context": {"ShopId": "Webshop", "Comment": "Order 12345 fulfilled"},
}
_EXAMPLES = {
    "till": {"summary": "A load and a redemption", "value": example()},
    "oms": {"summary": "An order was fulfilled; keys come in any case", "value": _OMS},
}


def add_routes(app: FastAPI, edge: Edge) -> None:
    """`POST …/LoyaltyVault/Account/{accountNumber}/Transaction`."""

    @app.post(
        PATH,
        tags=["LoyaltyVault"],
        summary="Post a transaction",
        **described("Transaction", _EXAMPLES, _BOOKED, _RULES),
    )
    @edge.access.scoped("api_loyalty")
    async def post_transaction(request: Request, caller: Caller) -> Response:
        """Load and redeem points in one or more programmes, all or nothing: loads first, then redemptions.

        Keys are matched in any case; two keys that are equal after that are refused. A refusal changes nothing and
        points to the first operation that failed.
        """
        key, number = idempotency_key(request.headers), account_number(request)
        raw = await bodies.read(request, edge.settings.record_bytes_max)
        said = bodies.folded(raw, Transaction, MISSPELT)
        transaction = bodies.validated(_TRANSACTION, said)
        value = transaction.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
        command = {"accountNumber": number, **value}
        heard = (PATH, number, canonical(said))
        return await send(edge, caller, "points.post_transaction.v1", number, command, heard, key)

    _in_any_case(app)


def _in_any_case(app: FastAPI) -> None:
    """The document's own callers write the path in several ways."""
    for route in app.routes:
        if isinstance(route, APIRoute) and route.path == PATH:
            route.path_regex = re.compile(route.path_regex.pattern, re.IGNORECASE)

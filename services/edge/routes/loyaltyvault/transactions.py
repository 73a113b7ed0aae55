"""Post Transaction, as the LoyaltyVault document describes it (`seeds/003`; RULES 4.2)."""

import re

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from schemas.transaction import MISSPELT, Transaction, example
from services.edge import bodies
from services.edge.bus import Ask
from services.edge.documents import PendingAnswer, TransactionAnswer
from services.edge.edge import Edge
from services.edge.openapi import COMMAND_PROBLEMS, body, refusals
from services.edge.routes.head import ACCOUNT_NUMBER, IDEMPOTENCY_KEY, account_number, idempotency_key
from shared.hashing import canonical, to_json
from shared.ids import account_id

PATH = "/api/v1.0/LoyaltyVault/Account/{accountNumber}/Transaction"

_TRANSACTION: TypeAdapter[Transaction] = TypeAdapter(Transaction)
_RULES = (
    "programme_unknown",
    "programme_retired",
    "account_unknown",
    "value_negative",
    "too_many_decimals",
    "insufficient_points",
    "load_limit_exceeded",
    "balance_limit_exceeded",
    "too_many_lots",
    "expiry_in_past",
    "vouchers_unavailable",
    "too_large",
)
_ANSWER = {
    "transactionId": "0199d2a5-7c00-7000-8000-000000000001",
    "balances": [{"loyaltyProgramId": "LOY22-BuyVouchers", "pointsBalance": 4200}],
    "issuedVouchers": [],
    "redeemedVouchers": [],
    "voidedVouchers": [],
}
_OMS = {
    "LoyaltyPrograms": [{"LoyaltyPointDefinitionId": "LOY22-BuyVouchers", "Loads": [{"Value": 1000}]}],
    "Context": {"ShopId": "Webshop", "Comment": "Order 12345 fulfilled"},
}


def add_routes(app: FastAPI, edge: Edge) -> None:
    """`POST …/LoyaltyVault/Account/{accountNumber}/Transaction`."""
    store = edge.settings.store

    @app.post(
        PATH,
        tags=["LoyaltyVault"],
        summary="Post a transaction",
        response_class=Response,
        responses={
            200: {
                "model": TransactionAnswer,
                "description": "Booked, all of it.",
                "content": {"application/json": {"example": _ANSWER}},
            },
            202: {"model": PendingAnswer, "description": "On its way; poll the `Location`."},
            **refusals(*COMMAND_PROBLEMS, *_RULES),
        },
        openapi_extra=body(
            "Transaction",
            {
                "till": {"summary": "A load and a redemption", "value": example()},
                "oms": {"summary": "An order was fulfilled; keys come in any case", "value": _OMS},
            },
            ACCOUNT_NUMBER,
            IDEMPOTENCY_KEY,
        ),
    )
    async def post_transaction(request: Request) -> Response:
        """Load and redeem points in one or more programmes, all or nothing: loads first, then redemptions.

        Keys are matched in any case; two keys that are equal after that are refused. A refusal changes nothing and
        points to the first operation that failed.
        """
        key, number = idempotency_key(request.headers), account_number(request)
        raw = await bodies.read(request, edge.settings.record_bytes_max)
        said = bodies.folded(raw, Transaction, MISSPELT)
        transaction = bodies.validated(_TRANSACTION, said)
        value = transaction.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
        return await edge.bus.execute(
            Ask(
                service="points",
                type="points.post_transaction.v1",
                subject=account_id(store, number),
                value=to_json({"accountNumber": number, **value}),
                said=(PATH, number, canonical(said)),
                key=key,
            )
        )

    _in_any_case(app)


def _in_any_case(app: FastAPI) -> None:
    """The document's own callers write the path in several ways."""
    for route in app.routes:
        if isinstance(route, APIRoute) and route.path == PATH:
            route.path_regex = re.compile(route.path_regex.pattern, re.IGNORECASE)

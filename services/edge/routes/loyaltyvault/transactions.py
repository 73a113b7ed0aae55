"""Post Transaction, as the LoyaltyVault document describes it (rules 4.2)."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from services.edge.edge import Edge
from services.edge.routes.commands import described, in_any_case, send
from services.edge.routes.head import account_number, idempotency_key
from services.edge.routes.posting import BOOKED, EXAMPLES, POST_TRANSACTION, RULES, transaction_of
from services.edge.tokens import Caller

PATH = "/api/v1.0/LoyaltyVault/Account/{accountNumber}/Transaction"


def add_routes(app: FastAPI, edge: Edge) -> None:
    """`POST …/LoyaltyVault/Account/{accountNumber}/Transaction`."""

    @app.post(
        PATH, tags=["LoyaltyVault"], summary="Post a transaction", **described("Transaction", EXAMPLES, BOOKED, RULES)
    )
    @edge.access.scoped("api_loyalty")
    async def post_transaction(request: Request, caller: Caller) -> Response:
        """Load and redeem points, buy, redeem and void vouchers, in one or more programmes, all or nothing.

        Loads are first, then redemptions, purchases, and vouchers. Keys are matched in any case; two keys that are
        equal after that are refused. A refusal changes nothing and points to the first operation that failed. Voiding
        needs the scope `api_void` as well.
        """
        key, number = idempotency_key(request.headers), account_number(request)
        value, said = await transaction_of(edge, request, caller)
        command = {"accountNumber": number, **value}
        return await send(edge, caller, POST_TRANSACTION, number, command, (PATH, number, said), key)

    in_any_case(app, PATH)

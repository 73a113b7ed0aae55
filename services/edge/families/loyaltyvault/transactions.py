"""Post Transaction, as the LoyaltyVault document describes it (rules 4.2)."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from schemas.transaction import Transaction
from services.edge.auth.tokens import Caller
from services.edge.bus.previews import preview
from services.edge.edge import Edge
from services.edge.families.posting import (
    BOOKED,
    EXAMPLES,
    POST_TRANSACTION,
    PREVIEW_RULES,
    PREVIEWED,
    RULES,
    transaction_of,
)
from services.edge.http import answers
from services.edge.http.commands import described, described_preview, in_any_case, send
from services.edge.http.head import ACCOUNT_NUMBER, account_number, idempotency_key
from services.edge.http.pointers import SentBody

PATH = "/api/v1.0/LoyaltyVault/Account/{accountNumber}/Transaction"
PREVIEW = PATH + "/preview"


def add_routes(app: FastAPI, edge: Edge) -> None:
    """`POST …/LoyaltyVault/Account/{accountNumber}/Transaction`, and `…/preview`."""

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
        body = SentBody(value, Transaction)
        return await send(edge, caller, POST_TRANSACTION, number, command, (PATH, number, said), key, body)

    @app.post(
        PREVIEW,
        tags=["LoyaltyVault"],
        summary="Preview a transaction",
        **described_preview("Transaction", EXAMPLES, PREVIEWED, PREVIEW_RULES, ACCOUNT_NUMBER),
    )
    @edge.access.scoped("api_loyalty")
    async def preview_transaction(request: Request, caller: Caller) -> Response:
        """Say what a transaction would come to if it were posted now, or how it would be refused; nothing is done.

        It is decided on the account as it is, like a transaction. It promises nothing: until the transaction is posted
        others may spend the points, or use the vouchers. Voiding needs the scope `api_void` as well.
        """
        number = account_number(request)
        value, _ = await transaction_of(edge, request, caller)
        return answers.answer(await preview(edge.bus, caller, number, value))

    in_any_case(app, PATH, PREVIEW)

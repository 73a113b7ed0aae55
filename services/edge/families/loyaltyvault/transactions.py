"""Transactions on an account, as the LoyaltyVault document describes them (rules 4.2)."""

from typing import Annotated

from starlette.responses import Response

from services.edge.auth.principals import LoyaltyClient
from services.edge.bus.previews import Previews
from services.edge.bus.sending import Send, sends
from services.edge.families.posting import BOOKED, POST_TRANSACTION, PREVIEWED, TransactionBody, check_voids
from services.edge.http.parameters import AccountNumber
from services.edge.http.router import CaseInsensitiveRoute, Router

router = Router("LoyaltyVault", "/api/v1.0/LoyaltyVault/Account/{accountNumber}", CaseInsensitiveRoute)


@router.post("/Transaction", summary="Post a transaction", responses=BOOKED())
async def post_transaction(
    caller: LoyaltyClient,
    number: AccountNumber,
    body: TransactionBody,
    send: Annotated[Send, sends(POST_TRANSACTION)],
) -> Response:
    """Load and redeem points, buy, redeem and void vouchers, in one or more programmes, all or nothing.

    Loads are processed first, then redemptions, purchases, and vouchers. Keys are matched in any case; two keys that
    differ only in case are refused. A refusal changes nothing and points to the first operation that failed. Voiding
    needs the scope `api_void` as well.
    """
    check_voids(caller, body.value)
    return await send.to_account(caller, number, body.command(), body)


@router.post("/Transaction/preview", summary="Preview a transaction", responses=PREVIEWED())
async def preview_transaction(
    caller: LoyaltyClient, number: AccountNumber, body: TransactionBody, preview: Previews
) -> Response:
    """What a transaction would do if it were posted now, or how it would be refused; nothing is booked.

    It is decided on the account's present state. It reserves nothing: until the transaction is posted, others may spend
    the points or use the vouchers. Voiding needs the scope `api_void` as well.
    """
    check_voids(caller, body.value)
    return await preview(caller, number, body)

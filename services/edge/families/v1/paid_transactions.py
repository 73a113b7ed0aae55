"""Transactions of an account that gift cards may pay, as no document has them (rules 4.2)."""

from functools import partial
from typing import Annotated, Any

from fastapi import Depends
from starlette.responses import Response

from schemas.refusal_codes import PAYING
from schemas.transaction import example
from services.edge.auth.principals import LoyaltyClient
from services.edge.auth.shoppers import Shopper
from services.edge.auth.tokens import Caller
from services.edge.bus.previews import Preview, TransactionPreview
from services.edge.bus.sending import Send, sends
from services.edge.edge import Edge
from services.edge.families.giftcard.identifying import card_id_of
from services.edge.families.posting import POST_TRANSACTION, PREVIEWED, check_voids
from services.edge.families.v1.models.transactions import PaidTransaction, PaidTransactionAnswer
from services.edge.http.bodies import Body, json_body
from services.edge.http.dependencies import EdgeDependency
from services.edge.http.documenting import success_responses
from services.edge.http.parameters import AccountNumber
from services.edge.http.problems import Problem
from services.edge.http.router import Router

router = Router("Accounts", "/v1/accounts/{accountNumber}/transactions")

_CARD = {"serialNumber": "100200300", "scratchCode": "AB12-CD34-EF56-GH78", "amount": 25, "currency": "EUR"}
_PAID = {
    "transactionId": "0199d2a5-7c00-7000-8000-000000000001",
    "balances": [{"loyaltyProgramId": "LOY22-BuyVouchers", "pointsBalance": 4200}],
    "issuedVouchers": [],
    "redeemedVouchers": [],
    "voidedVouchers": [],
    "giftcards": [{"operation": 2, "cardId": "9900000000000000017", "amount": 25.0, "currency": "EUR"}],
}
_BOOKED = partial(
    success_responses,
    PaidTransactionAnswer,
    "All of it is booked.",
    examples={"paid": {"summary": "Points were loaded and redeemed, and a gift card paid", "value": _PAID}},
)
PaidTransactionBody = Annotated[
    Body[PaidTransaction],
    json_body(
        PaidTransaction,
        paid={"summary": "Points and a gift card", "value": {**example(), "giftcards": [_CARD]}},
        card={"summary": "A gift card alone", "value": {"giftcards": [{"cardId": "9900000000000000017", "amount": 5}]}},
    ),
]


@router.post("", summary="Post a transaction, with gift cards", responses=_BOOKED())
async def post_paid_transaction(
    caller: LoyaltyClient,
    number: AccountNumber,
    body: PaidTransactionBody,
    shopper: Shopper,
    edge: EdgeDependency,
    send: Annotated[Send, sends(POST_TRANSACTION, *PAYING)],
) -> Response:
    """Load and redeem points, buy, redeem and void vouchers, and pay with gift cards: all of it, or nothing.

    Gift cards come last, and pay exactly their amount, or refuse the transaction. Their balances are less from the
    moment on at which they have agreed; the payment stands in their history a moment after the response. With gift
    cards the scope `api_switch` is needed as well, and for voiding vouchers `api_void`.
    """
    return await send.to_account(caller, number, await _command(edge, caller, shopper, body), body)


@router.post("/preview", summary="Preview a transaction, with gift cards", responses=PREVIEWED())
async def preview_paid_transaction(
    caller: LoyaltyClient,
    number: AccountNumber,
    body: PaidTransactionBody,
    shopper: Shopper,
    edge: EdgeDependency,
    preview: Annotated[Preview, Depends(TransactionPreview(*PAYING))],
) -> Response:
    """What a transaction would do if it were posted now, or how it would be refused; nothing is booked or reserved.

    Each gift card is asked by itself: two payments with one card that exceed its balance together are not noticed.
    """
    return await preview(caller, number, body, await _command(edge, caller, shopper, body))


async def _command(edge: Edge, caller: Caller, shopper: str | None, body: Body[PaidTransaction]) -> dict[str, Any]:
    """The command, in which each gift card is named by its id; scratch codes are checked here and go no further.

    :raises Problem: `insufficient_scope`, `gift_card_unknown`, or `too_many_wrong_codes`.
    :raises Unavailable: the views cannot be reached.
    """
    check_voids(caller, body.value)
    command = body.command()
    if not body.value.giftcards:
        return command
    caller.need("api_switch")
    cards = []
    for at, (payment, sent) in enumerate(zip(body.value.giftcards, command["giftcards"], strict=True)):
        try:
            card_id = await card_id_of(edge, caller, shopper, payment.named())
        except Problem as problem:
            problem.pointer = f"/giftcards/{at}{problem.pointer or ''}"
            raise
        cards.append({"cardId": card_id, **{name: sent[name] for name in ("amount", "currency") if name in sent}})
    return {**command, "giftcards": cards}

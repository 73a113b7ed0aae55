"""Gift cards, as the gift card document describes them (rules 4.4)."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

from starlette.responses import Response

from services.edge.auth.principals import SwitchClient
from services.edge.auth.shoppers import Shopper
from services.edge.auth.tokens import Caller
from services.edge.bus.sending import Send, sends
from services.edge.edge import Edge
from services.edge.families.giftcard.answering import current_card, shown_card
from services.edge.families.giftcard.examples import ACTIVATED, BALANCE, CANCELLED, REDEEMED, TRANSACTION
from services.edge.families.giftcard.identifying import card_id_of, card_named
from services.edge.families.giftcard.models import (
    ActivateRequest,
    BalanceRequest,
    CancelRequest,
    RedeemRequest,
)
from services.edge.families.giftcard.mutating import check_key, mutation_of
from services.edge.families.giftcard.till import Till
from services.edge.http.answers import answer
from services.edge.http.bodies import Body, case_insensitive_body
from services.edge.http.dependencies import EdgeDependency
from services.edge.http.router import CaseInsensitiveRoute, Router
from shared.ids import mutation_id

router = Router("Gift cards", "/api/v1.0/Switch/giftcard", CaseInsensitiveRoute)

_CARD = {"cardId": "9900000000000000017"}
_CODED = {"serialNumber": "100200300", "scratchCode": "K7QM-2F9X-4T8W-Z3RB"}
_NOTED = {"transactionId": TRANSACTION, "operatorId": "17", "comment": "a birthday"}

BalanceBody = Annotated[
    Body[BalanceRequest],
    case_insensitive_body(
        BalanceRequest,
        card={"summary": "By card id, with history", "value": {**_CARD, "history": "condensed"}},
        coded={"summary": "By serial number and scratch code", "value": {**_CODED, "switchId": "TREAZURE"}},
    ),
]
ActivateBody = Annotated[
    Body[ActivateRequest],
    case_insensitive_body(
        ActivateRequest,
        load={"summary": "A card is sold", "value": {**_CARD, "amount": 25, "currency": "EUR", **_NOTED}},
    ),
]
RedeemBody = Annotated[
    Body[RedeemRequest],
    case_insensitive_body(
        RedeemRequest,
        pay={"summary": "Pay at a till", "value": {**_CARD, "amount": 10, "currency": "EUR", **_NOTED}},
        part={"summary": "As much as there is", "value": {**_CARD, "amount": 40, "allowPartial": True}},
        coded={"summary": "Pay in a web shop", "value": {**_CODED, "amount": 10, "transactionId": TRANSACTION}},
    ),
]
CancelBody = Annotated[
    Body[CancelRequest],
    case_insensitive_body(
        CancelRequest,
        named={"summary": "Of a transaction, from any till", "value": {**_CARD, "transactionId": TRANSACTION}},
        own={"summary": "Of the till's own receipt, which the headers name", "value": _CARD},
    ),
]


@router.post("/GetBalance", summary="Get a gift card", responses=BALANCE("gift_card_unknown"))
async def get_gift_card_balance(
    caller: SwitchClient, body: BalanceBody, till: Till, shopper: Shopper, edge: EdgeDependency
) -> Response:
    """The card, and as much of its history as `history` asks for: `none`, `condensed` or `regular`.

    Regular has every booking; condensed leaves out mutations that were cancelled, and their cancels. Both have the
    newest 100 entries, newest first; `/v1/giftcards/{serialNumber}/history` has all.
    """
    card = await card_named(edge, caller, shopper, body.value)
    return answer(await shown_card(edge.views, caller.store, card, body.value.history))


@router.post("/Activate", summary="Activate or load a gift card", responses=ACTIVATED())
async def activate_gift_card(
    caller: SwitchClient,
    body: ActivateBody,
    till: Till,
    shopper: Shopper,
    send: Annotated[Send, sends("giftcard.activate.v1")],
    edge: EdgeDependency,
) -> Response:
    """Load a card that is for sale; one that has been loaded, where its type allows that.

    A request with the same `transactionId` is the same request, as with an `Idempotency-Key`.
    """
    return await _mutate(
        edge, caller, shopper, body, till, send, currency=body.value.currency, amount=body.value.amount
    )


@router.post("/Activate/Cancel", summary="Cancel an activation", responses=CANCELLED())
async def cancel_gift_card_activation(
    caller: SwitchClient,
    body: CancelBody,
    till: Till,
    shopper: Shopper,
    send: Annotated[Send, sends("giftcard.cancel.v1")],
    edge: EdgeDependency,
) -> Response:
    """Undo the activation, or the issue, that is the card's latest mutation; an issued card becomes void.

    With its `transactionId` from any till, also before it has arrived; without, it must have the same `SiteId`,
    `PosId` and `ReceiptReference`.
    """
    return await _cancel(edge, caller, shopper, body, till, send, "activate")


@router.post("/Redeem", summary="Pay with a gift card", responses=REDEEMED())
async def redeem_gift_card(
    caller: SwitchClient,
    body: RedeemBody,
    till: Till,
    shopper: Shopper,
    send: Annotated[Send, sends("giftcard.redeem.v1")],
    edge: EdgeDependency,
) -> Response:
    """Take an amount from a card. More than its balance is declined; with `allowPartial` what there is is taken.

    `amount` of the response is what was taken. A request with the same `transactionId` is the same request, as with an
    `Idempotency-Key`.
    """
    asked = body.value
    partial_too = {"allowPartial": True} if asked.allow_partial else {}
    return await _mutate(
        edge, caller, shopper, body, till, send, currency=asked.currency, amount=asked.amount, **partial_too
    )


@router.post("/Redeem/Cancel", summary="Cancel a redemption", responses=CANCELLED())
async def cancel_gift_card_redemption(
    caller: SwitchClient,
    body: CancelBody,
    till: Till,
    shopper: Shopper,
    send: Annotated[Send, sends("giftcard.cancel.v1")],
    edge: EdgeDependency,
) -> Response:
    """Undo the redemption that is the card's latest mutation.

    With its `transactionId` from any till, also before it has arrived; without, it must have the same `SiteId`,
    `PosId` and `ReceiptReference`.
    """
    return await _cancel(edge, caller, shopper, body, till, send, "redeem")


async def _mutate(
    edge: Edge,
    caller: Caller,
    shopper: str | None,
    body: Body[ActivateRequest] | Body[RedeemRequest],
    till: Mapping[str, str],
    send: Send,
    **values: Any,
) -> Response:
    """Send a mutation, whose id follows from its caller's transaction id if it has one."""
    named, transaction = body.value, body.value.transaction_id
    check_key(send, transaction)
    card_id = await card_id_of(edge, caller, shopper, named)
    return await send(
        caller,
        card_id,
        mutation_of(named, card_id, till, **values),
        _pointing(body),
        partial(current_card, edge.views, caller.store, named.history),
        headers=till,
        command_id=None if transaction is None else mutation_id(caller.store, card_id, transaction),
    )


async def _cancel(
    edge: Edge,
    caller: Caller,
    shopper: str | None,
    body: Body[CancelRequest],
    till: Mapping[str, str],
    send: Send,
    mutation: Literal["activate", "redeem"],
) -> Response:
    named = body.value
    card_id = await card_id_of(edge, caller, shopper, named)
    value = mutation_of(named, card_id, till, mutation=mutation)
    show = partial(current_card, edge.views, caller.store, named.history)
    return await send(caller, card_id, value, _pointing(body), show, headers=till)


def _pointing(body: Body[Any]) -> Body[Any]:
    """The body, to whose card refusals point as it names it."""
    return body if body.value.card_id is not None else body.renamed_by({"cardId": "serialNumber"})

"""Issuing virtual gift cards (rules 4.4.2, 4.4.5)."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from starlette.responses import Response

from schemas.giftcards import CodeSource
from schemas.scratch_codes import DrawnCard, derived_code, drawn_card, drawn_code, random_card
from services.edge.auth.principals import SwitchClient
from services.edge.auth.tokens import Caller
from services.edge.bus.sending import Send, sends
from services.edge.edge import Edge
from services.edge.families.giftcard.answering import current_card
from services.edge.families.giftcard.examples import ISSUED, TRANSACTION
from services.edge.families.giftcard.models import HistoryDetail, IssueRequest
from services.edge.families.giftcard.mutating import check_key, mutation_of
from services.edge.families.giftcard.till import Till
from services.edge.http.bodies import Body, case_insensitive_body
from services.edge.http.dependencies import EdgeDependency
from services.edge.http.problems import Problem
from services.edge.http.router import CaseInsensitiveRoute, Router
from shared.ids import mutation_id

router = Router("Gift cards", "/api/v1.0/Switch/giftcard", CaseInsensitiveRoute)

IssueBody = Annotated[
    Body[IssueRequest],
    case_insensitive_body(
        IssueRequest,
        gift={
            "summary": "A web shop sells a card",
            "value": {"cardType": "EUR-GIFT", "amount": 25, "currency": "EUR", "transactionId": TRANSACTION},
        },
        only={"summary": "Of the one type that fits", "value": {"amount": 25, "currency": "EUR"}},
    ),
]


@router.post("/Issue", summary="Issue a virtual gift card", responses=ISSUED("card_type_required"))
async def issue_gift_card(
    caller: SwitchClient,
    body: IssueBody,
    till: Till,
    send: Annotated[Send, sends("giftcard.issue.v1")],
    edge: EdgeDependency,
) -> Response:
    """Issue a card with a balance. `cardType` may be left out when one active type fits `currency` and `switchId`.

    The response has the scratch code, and no other call does. A request with the same `transactionId` by the same
    client is the same request, as with an `Idempotency-Key`: it answers the same card, with its code.
    """
    asked = body.value
    check_key(send, asked.transaction_id)
    drawn = _drawn_card(edge, caller, send, asked.transaction_id)
    value = mutation_of(
        asked,
        drawn.card_id,
        till,
        serialNumber=drawn.serial_number,
        cardType=await _card_type(edge, caller.store, asked, drawn.card_id),
        code=drawn_code(edge.code_keys).model_dump(exclude_none=True),
        amount=asked.amount,
        currency=asked.currency,
    )
    transaction = asked.transaction_id
    return await send(
        caller,
        drawn.card_id,
        value,
        body,
        partial(_issued_card, edge, caller.store, asked.history),
        headers=till,
        command_id=None if transaction is None else mutation_id(caller.store, drawn.card_id, transaction),
    )


def _drawn_card(edge: Edge, caller: Caller, send: Send, transaction_id: str | None) -> DrawnCard:
    """The ids of the new card, which are the same for a retry."""
    secret = edge.settings.secret.get_secret_value().encode()
    if transaction_id is not None:
        return drawn_card(secret, caller.store, "transaction", caller.client, transaction_id)
    return random_card() if send.key is None else drawn_card(secret, caller.store, "key", caller.client, send.key)


async def _card_type(edge: Edge, store: str, asked: IssueRequest, card_id: str) -> str:
    """The type that is named; or that of the card, which a retry finds; or the one active type that fits.

    :raises Problem: `card_type_required`.
    :raises Unavailable: the views cannot be reached.
    """
    if asked.card_type is not None:
        return asked.card_type
    fitting = [
        code
        for code, each in edge.views.catalogue.known(store).card_types.items()
        if each["state"] == "active"
        and asked.currency in (None, each["currency"])
        and asked.switch_id in (None, each["switchId"])
    ]
    if len(fitting) == 1:
        return fitting[0]
    if (card := await edge.views.giftcards.one(store, card_id)) is not None:
        issued: str = card["cardType"]
        return issued
    which = "no active card type fits" if not fitting else f"{len(fitting)} active card types fit"
    raise Problem("card_type_required", f"Name the cardType: {which} this request.", pointer="/cardType")


async def _issued_card(
    edge: Edge, store: str, detail: HistoryDetail, result: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The issued card with its scratch code; None while the views do not have it."""
    shown = await current_card(edge.views, store, detail, result)
    card = await edge.views.giftcards.one(store, result["cardId"])
    if shown is None or card is None:
        return None
    return {**shown, "scratchCode": derived_code(edge.code_keys, store, card["cardId"], CodeSource(**card["code"]))}

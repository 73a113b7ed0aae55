"""Gift cards for support staff: look-up without the scratch code, history, voiding, refunding (rules 4.4)."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from starlette.requests import Request
from starlette.responses import Response

from services.edge.auth.principals import Administrator
from services.edge.auth.scratch_codes import unknown_card
from services.edge.auth.tokens import Caller
from services.edge.bus.sending import Send, sends
from services.edge.families.gift_cards import history_behind
from services.edge.families.v1.models.giftcards import (
    GiftCardEnded,
    GiftCardEnding,
    GiftCardHistoryAnswer,
    GiftCardSearch,
    GiftCardState,
)
from services.edge.families.v1.presenting import giftcard_of, mutation_of
from services.edge.http import cursors
from services.edge.http.answers import answer, to_whole_units
from services.edge.http.bodies import Body, json_body
from services.edge.http.dependencies import EdgeDependency, ViewsDependency
from services.edge.http.documenting import success_responses
from services.edge.http.paging import SIZE, Cursor, PageSize, invalid_cursor, next_page
from services.edge.http.parameters import SerialNumber
from services.edge.http.router import Router
from services.edge.views.views import Views
from shared.decider import Document

router = Router("Gift cards", "/v1/giftcards")

_STATE: dict[str, Any] = {
    "cardId": "9900000000000000017",
    "serialNumber": "100200300",
    "cardType": "EUR-GIFT",
    "status": "active",
    "balance": 15,
    "currency": "EUR",
    "expiresAt": "2029-11-22T23:00:00.000Z",
    "articleSetCode": "BOOKS",
    "switchId": "TREAZURE",
    "sequence": 2,
    "changedAt": "2026-11-22T10:00:01.123Z",
}
_MUTATION: dict[str, Any] = {
    "sequence": 2,
    "kind": "redeem",
    "oldStatus": "active",
    "newStatus": "active",
    "delta": -10,
    "balance": 15,
    "transactionId": "R-1001-4",
    "cancels": None,
    "source": {"order": None, "receipt": "R-1001", "shop": "12", "till": "3", "operator": "17"},
    "comment": None,
    "reason": None,
    "occurredAt": "2026-11-22T10:00:01.123Z",
    "bookedAt": "2026-11-22T10:00:01.123Z",
}
_HISTORY = {"cardId": _STATE["cardId"], "serialNumber": "100200300", "mutations": [_MUTATION], "next": None}
_ENDED = {**_STATE, "balance": 0, "sequence": 3, "transactionId": "0199d2a5-7c00-7000-8000-000000000001", "amount": 15}


def _responses(model: Any, description: str, example: dict[str, Any]) -> Any:
    examples = {"card": {"summary": description, "value": example}}
    return success_responses(model, description, "gift_card_unknown", examples=examples)


_FOUND = _responses(GiftCardState, "The card as it is now.", _STATE)
SearchBody = Annotated[
    Body[GiftCardSearch],
    json_body(
        GiftCardSearch,
        card={"summary": "By card id", "value": {"cardId": "9900000000000000017"}},
        serial={"summary": "By serial number", "value": {"serialNumber": "100200300"}},
    ),
]
EndingBody = Annotated[
    Body[GiftCardEnding],
    json_body(GiftCardEnding, lost={"summary": "A lost card", "value": {"reason": "reported lost"}}),
]


@router.post("/find", summary="Find a gift card", responses=_FOUND)
async def find_gift_card(caller: Administrator, body: SearchBody, views: ViewsDependency) -> Response:
    """Find a card without its scratch code, by card id or by serial number."""
    asked = body.value
    if asked.card_id is None:
        return answer(giftcard_of(await _existing(views, caller, asked.serial_number or "", "/serialNumber")))
    card = await views.giftcards.one(caller.store, asked.card_id)
    if card is None:
        raise unknown_card("/cardId")
    return answer(giftcard_of(card))


@router.get("/{serialNumber}", summary="Get a gift card's state", responses=_FOUND)
async def get_gift_card(caller: Administrator, number: SerialNumber, views: ViewsDependency) -> Response:
    """The card with this serial number, without its scratch code."""
    return answer(giftcard_of(await _existing(views, caller, number)))


@router.get(
    "/{serialNumber}/history",
    summary="List a gift card's history",
    responses=_responses(GiftCardHistoryAnswer, "A page of the history, and where the next one is.", _HISTORY),
)
async def list_gift_card_history(
    request: Request,
    caller: Administrator,
    number: SerialNumber,
    edge: EdgeDependency,
    size: PageSize = SIZE,
    cursor: Cursor = None,
) -> Response:
    """All mutations of the card, newest first; follow `next` until it is null. New ones come before the first page."""
    card = await _existing(edge.views, caller, number)
    secret, card_id, up_to = edge.settings.secret.get_secret_value().encode(), card["cardId"], card["sequence"]
    if cursor is not None:
        last = cursors.read_card(secret, caller.store, card_id, cursor)
        if last is None:
            raise invalid_cursor()
        up_to = last - 1
    changes = await edge.views.giftcard_history.page(caller.store, card_id, up_to, size)
    if changes is None:
        raise history_behind()
    more = bool(changes) and changes[-1]["sequence"] > 1
    place = cursors.write_card(secret, caller.store, card_id, changes[-1]["sequence"]) if more else ""
    return answer(
        {
            "cardId": card_id,
            "serialNumber": card["serialNumber"],
            "mutations": [mutation_of(change) for change in changes],
            "next": next_page(request, "cursor", place) if more else None,
        }
    )


@router.post(
    "/{serialNumber}/void",
    summary="Void a gift card",
    responses=_responses(GiftCardEnded, "The card is void.", {**_ENDED, "status": "void"}),
)
async def void_gift_card(
    caller: Administrator,
    number: SerialNumber,
    body: EndingBody,
    send: Annotated[Send, sends("giftcard.void.v1")],
    views: ViewsDependency,
) -> Response:
    """Make a card unusable for ever. Its balance is gone."""
    return await _end(caller, number, body, send, views)


@router.post(
    "/{serialNumber}/refund",
    summary="Refund a gift card",
    responses=_responses(GiftCardEnded, "The card is refunded.", {**_ENDED, "status": "refunded"}),
)
async def refund_gift_card(
    caller: Administrator,
    number: SerialNumber,
    body: EndingBody,
    send: Annotated[Send, sends("giftcard.refund.v1")],
    views: ViewsDependency,
) -> Response:
    """Take the balance, `amount`, off a card because it is paid back by other means; the card is unusable for ever."""
    return await _end(caller, number, body, send, views)


async def _end(caller: Caller, number: str, body: Body[GiftCardEnding], send: Send, views: Views) -> Response:
    card_id = (await _existing(views, caller, number))["cardId"]
    value = {"cardId": card_id, **body.command()}
    return await send(caller, card_id, value, body, partial(_ended_card, views, caller.store))


async def _existing(views: Views, caller: Caller, serial_number: str, pointer: str | None = None) -> Document:
    """The card with a serial number.

    :raises Problem: `gift_card_unknown`.
    :raises Unavailable: the views cannot be reached.
    """
    card = await views.giftcards.with_serial_number(caller.store, serial_number)
    if card is None:
        raise unknown_card(pointer)
    return card


async def _ended_card(views: Views, store: str, result: Mapping[str, Any]) -> dict[str, Any] | None:
    """The card of a command's result; None while the view does not have it."""
    card = await views.giftcards.one(store, result["cardId"])
    if card is None:
        return None
    moved = {
        "transactionId": result["transactionId"],
        "amount": to_whole_units(result["amount"], result["scale"]),
    }
    return {**giftcard_of(card), **moved}

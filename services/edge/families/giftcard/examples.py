"""Examples of the gift card document's responses."""

from functools import partial
from typing import Any

from services.edge.families.giftcard.models import GiftCardAnswer, IssuedCardAnswer
from services.edge.http.documenting import success_responses

TRANSACTION = "R-1001-4"
CARD: dict[str, Any] = {
    "cardId": "9900000000000000017",
    "serialNumber": "100200300",
    "status": "Active",
    "balance": 15,
    "currency": "EUR",
    "expiresAt": "2029-11-22T23:00:00.000Z",
    "articleSetCode": "BOOKS",
    "transactionId": None,
    "amount": 0,
}
_ENTRY: dict[str, Any] = {
    "sequence": 2,
    "kind": "redeem",
    "shopId": "12",
    "posId": "3",
    "receiptNr": "R-1001",
    "operatorId": "17",
    "comment": None,
    "oldStatus": "Active",
    "newStatus": "Active",
    "balanceMutation": -10,
    "balance": 15,
    "transactionId": TRANSACTION,
    "cancels": None,
    "occurredAt": "2026-11-22T10:00:01.123Z",
    "bookedAt": "2026-11-22T10:00:01.123Z",
}
_REDEEMED = {**CARD, "transactionId": TRANSACTION, "amount": 10}
_DEPLETED = {**_REDEEMED, "status": "Redeemed", "balance": 0, "amount": 15}
_ACTIVATED = {**CARD, "balance": 25, "transactionId": TRANSACTION, "amount": 25}
_ISSUED = {**_ACTIVATED, "scratchCode": "K7QM-2F9X-4T8W-Z3RB"}


def _one(summary: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"summary": summary, "value": value}


BALANCE = partial(
    success_responses,
    GiftCardAnswer,
    "The card.",
    examples={
        "card": _one("A card", CARD),
        "history": _one("With its history", {**CARD, "history": [_ENTRY]}),
    },
)
ACTIVATED = partial(
    success_responses, GiftCardAnswer, "The card after it.", examples={"loaded": _one("A card was loaded", _ACTIVATED)}
)
REDEEMED = partial(
    success_responses,
    GiftCardAnswer,
    "The card after it.",
    examples={
        "paid": _one("All of the amount was paid", _REDEEMED),
        "part": _one("As much as there was, with allowPartial", _DEPLETED),
    },
)
CANCELLED = partial(
    success_responses,
    GiftCardAnswer,
    "The card after it.",
    examples={"undone": _one("A redemption was undone", {**CARD, "balance": 25, **_REDEEMED})},
)
ISSUED = partial(
    success_responses,
    IssuedCardAnswer,
    "The new card, with its scratch code.",
    examples={"issued": _one("A card was issued", _ISSUED)},
)

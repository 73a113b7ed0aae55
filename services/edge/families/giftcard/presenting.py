"""Converts gift cards and their mutations to the words of the gift card document, with amounts in whole units."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.edge.families.gift_cards import as_of
from services.edge.http.answers import to_whole_units
from shared.decider import Document


def card_of(
    card: Mapping[str, Any], history: Sequence[Mapping[str, Any]] | None, at: str, result: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The response for a card at the instant `at`; `result` is that of the command that moved something.

    Its balance is what can be spent, without what open transactions hold.
    """
    card, moved = as_of(card, at), result or {}
    response = {
        "cardId": card["cardId"],
        "serialNumber": card["serialNumber"],
        "status": _word(card["status"]),
        "balance": to_whole_units(card["balance"] - card["held"], card["scale"]),
        "currency": card["currency"],
        "expiresAt": card["expiresAt"],
        "articleSetCode": card["articleSetCode"],
        "transactionId": moved.get("transactionId"),
        "amount": to_whole_units(moved.get("amount", 0), card["scale"]),
    }
    return response if history is None else {**response, "history": [entry_of(each) for each in history]}


def unknown_card_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """The response for a card that is not there yet, of which a cancel was recorded."""
    names = ("serialNumber", "status", "balance", "currency", "expiresAt", "articleSetCode")
    return {
        "cardId": result["cardId"],
        **dict.fromkeys(names),
        "transactionId": result["transactionId"],
        "amount": 0,
    }


def entry_of(change: Mapping[str, Any]) -> Document:
    """An entry of the history, from a published mutation."""
    source = change["source"]
    return {
        "sequence": change["sequence"],
        "kind": change["kind"],
        "shopId": source.get("shop"),
        "posId": source.get("till"),
        "receiptNr": source.get("receipt"),
        "operatorId": source.get("operator"),
        "comment": change["comment"],
        "oldStatus": None if change["oldStatus"] is None else _word(change["oldStatus"]),
        "newStatus": _word(change["newStatus"]),
        "balanceMutation": to_whole_units(change["delta"], change["scale"]),
        "balance": to_whole_units(change["balance"], change["scale"]),
        "transactionId": change["transactionId"],
        "cancels": change["cancels"],
        "occurredAt": change["occurredAt"],
        "bookedAt": change["bookedAt"],
    }


def _word(status: str) -> str:
    """A status as the document writes it: `Active`."""
    return status.capitalize()

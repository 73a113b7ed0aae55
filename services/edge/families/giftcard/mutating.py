"""The members that all mutations of gift cards have, as their commands carry them (rules 4.4.5)."""

from collections.abc import Mapping
from typing import Any

from services.edge.bus.sending import Send
from services.edge.families.giftcard.models import IssueRequest, Noted
from services.edge.http.problems import Problem


def mutation_of(asked: Noted | IssueRequest, card_id: str, till: Mapping[str, str], **values: Any) -> dict[str, Any]:
    """A command: what it says of the card and of its caller, and `values`; what is None is left out."""
    command = {
        "cardId": card_id,
        "switchId": getattr(asked, "switch_id", None),
        "transactionId": asked.transaction_id,
        "context": context_of(asked, till),
        **values,
    }
    return {name: value for name, value in command.items() if value is not None}


def context_of(asked: Noted, till: Mapping[str, str]) -> dict[str, str]:
    """Where a mutation comes from: the default headers, and what the body notes."""
    noted = {"operatorId": asked.operator_id, "comment": asked.comment}
    return {**till, **{name: value for name, value in noted.items() if value is not None}}


def check_key(send: Send, transaction_id: str | None) -> None:
    """Refuse two different keys for one request: a transaction id is its idempotency key.

    :raises Problem: `invalid_value`.
    """
    if transaction_id is not None and send.key not in (None, transaction_id):
        detail = "A transactionId is the idempotency key: leave out the header Idempotency-Key, or send the same there."
        raise Problem("invalid_value", detail, pointer="/transactionId")

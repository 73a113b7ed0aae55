"""What several families say of gift cards."""

from collections.abc import Mapping
from typing import Any

from schemas.giftcards import CardStatus
from services.edge.http.problems import Problem, unavailable

_USABLE = (CardStatus.ACTIVE, CardStatus.REDEEMED)


def as_of(card: Mapping[str, Any], at: str) -> Mapping[str, Any]:
    """The card as it counts at `at`: when its time is over it has expired, whether that is booked yet or not."""
    due = card["status"] in _USABLE and card["expiresAt"] is not None and card["expiresAt"] <= at
    return {**card, "status": CardStatus.EXPIRED, "balance": 0, "held": 0} if due else card


def history_behind() -> Problem:
    """503: what is known of the card's history does not reach up to the card, so it would be torn."""
    return unavailable("The card's history is behind the card. Send the request again.")

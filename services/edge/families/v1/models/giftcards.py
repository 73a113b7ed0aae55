"""Models of gift cards for support staff, and of the bodies that find, void and refund them."""

from typing import Self

from pydantic import model_validator

from schemas.base import Published, Wire
from schemas.giftcards import CardStatus
from schemas.movements import Source
from schemas.text import Key, Reason
from schemas.transaction import Context
from services.edge.http.models import InstantText, Number


class GiftCardSearch(Wire):
    """Which card: by its id, or by its serial number. A card id is a secret, so it is in no path."""

    card_id: Key | None = None
    serial_number: Key | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.card_id is None) == (self.serial_number is None):
            raise ValueError("give cardId or serialNumber, and not both")
        return self


class GiftCardEnding(Wire):
    """Why a card shall never be used again."""

    reason: Reason
    context: Context = Context()


class GiftCardState(Published):
    """A gift card as it is now. Its scratch code is shown nowhere."""

    card_id: str
    serial_number: str
    card_type: str
    status: CardStatus
    balance: Number
    currency: str
    expires_at: InstantText | None
    article_set_code: str | None
    switch_id: str | None
    sequence: int
    changed_at: InstantText


class GiftCardEnded(GiftCardState):
    """The card after it was voided or refunded: `amount` is what was on it."""

    transaction_id: str
    amount: Number


class GiftCardMutation(Published):
    """One mutation of a card, in whole units."""

    sequence: int
    kind: str
    old_status: CardStatus | None
    new_status: CardStatus
    delta: Number
    balance: Number
    transaction_id: str
    cancels: str | None
    source: Source
    comment: str | None
    reason: str | None
    occurred_at: InstantText
    booked_at: InstantText


class GiftCardHistoryAnswer(Published):
    """A page of a card's history; `next` is the path of the next page, null on the last."""

    card_id: str
    serial_number: str
    mutations: tuple[GiftCardMutation, ...]
    next: str | None

"""Models of the gift card document: bodies of its calls, and the card that all of them answer (rules 4.4)."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StrictBool, model_validator

from schemas.base import Published, Wire
from schemas.giftcard_types import Currency
from schemas.giftcards import Load
from schemas.text import LINE, Checked, Comment, Key, Text
from services.edge.http.models import InstantText, Number


class HistoryDetail(StrEnum):
    """How much of a card's history an answer has: for people condensed, for bookkeeping regular."""

    NONE = "none"
    CONDENSED = "condensed"
    REGULAR = "regular"


ScratchCodeText = Annotated[str, Checked(LINE, 64, 1)]


class Named(Wire):
    """Which card: `cardId`, or `serialNumber` with `scratchCode`. With `switchId`, only a card of that provider."""

    card_id: Key | None = None
    serial_number: Key | None = None
    scratch_code: ScratchCodeText | None = Field(default=None, repr=False)
    switch_id: Key | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        half = (self.serial_number is None) != (self.scratch_code is None)
        if half or (self.card_id is None) == (self.serial_number is None):
            raise ValueError("give cardId, or serialNumber with scratchCode, and not both")
        return self


class Shown(Wire):
    """What the answer shows beside the card."""

    history: HistoryDetail = HistoryDetail.NONE


class Noted(Shown):
    """What is noted of a mutation; `transactionId` is the caller's own, by which a retry is recognised."""

    transaction_id: Key | None = None
    operator_id: Text | None = None
    comment: Comment | None = None


class BalanceRequest(Named, Shown):
    """Which card, and how much of its history."""


class ActivateRequest(Named, Noted):
    """What to load on which card."""

    amount: Load
    currency: Currency | None = None


class RedeemRequest(Named, Noted):
    """What to pay with which card; with `allowPartial` as much as there is, when that is less."""

    amount: Load
    currency: Currency | None = None
    allow_partial: StrictBool = False


class CancelRequest(Named, Noted):
    """On which card the latest mutation is cancelled; with `transactionId` that one, from any till."""


class IssueRequest(Noted):
    """What a new virtual card holds. `cardType` may be left out when one active type fits the other members."""

    amount: Load
    currency: Currency | None = None
    card_type: Key | None = None
    switch_id: Key | None = None


class EntryAnswer(Published):
    """One mutation of a card. `cancels` is the transaction that a cancel has undone."""

    sequence: int
    kind: str
    shop_id: str | None
    pos_id: str | None
    receipt_nr: str | None
    operator_id: str | None
    comment: str | None
    old_status: str | None
    new_status: str
    balance_mutation: Number
    balance: Number
    transaction_id: str
    cancels: str | None
    occurred_at: InstantText
    booked_at: InstantText


class GiftCardAnswer(Published):
    """The card as it is now. `amount` is what this call moved.

    Of a cancel that came before its transaction, on a card that is not there yet, only the id is known.
    """

    card_id: str
    serial_number: str | None
    status: str | None
    balance: Number | None
    currency: str | None
    expires_at: InstantText | None
    article_set_code: str | None
    transaction_id: str | None
    amount: Number
    history: Annotated[
        tuple[EntryAnswer, ...] | None,
        Field(description="The newest entries, newest first; null or absent when not asked for."),
    ] = None


class IssuedCardAnswer(GiftCardAnswer):
    """The new card with its scratch code, which no other call answers."""

    scratch_code: str

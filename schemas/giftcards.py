"""The wire of the gift card service: its commands, its refusals, and the registries of all of them (rules 4.4)."""

from decimal import Decimal
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, StrictBool, model_validator

from schemas import giftcard_saga
from schemas.base import Amount, Instant, Published, Wire
from schemas.giftcard_batches import (
    BATCH_COMMANDS,
    BATCH_REJECTIONS,
    BatchCardsCreated,
    BatchExportBegun,
    BatchExportConfirmed,
    BatchOpened,
)
from schemas.giftcard_events import (
    CancelRecorded,
    CardActivated,
    CardBooked,
    CardCancelled,
    CardChanged,
    CardCreated,
    CardExpired,
    CardGivenBack,
    CardImported,
    CardIssued,
    CardRedeemed,
    CardRefunded,
    CardStatus,
    CardView,
    CardVoided,
    CodeSource,
    SerialNumberTaken,
)
from schemas.giftcard_refusals import CardRefusal, CardRejected
from schemas.giftcard_types import CardType, CardTypePut, CardTypeState, CardTypeView, Currency, PutCardType
from schemas.text import Key, Reason
from schemas.transaction import Context

Load = Annotated[Amount, Field(gt=0)]
"""Money in whole units, more than nothing."""


class ScratchCode(Wire):
    """How the scratch code of a new card is checked: `key` is the id of the key that derives it.

    If the code was given to us, `hash` is its hash under that key.
    """

    key: Key
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class CardCommand(Wire):
    """What every command says that changes a card; `transaction_id` is the caller's own, by which it can be cancelled.

    The id of a command with a `transaction_id` is the version 5 UUID of store, card and that id, whoever sends it. A
    card of another provider than `switch_id` is answered like one that is not there.
    """

    card_id: Key
    switch_id: Key | None = None
    transaction_id: Key | None = None
    context: Context = Context()


class CreateCard(Wire):
    """`giftcard.create.v1`: a card for sale, without a balance, of a file; without a code it has none."""

    card_id: Key
    serial_number: Key
    card_type: Key
    code: ScratchCode | None = None
    batch: Key | None = None
    context: Context = Context()


class ImportCard(Wire):
    """`giftcard.import.v1`: a card that exists in another system, as it is there; without a code it has none.

    The limits of its type do not count, and its type may be retired. Active is a card with a balance, and no other.
    """

    card_id: Key
    serial_number: Key
    card_type: Key
    status: Literal[CardStatus.CREATED, CardStatus.ACTIVE, CardStatus.REDEEMED]
    balance: Amount = Decimal(0)
    expires_at: Instant | None = None
    code: ScratchCode | None = None
    batch: Key | None = None
    context: Context = Context()

    @model_validator(mode="after")
    def _balance_fits(self) -> Self:
        if self.balance < 0 or (self.balance > 0) != (self.status is CardStatus.ACTIVE):
            raise ValueError("an active card has a balance above zero, and every other one has none")
        if self.expires_at is not None and self.status is CardStatus.CREATED:
            raise ValueError("a card that was never loaded has no expiry: its type gives it one when it is")
        return self


class IssueCard(CardCommand):
    """`giftcard.issue.v1`: a virtual card with a balance."""

    serial_number: Key
    card_type: Key
    code: ScratchCode
    amount: Load
    currency: Currency | None = None


class ActivateCard(CardCommand):
    """`giftcard.activate.v1`: load a card, for the first time or, where its type allows it, again."""

    amount: Load
    currency: Currency | None = None


class RedeemCard(CardCommand):
    """`giftcard.redeem.v1`: pay with a card; with `allow_partial` as much as there is, when that is less."""

    amount: Load
    currency: Currency | None = None
    allow_partial: StrictBool = False


class CancelMutation(CardCommand):
    """`giftcard.cancel.v1`: undo the card's latest mutation, which is an issue, an activation or a redemption.

    An issue counts as an activation, too. With a `transaction_id` it is that one, from any till; without one, the
    latest from the same shop, till and receipt.
    """

    mutation: Literal["issue", "activate", "redeem"]


class VoidCard(Wire):
    """`giftcard.void.v1`: make a card unusable for ever; its balance is gone."""

    card_id: Key
    reason: Reason
    context: Context = Context()


class RefundCard(Wire):
    """`giftcard.refund.v1`: the balance is paid back by other means; the card is unusable for ever."""

    card_id: Key
    reason: Reason
    context: Context = Context()


class BookCardDue(Wire):
    """`giftcard.book_due.v1`: book the card's expiry if its time has come, and nothing else; sent by the sweep."""

    card_id: Key


CardEvent = Annotated[
    CardTypePut
    | CardCreated
    | CardIssued
    | CardImported
    | CardActivated
    | CardRedeemed
    | CardGivenBack
    | CardCancelled
    | CardVoided
    | CardRefunded
    | CardExpired
    | CancelRecorded
    | SerialNumberTaken
    | giftcard_saga.HoldEvent
    | giftcard_saga.PaymentEvent
    | BatchOpened
    | BatchCardsCreated
    | BatchExportBegun
    | BatchExportConfirmed,
    Field(discriminator="type"),
]

COMMANDS: dict[str, type[Wire]] = {
    "giftcard.create.v1": CreateCard,
    "giftcard.issue.v1": IssueCard,
    "giftcard.import.v1": ImportCard,
    "giftcard.activate.v1": ActivateCard,
    "giftcard.redeem.v1": RedeemCard,
    "giftcard.cancel.v1": CancelMutation,
    "giftcard.void.v1": VoidCard,
    "giftcard.refund.v1": RefundCard,
    "giftcard.book_due.v1": BookCardDue,
    "giftcard.put_type.v1": PutCardType,
    **giftcard_saga.COMMANDS,
    **BATCH_COMMANDS,
}

REJECTIONS: dict[str, str] = {
    "giftcard.create.v1": "giftcard.issue_rejected.v1",
    "giftcard.issue.v1": "giftcard.issue_rejected.v1",
    "giftcard.import.v1": "giftcard.issue_rejected.v1",
    "giftcard.activate.v1": "giftcard.activation_rejected.v1",
    "giftcard.redeem.v1": "giftcard.redemption_rejected.v1",
    "giftcard.cancel.v1": "giftcard.cancel_rejected.v1",
    "giftcard.void.v1": "giftcard.closing_rejected.v1",
    "giftcard.refund.v1": "giftcard.closing_rejected.v1",
    "giftcard.book_due.v1": "giftcard.closing_rejected.v1",
    "giftcard.put_type.v1": "giftcard.type_rejected.v1",
    **giftcard_saga.REJECTIONS,
    **BATCH_REJECTIONS,
}

EVENTS: dict[str, type[Published]] = {
    event.model_fields["type"].default: event for event in get_args(get_args(CardEvent)[0])
}

CHANGED = "giftcard.changed.v1"
CARD_VIEW = "giftcard.snapshot.v1"
CARD_TYPE_VIEW = "giftcard.type_snapshot.v1"

__all__ = [
    "CARD_TYPE_VIEW",
    "CARD_VIEW",
    "CHANGED",
    "COMMANDS",
    "EVENTS",
    "REJECTIONS",
    "ActivateCard",
    "BookCardDue",
    "CancelMutation",
    "CancelRecorded",
    "CardActivated",
    "CardBooked",
    "CardCancelled",
    "CardChanged",
    "CardCommand",
    "CardCreated",
    "CardEvent",
    "CardExpired",
    "CardGivenBack",
    "CardImported",
    "CardIssued",
    "CardRedeemed",
    "CardRefunded",
    "CardRefusal",
    "CardRejected",
    "CardStatus",
    "CardType",
    "CardTypePut",
    "CardTypeState",
    "CardTypeView",
    "CardView",
    "CardVoided",
    "CodeSource",
    "CreateCard",
    "ImportCard",
    "IssueCard",
    "PutCardType",
    "RedeemCard",
    "RefundCard",
    "ScratchCode",
    "SerialNumberTaken",
    "VoidCard",
]

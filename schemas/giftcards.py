"""The wire of the gift card service: its commands, its refusals, and the registries of all of them (rules 4.4)."""

from enum import StrEnum
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, StrictBool, model_validator

from schemas import giftcard_saga
from schemas.base import Amount, Published, Wire
from schemas.giftcard_events import (
    CancelRecorded,
    CardActivated,
    CardBooked,
    CardCancelled,
    CardChanged,
    CardCreated,
    CardExpired,
    CardGivenBack,
    CardIssued,
    CardRedeemed,
    CardRefunded,
    CardStatus,
    CardView,
    CardVoided,
    CodeSource,
    SerialNumberTaken,
)
from schemas.giftcard_types import CardType, CardTypePut, CardTypeState, CardTypeView, Currency, PutCardType
from schemas.refusals import Refused
from schemas.text import Key, Reason
from schemas.transaction import Context

Load = Annotated[Amount, Field(gt=0)]
"""Money in whole units, more than nothing."""


class CardRefusal(StrEnum):
    """Why the gift card service refuses; the closed list of codes."""

    CARD_TYPE_UNKNOWN = "card_type_unknown"
    CARD_TYPE_RETIRED = "card_type_retired"
    CARD_TYPE_MISMATCH = "card_type_mismatch"
    GIFT_CARD_EXISTS = "gift_card_exists"
    SERIAL_NUMBER_IN_USE = "serial_number_in_use"
    GIFT_CARD_UNKNOWN = "gift_card_unknown"
    GIFT_CARD_NOT_ACTIVE = "gift_card_not_active"
    GIFT_CARD_EXPIRED = "gift_card_expired"
    GIFT_CARD_VOID = "gift_card_void"
    GIFT_CARD_REFUNDED = "gift_card_refunded"
    RELOAD_NOT_ALLOWED = "reload_not_allowed"
    CURRENCY_MISMATCH = "currency_mismatch"
    TOO_MANY_DECIMALS = "too_many_decimals"
    LOAD_LIMIT_EXCEEDED = "load_limit_exceeded"
    LOAD_TOO_SMALL = "load_too_small"
    BALANCE_LIMIT_EXCEEDED = "balance_limit_exceeded"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    TRANSACTION_CANCELLED = "transaction_cancelled"
    NOT_CANCELLABLE = "not_cancellable"
    NOT_LATEST_MUTATION = "not_latest_mutation"
    MUTATION_FOREIGN = "mutation_foreign"
    TOO_MANY_CANCELS_WAIT = "too_many_cancels_wait"
    TRANSACTION_OPEN = "transaction_open"
    TRANSACTION_UNKNOWN = "transaction_unknown"
    TOO_MANY_OPEN_TRANSACTIONS = "too_many_open_transactions"
    TOO_LATE = "too_late"


class CardRejected(Refused):
    """`giftcard.<what>_rejected.v1`: the command of the gift card service was refused."""


class ScratchCode(Wire):
    """How the scratch code of a new card is checked: by the `key` that derives it, or by the `hash` of a given one."""

    key: Key | None = None
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.key is None) == (self.hash is None):
            raise ValueError("give key or hash, and not both")
        return self


class CardCommand(Wire):
    """What every command says that changes a card; `transaction_id` is the caller's own, by which it can be cancelled.

    The id of a command with a `transaction_id` is the version 5 UUID of store, card and that id, whoever sends it.
    """

    card_id: Key
    transaction_id: Key | None = None
    context: Context = Context()


class CreateCard(Wire):
    """`giftcard.create.v1`: a card for sale, without a balance, of a batch or from a file."""

    card_id: Key
    serial_number: Key
    card_type: Key
    code: ScratchCode
    context: Context = Context()


class IssueCard(CardCommand):
    """`giftcard.issue.v1`: a virtual card with a balance."""

    serial_number: Key
    card_type: Key
    code: ScratchCode
    amount: Load


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

    With a `transaction_id` it is that one, from any till; without one, the latest from the same shop, till and receipt.
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
    | giftcard_saga.PaymentEvent,
    Field(discriminator="type"),
]

COMMANDS: dict[str, type[Wire]] = {
    "giftcard.create.v1": CreateCard,
    "giftcard.issue.v1": IssueCard,
    "giftcard.activate.v1": ActivateCard,
    "giftcard.redeem.v1": RedeemCard,
    "giftcard.cancel.v1": CancelMutation,
    "giftcard.void.v1": VoidCard,
    "giftcard.refund.v1": RefundCard,
    "giftcard.book_due.v1": BookCardDue,
    "giftcard.put_type.v1": PutCardType,
    **giftcard_saga.COMMANDS,
}

REJECTIONS: dict[str, str] = {
    "giftcard.create.v1": "giftcard.issue_rejected.v1",
    "giftcard.issue.v1": "giftcard.issue_rejected.v1",
    "giftcard.activate.v1": "giftcard.activation_rejected.v1",
    "giftcard.redeem.v1": "giftcard.redemption_rejected.v1",
    "giftcard.cancel.v1": "giftcard.cancel_rejected.v1",
    "giftcard.void.v1": "giftcard.closing_rejected.v1",
    "giftcard.refund.v1": "giftcard.closing_rejected.v1",
    "giftcard.book_due.v1": "giftcard.closing_rejected.v1",
    "giftcard.put_type.v1": "giftcard.type_rejected.v1",
    **giftcard_saga.REJECTIONS,
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
    "IssueCard",
    "PutCardType",
    "RedeemCard",
    "RefundCard",
    "ScratchCode",
    "SerialNumberTaken",
    "VoidCard",
]

"""What happens to a gift card: events, the public stream of changes, and the snapshot (rules 4.4).

Amounts are integers in the smallest unit of the card's currency, with `scale` digits after the point.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Instant, Published
from schemas.giftcard_types import CardType
from schemas.movements import Source

KINDS = ["create", "issue", "import", "activate", "redeem", "give_back", "cancel", "void", "refund", "expire"]


class CardStatus(StrEnum):
    """Created: for sale, empty. Active: has a balance. All others are empty; only Redeemed can be loaded again."""

    CREATED = "created"
    ACTIVE = "active"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    VOID = "void"
    REFUNDED = "refunded"


class CodeSource(Published):
    """How a scratch code is checked: `key` is the id of the key that derives it, or that its `hash` was made with."""

    key: str
    hash: str | None = None


class CardBooked(Published):
    """What every event of a card says: how its status and balance changed, and where that came from.

    `transaction_id` is the caller's, or the command's id. `delta` is what was added, below zero what was taken;
    `balance` what is there after it. `expires_at` (null: never) is as it is after the event. What was due has an empty
    source and occurred when it was due. `sequence` counts what happened to this card: 1, 2, 3, …
    """

    card_id: str
    serial_number: str
    card_type: str
    currency: str
    scale: int
    sequence: int
    old_status: CardStatus | None = None
    new_status: CardStatus
    delta: int
    balance: int
    expires_at: Instant | None = None
    transaction_id: str
    source: Source = Source()
    comment: str | None = None
    reason: str | None = None
    occurred_at: Instant
    booked_at: Instant


class NewCard(CardBooked):
    """A card that is new, with the rules that it keeps; `code` says how its scratch code is checked."""

    rules: CardType
    code: CodeSource | None = None
    batch: str | None = None


class CardCreated(NewCard):
    """`giftcard.created.v1`: a card is ready for sale, without a balance."""

    type: Literal["giftcard.created.v1"] = "giftcard.created.v1"


class CardIssued(NewCard):
    """`giftcard.issued.v1`: a virtual card is there, with a balance."""

    type: Literal["giftcard.issued.v1"] = "giftcard.issued.v1"


class CardImported(NewCard):
    """`giftcard.imported.v1`: a card of another system is there, with the balance that it had."""

    type: Literal["giftcard.imported.v1"] = "giftcard.imported.v1"


class CardActivated(CardBooked):
    """`giftcard.activated.v1`: the card was loaded, for the first time or again."""

    type: Literal["giftcard.activated.v1"] = "giftcard.activated.v1"


class CardRedeemed(CardBooked):
    """`giftcard.redeemed.v1`: something was paid with the card; `asked` is what was to be paid, when that was more.

    `operation` is the one of the transaction over points and vouchers that it belongs to; null for no such one.
    """

    type: Literal["giftcard.redeemed.v1"] = "giftcard.redeemed.v1"
    asked: int | None = None
    operation: int | None = None


class CardGivenBack(CardBooked):
    """`giftcard.given_back.v1`: the reversal `transaction_id` gave back what `operation` of `reverses` had taken."""

    type: Literal["giftcard.given_back.v1"] = "giftcard.given_back.v1"
    reverses: str
    operation: int


class CardCancelled(CardBooked):
    """`giftcard.cancelled.v1`: the card's latest mutation, the transaction `cancels`, was undone."""

    type: Literal["giftcard.cancelled.v1"] = "giftcard.cancelled.v1"
    cancels: str


class CardVoided(CardBooked):
    """`giftcard.voided.v1`: the card can never be used again; its balance is gone."""

    type: Literal["giftcard.voided.v1"] = "giftcard.voided.v1"


class CardRefunded(CardBooked):
    """`giftcard.refunded.v1`: the balance was paid back, and the card can never be used again."""

    type: Literal["giftcard.refunded.v1"] = "giftcard.refunded.v1"


class CardExpired(CardBooked):
    """`giftcard.expired.v1`: the card's time was over; what was left is gone."""

    type: Literal["giftcard.expired.v1"] = "giftcard.expired.v1"


class SerialNumberTaken(Published):
    """`giftcard.serial_number_taken.v1`: the serial number is this card's alone, for ever."""

    type: Literal["giftcard.serial_number_taken.v1"] = "giftcard.serial_number_taken.v1"
    card_id: str
    serial_number: str
    booked_at: Instant


class CancelRecorded(Published):
    """`giftcard.cancel_recorded.v1`: `transaction_id` was cancelled before it arrived; it will be refused."""

    type: Literal["giftcard.cancel_recorded.v1"] = "giftcard.cancel_recorded.v1"
    card_id: str
    transaction_id: str
    source: Source = Source()
    booked_at: Instant


class CardChanged(Published):
    """`giftcard.changed.v1` on `giftcard.changes`: one mutation of a gift card, for ever.

    A public contract: fields are added, never renamed; kinds are an open list. `sequence` runs 1, 2, 3, … over the
    card; `balance` is the sum of `delta` up to here. `cancels` is the transaction that a cancel has undone. `operation`
    is the one of the transaction over points and vouchers that has taken it, or gets it back; null for no such one.
    """

    card_id: str
    serial_number: str
    card_type: str
    currency: str
    scale: int
    sequence: int
    kind: Annotated[str, Field(json_schema_extra={"examples": KINDS, "x-extensible-enum": KINDS})]
    old_status: CardStatus | None
    new_status: CardStatus
    delta: int
    balance: int
    expires_at: Instant | None
    transaction_id: str
    cancels: str | None
    operation: int | None = None
    source: Source
    comment: str | None
    reason: str | None
    occurred_at: Instant
    booked_at: Instant


class CardView(Published):
    """`giftcard.snapshot.v1` on `giftcard.snapshots`: a gift card as it is now, and how its scratch code is checked.

    `held` is what open transactions have set aside of `balance`; the rest can be spent.
    """

    card_id: str
    serial_number: str
    card_type: str
    currency: str
    scale: int
    status: CardStatus
    balance: int
    held: int = 0
    expires_at: Instant | None
    article_set_code: str | None
    switch_id: str | None
    code: CodeSource | None
    batch: str | None
    sequence: int
    changed_at: Instant

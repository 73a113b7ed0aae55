"""What the points and the gift card service tell each other about a transaction, or a reversal, that names gift cards.

The hold goes from card to card (rules 4.2.2, 4.2.3): each sets its amount aside, or refuses all, and sends the hold on
to the next one. After the last card the vouchers are executed; where there are none, the last card's hold is the
decision. When the points service has closed, it tells each card to settle. Every message about a card is keyed by it,
so that all that happens to a card is in one order. What a reversal gives back goes the same way.
"""

from typing import Annotated, Literal

from pydantic import Field, PlainSerializer

from schemas.base import Amount, AtMost, Instant, Published, Wire
from schemas.giftcard_types import Currency
from schemas.movements import Source
from schemas.programme import json_number
from schemas.text import Comment, Key, KnownKey
from schemas.voucher_saga import Decision, ExecuteVouchers, Operation, ReverseVouchers

GIFT_CARDS_MAX = 10
"""The gift cards that one transaction is paid with."""

HOLD_CARD = "giftcard.hold.v1"
CANCEL_HOLD = "giftcard.cancel_hold.v1"
SETTLE_CARD = "giftcard.settle.v1"

Money = Annotated[
    Amount,
    Field(gt=0, le=10**9, decimal_places=4),
    PlainSerializer(json_number, return_type=float, when_used="json"),
]
"""More than nothing, in whole units of a currency; few enough digits that a double holds it exactly."""


class CardPayment(Wire):
    """A gift card that pays `amount`; a `currency` that is given must be the card's."""

    card_id: Key
    amount: Money
    currency: Currency | None = None


CardPayments = Annotated[tuple[CardPayment, ...], AtMost(GIFT_CARDS_MAX)]


class PaidCard(Published):
    """What an operation of a transaction has taken from a gift card, or a reversal has given back to it."""

    operation: int
    card_id: str
    amount: Money
    currency: Currency | None = None


class HeldCard(Wire):
    """An amount to set aside, or with a reversal to give back; `pointer` is the place in the caller's body."""

    operation: Operation
    pointer: str
    card_id: KnownKey
    amount: Money
    currency: Currency | None = None


class HoldCard(Wire):
    """`giftcard.hold.v1`: set aside what the card `cards[at]` is to pay, then send this on to the next.

    Refused as `too_late` when it is decided after `deadline`. `reverses` is the transaction of which `transaction_id`
    is a reversal: then the cards get money back, there is no deadline, and `undo` comes last instead of `execute`.
    """

    transaction_id: KnownKey
    account: KnownKey
    reverses: KnownKey | None = None
    cards: Annotated[tuple[HeldCard, ...], Field(min_length=1)]
    at: Annotated[int, Field(ge=0)] = 0
    deadline: Instant | None = None
    execute: ExecuteVouchers | None = None
    undo: ReverseVouchers | None = None
    reason: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    source: Source = Source()
    comment: Comment | None = None
    occurred_at: Instant | None = None

    @property
    def card(self) -> HeldCard:
        """The card that this one is about."""
        return self.cards[self.at]


class CardOfTransaction(Wire):
    """One operation of a transaction with a gift card."""

    transaction_id: KnownKey
    operation: Operation
    account: KnownKey
    card_id: KnownKey


class CancelHold(CardOfTransaction):
    """`giftcard.cancel_hold.v1`: nothing shall come of the transaction, unless its last card has been held already."""


class SettleCard(CardOfTransaction):
    """`giftcard.settle.v1`: the transaction is closed; what was held is booked when it was executed, else let go."""

    decision: Decision


class CardHoldPlaced(Published):
    """`giftcard.hold_placed.v1`: the amount cannot be spent otherwise; with `gives_back` it is to be put on the card.

    It is no mutation: nothing is booked on the card yet.
    """

    type: Literal["giftcard.hold_placed.v1"] = "giftcard.hold_placed.v1"
    card_id: str
    transaction_id: str
    operation: int
    amount: int
    gives_back: bool = False
    booked_at: Instant


class CardHoldEnded(Published):
    """`giftcard.hold_ended.v1`: the hold is gone; what was held is free again, unless a mutation beside it books it."""

    type: Literal["giftcard.hold_ended.v1"] = "giftcard.hold_ended.v1"
    card_id: str
    transaction_id: str
    operation: int
    booked_at: Instant


class PaymentBooked(Published):
    """What every event of a transaction's, or a reversal's, operation with a gift card says."""

    transaction_id: str
    operation: int
    account: str
    card_id: str
    booked_at: Instant


class PaymentHeld(PaymentBooked):
    """`giftcard.payment_held.v1`: the amount is set aside. `decides`: with it the whole transaction is executed.

    `amount` is in the smallest unit of the card's currency.
    """

    type: Literal["giftcard.payment_held.v1"] = "giftcard.payment_held.v1"
    amount: int
    currency: str
    scale: int
    reverses: str | None = None
    decides: bool = False
    reason: str | None = None
    source: Source = Source()
    comment: str | None = None
    occurred_at: Instant | None = None


class PaymentRefused(PaymentBooked):
    """`giftcard.payment_refused.v1`: the card refuses its part, and with it the transaction."""

    type: Literal["giftcard.payment_refused.v1"] = "giftcard.payment_refused.v1"
    reverses: str | None = None
    code: str
    detail: str
    pointer: str | None = None


class PaymentCancelled(PaymentBooked):
    """`giftcard.payment_cancelled.v1`: it came to nothing before the card was held, and never will be."""

    type: Literal["giftcard.payment_cancelled.v1"] = "giftcard.payment_cancelled.v1"


class PaymentSettled(PaymentBooked):
    """`giftcard.payment_settled.v1`: what was held is booked on the card, or with `executed` false let go."""

    type: Literal["giftcard.payment_settled.v1"] = "giftcard.payment_settled.v1"
    executed: bool


PaymentEvent = PaymentHeld | PaymentRefused | PaymentCancelled | PaymentSettled
"""What happens to a transaction's operation with a gift card, on its own stream."""

HoldEvent = CardHoldPlaced | CardHoldEnded

COMMANDS: dict[str, type[Wire]] = {HOLD_CARD: HoldCard, CANCEL_HOLD: CancelHold, SETTLE_CARD: SettleCard}
REJECTIONS = dict.fromkeys(COMMANDS, "giftcard.payment_rejected.v1")

"""The states of the gift card service and its streams (rules 4.4). All values are frozen; times are UTC instants."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.giftcard_batches import BatchCardsCreated, BatchExportBegun, BatchExportConfirmed, BatchOpened, BatchState
from schemas.giftcard_saga import PaymentCancelled, PaymentHeld, PaymentRefused
from schemas.giftcards import (
    CardActivated,
    CardCancelled,
    CardCreated,
    CardEvent,
    CardExpired,
    CardGivenBack,
    CardImported,
    CardIssued,
    CardRedeemed,
    CardRefunded,
    CardStatus,
    CardType,
    CardVoided,
    CodeSource,
)
from shared.money import currency_scale

NewCardEvent = CardCreated | CardIssued | CardImported
MutationEvent = (
    NewCardEvent
    | CardActivated
    | CardRedeemed
    | CardGivenBack
    | CardCancelled
    | CardVoided
    | CardRefunded
    | CardExpired
)
BatchEvent = BatchOpened | BatchCardsCreated | BatchExportBegun | BatchExportConfirmed
Event = CardEvent

CANCEL_KEPT = timedelta(days=30)
"""For so long a transaction that was cancelled before it arrived is refused: as long as a retry is recognised."""

CANCELS_WAITING_MAX = 20

HOLDS_MAX = 20
"""The operations of open transactions and reversals that one card takes part in at once."""


class DeclaredType(NamedTuple):
    """A card type as it is now; `version` is 0 and `card_type` None as long as it is not declared."""

    code: str
    card_type: CardType | None = None
    version: int = 0


class SerialNumber(NamedTuple):
    """The card that has a serial number; None as long as no card has it."""

    number: str
    card_id: str | None = None


class Mutation(NamedTuple):
    """The latest mutation of a card, and the card as it was before it: what a cancel puts back.

    `cancels` is the transaction that a cancel has undone. A create has no status before it. `operation` is that of the
    transaction over points and vouchers to which it belongs, if any.
    """

    kind: str
    transaction_id: str
    shop: str | None
    till: str | None
    receipt: str | None
    delta: int
    status_before: CardStatus | None
    expires_before: datetime | None
    cancels: str | None = None
    operation: int | None = None


class AwaitedCancel(NamedTuple):
    """A transaction that was cancelled before it arrived, and when."""

    transaction_id: str
    at: datetime


class CardHold(NamedTuple):
    """What an open transaction has set aside on a card; with `gives_back`, what an open reversal puts on it."""

    transaction_id: str
    operation: int
    amount: int
    gives_back: bool = False


class Card(NamedTuple):
    """A gift card; `status` is None as long as it is not there. Its balance is in the smallest unit of its currency.

    One without a `code` is used by its id alone.
    """

    card_id: str
    status: CardStatus | None = None
    serial_number: str = ""
    rules: CardType | None = None
    balance: int = 0
    expires_at: datetime | None = None
    code: CodeSource | None = None
    batch: str | None = None
    sequence: int = 0
    changed_at: datetime | None = None
    latest: Mutation | None = None
    awaited: tuple[AwaitedCancel, ...] = ()
    holds: tuple[CardHold, ...] = ()

    @property
    def held(self) -> int:
        """What open transactions have set aside of the balance."""
        return sum(hold.amount for hold in self.holds if not hold.gives_back)

    @property
    def spendable(self) -> int:
        """What can be paid with it."""
        return self.balance - self.held

    @property
    def pinned(self) -> CardType:
        """The rules of its type, as they were when it was created.

        :raises TypeError: it was never created.
        """
        if self.rules is None:
            raise TypeError(f"{self.card_id} was never created")
        return self.rules

    @property
    def scale(self) -> int:
        """The digits after the point of its amounts."""
        return currency_scale(self.pinned.currency)

    def is_due(self, now: datetime) -> bool:
        """Whether its expiry is to be booked: from `expires_at` on, as long as it could be used or loaded."""
        usable = self.status in (CardStatus.ACTIVE, CardStatus.REDEEMED)
        return usable and self.expires_at is not None and now >= self.expires_at

    def status_at(self, now: datetime) -> CardStatus | None:
        """The status at `now`, whether an expiry is booked yet or not."""
        return CardStatus.EXPIRED if self.is_due(now) else self.status


class Payment(NamedTuple):
    """An operation of a transaction, or of a reversal, with one card; `id` is the transaction and the operation.

    `decided` is what was decided on it first, and final; None as long as nothing was. `executed` is how the transaction
    ended for the card; None as long as it has not been told.
    """

    id: str
    decided: PaymentHeld | PaymentRefused | PaymentCancelled | None = None
    executed: bool | None = None

    @property
    def open(self) -> bool:
        """Whether something may still come of it, as far as the card knows."""
        return self.executed is None and not isinstance(self.decided, PaymentRefused | PaymentCancelled)


class Batch(NamedTuple):
    """A batch of cards for sale; `opened_at` is None as long as there is none.

    `created` of the `wanted` cards are there, from `position` numbers of the seed: one that was taken was skipped.
    """

    batch_id: str
    rules: CardType | None = None
    wanted: int = 0
    key: str = ""
    seed: str = ""
    created: int = 0
    position: int = 0
    export_id: str | None = None
    confirmed: bool = False
    opened_at: datetime | None = None
    changed_at: datetime | None = None

    @property
    def pinned(self) -> CardType:
        """The rules of its cards.

        :raises TypeError: it was never opened.
        """
        if self.rules is None:
            raise TypeError(f"{self.batch_id} was never opened")
        return self.rules

    @property
    def state(self) -> BatchState:
        """How far it is."""
        if self.created < self.wanted:
            return BatchState.FILLING
        if self.export_id is None:
            return BatchState.FILLED
        return BatchState.EXPORTED if self.confirmed else BatchState.EXPORTING


State = DeclaredType | SerialNumber | Card | Payment | Batch


def type_stream(store: str, code: str) -> str:
    """The stream of a card type."""
    return f"type/{store}/{code}"


def serial_stream(store: str, number: str) -> str:
    """The stream that says which card has a serial number."""
    return f"serial/{store}/{number}"


def card_stream(store: str, card_id: str) -> str:
    """The stream of a card."""
    return f"card/{store}/{card_id}"


def payment_stream(store: str, transaction: str, operation: int) -> str:
    """The stream of an operation of a transaction, or of a reversal, with a card."""
    return f"payment/{store}/{transaction}/{operation}"


def batch_stream(store: str, batch_id: str) -> str:
    """The stream of a batch."""
    return f"batch/{store}/{batch_id}"


_INITIAL: dict[str, Callable[[str], State]] = {
    "type": DeclaredType,
    "serial": SerialNumber,
    "card": Card,
    "payment": Payment,
    "batch": Batch,
}


def initial(stream: str) -> State:
    """The state of a stream that nothing has happened on yet.

    :raises ValueError: when the name is that of no stream of this service.
    """
    make = _INITIAL.get(stream.partition("/")[0])
    if make is None:
        raise ValueError(f"{stream} is no stream of the gift card service")
    return make(aggregate_of(stream))


def aggregate_of(stream: str) -> str:
    """The code, serial number, card id or batch id of a stream; of a payment the transaction and the operation."""
    return stream.split("/", 2)[2]

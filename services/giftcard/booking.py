"""What all decisions on a card share: its state, its rules, and the event that changes it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from schemas.giftcards import (
    CardBooked,
    CardRefusal,
    CardStatus,
    CardType,
    CardTypeState,
    SerialNumberTaken,
)
from schemas.movements import Source
from schemas.transaction import Context
from services.giftcard.evolve import mutated
from services.giftcard.state import (
    Card,
    DeclaredType,
    Event,
    MutationEvent,
    NewCardEvent,
    Payment,
    SerialNumber,
    card_stream,
    payment_stream,
    serial_stream,
    type_stream,
)
from shared.decider import Accepted, Command, Document, Rejected
from shared.money import to_minor

States = Mapping[str, Any]
Outcome = Accepted[Event] | Rejected
Booked = TypeVar("Booked", bound=CardBooked)

_ENDED = {
    CardStatus.EXPIRED: (CardRefusal.GIFT_CARD_EXPIRED, "the gift card has expired"),
    CardStatus.VOID: (CardRefusal.GIFT_CARD_VOID, "the gift card is void"),
    CardStatus.REFUNDED: (CardRefusal.GIFT_CARD_REFUNDED, "the gift card was refunded"),
}


def card_of(command: Command, states: States, card_id: str) -> Card:
    """The card that a command is about."""
    card = states[card_stream(command.store, card_id)]
    if not isinstance(card, Card):
        raise TypeError(f"{card_id} is no gift card")
    return card


def payment_of(command: Command, states: States, transaction: str, operation: int) -> Payment:
    """What is known of a transaction's operation with a card."""
    payment = states[payment_stream(command.store, transaction, operation)]
    if not isinstance(payment, Payment):
        raise TypeError(f"{transaction} is no transaction")
    return payment


def type_of(command: Command, states: States, code: str) -> CardType | Rejected:
    """The card type, as long as cards of it are created; or why not."""
    rules = declared_type(command, states, code)
    if isinstance(rules, CardType) and rules.state is CardTypeState.RETIRED:
        return Rejected(CardRefusal.CARD_TYPE_RETIRED, f"the card type {code} is retired", "/cardType")
    return rules


def declared_type(command: Command, states: States, code: str) -> CardType | Rejected:
    """The card type, retired or not; or `card_type_unknown`."""
    declared = states[type_stream(command.store, code)]
    if not isinstance(declared, DeclaredType):
        raise TypeError(f"{code} is no card type")
    if declared.card_type is None:
        return Rejected(CardRefusal.CARD_TYPE_UNKNOWN, f"there is no card type {code}", "/cardType")
    return declared.card_type


def ended(card: Card, now: datetime) -> Rejected | None:
    """Why nothing can be done with a card any more, or at all; None when something can."""
    status = card.status_at(now)
    if status is None:
        return _unknown()
    refusal = _ENDED.get(status)
    return None if refusal is None else Rejected(*refusal, "/cardId")


def in_transaction(card: Card) -> Rejected | None:
    """`transaction_open`, while an open transaction has set something of the card aside."""
    if not card.holds:
        return None
    detail = "the gift card takes part in a transaction that is still open; try again when it has ended"
    return Rejected(CardRefusal.TRANSACTION_OPEN, detail, "/cardId")


def of_other_provider(card: Card, switch_id: str | None) -> Rejected | None:
    """The refusal of an unknown card, when a caller names another provider than the card's."""
    if switch_id is None or card.status is None or card.pinned.switch_id == switch_id:
        return None
    return _unknown()


def _unknown() -> Rejected:
    return Rejected(CardRefusal.GIFT_CARD_UNKNOWN, "there is no such gift card", "/cardId")


def minor_of(amount: Decimal, card: Card) -> int | Rejected:
    """An amount in the smallest unit of the card's currency; or `too_many_decimals`."""
    minor = to_minor(amount, card.scale)
    if minor is None:
        detail = f"{card.pinned.currency} has {card.scale} decimals"
        return Rejected(CardRefusal.TOO_MANY_DECIMALS, detail, "/amount")
    return minor


def in_currency(card: Card, currency: str | None) -> Rejected | None:
    """`currency_mismatch`, when a caller names another currency than the card's."""
    if currency in (None, card.pinned.currency):
        return None
    return Rejected(CardRefusal.CURRENCY_MISMATCH, f"the gift card is in {card.pinned.currency}", "/currency")


def source_of(context: Context) -> Source:
    """Where a mutation comes from, by its context."""
    return Source(receipt=context.receipt_nr, shop=context.shop_id, till=context.pos_id, operator=context.operator_id)


def booked(
    event: type[Booked],
    command: Command,
    card: Card,
    context: Context,
    *,
    status: CardStatus,
    delta: int,
    transaction_id: str | None,
    **more: Any,
) -> Booked:
    """The event of a mutation of a card; `more` replaces what it keeps of the card, and adds what only it has."""
    fields: dict[str, Any] = {
        "card_id": card.card_id,
        "serial_number": card.serial_number,
        "card_type": card.pinned.code,
        "currency": card.pinned.currency,
        "scale": card.scale,
        "sequence": card.sequence + 1,
        "old_status": card.status,
        "new_status": status,
        "delta": delta,
        "balance": card.balance + delta,
        "expires_at": card.expires_at,
        "transaction_id": transaction_id or command.id,
        "source": source_of(context),
        "comment": context.comment,
        "occurred_at": context.occurred_at or command.now,
        "booked_at": command.now,
    }
    return event(**{**fields, **more})


def accepted(command: Command, card: Card, event: MutationEvent) -> Accepted[Event]:
    """The outcome that books one mutation of a card."""
    after = mutated(card, event)
    stream = card_stream(command.store, card.card_id)
    return Accepted(((stream, event),), result_of(after, event.transaction_id, event.delta))


def accepted_new(command: Command, card: Card, event: NewCardEvent) -> Accepted[Event]:
    """The outcome that books a new card, and that its serial number is taken."""
    taken = SerialNumberTaken(card_id=card.card_id, serial_number=card.serial_number, booked_at=command.now)
    booked_card = accepted(command, card, event)
    events = (*booked_card.events, (serial_stream(command.store, card.serial_number), taken))
    return Accepted(events, booked_card.result)


def unchanged(card: Card, transaction_id: str) -> Accepted[Event]:
    """The outcome that changes nothing."""
    return Accepted((), result_of(card, transaction_id, 0))


def result_of(card: Card, transaction_id: str, delta: int) -> Document:
    """What a reply says of a card: what can be paid with it now, and what the command moved, in the smallest unit."""
    if card.status is None:
        raise TypeError("only a card that is there has a result")
    return {
        "cardId": card.card_id,
        "status": card.status.value,
        "balance": card.spendable,
        "currency": card.pinned.currency,
        "scale": card.scale,
        "transactionId": transaction_id,
        "amount": abs(delta),
    }


def serial_of(states: States, stream: str) -> SerialNumber:
    """Which card has a serial number."""
    serial = states[stream]
    if not isinstance(serial, SerialNumber):
        raise TypeError(f"{stream} holds no serial number")
    return serial

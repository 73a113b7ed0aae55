"""Whole events of the gift card service with their streams, with what the specs have in common filled in.

Each is the next of the card that was given before it: `life` folds steps into events, so that a spec says what happened
and not what follows from it.
"""

from datetime import datetime
from typing import Any

from schemas.giftcard_saga import (
    CardHoldEnded,
    CardHoldPlaced,
    PaymentCancelled,
    PaymentHeld,
    PaymentRefused,
    PaymentSettled,
)
from schemas.giftcards import (
    CancelRecorded,
    CardActivated,
    CardCancelled,
    CardCreated,
    CardExpired,
    CardGivenBack,
    CardImported,
    CardIssued,
    CardRedeemed,
    CardRefunded,
    CardStatus,
    CardType,
    CardTypePut,
    CardVoided,
    CodeSource,
    SerialNumberTaken,
)
from schemas.movements import Source
from tests.unit.giftcard.world import CARD, EARLIER_ID, ONCE, SERIAL, STORE, T0, Booked

CREATED, ACTIVE, REDEEMED = CardStatus.CREATED, CardStatus.ACTIVE, CardStatus.REDEEMED
EXPIRED, VOID, REFUNDED = CardStatus.EXPIRED, CardStatus.VOID, CardStatus.REFUNDED
STREAM = f"card/{STORE}/{CARD}"
CODE = CodeSource(key="1")
TILL = Source(shop="12", till="3", receipt="R-1")
"""Where mutations come from unless a spec says otherwise."""


def put(card_type: CardType = ONCE, version: int = 1, at: datetime = T0) -> Booked:
    """A card type is declared."""
    event = CardTypePut(card_type=card_type, version=version, booked_at=at)
    return f"type/{STORE}/{card_type.code}", event


def taken(at: datetime = T0, card: str = CARD, serial: str = SERIAL) -> Booked:
    """A serial number is a card's."""
    event = SerialNumberTaken(card_id=card, serial_number=serial, booked_at=at)
    return f"serial/{STORE}/{serial}", event


def awaited(transaction: str, at: datetime = T0, source: Source = TILL) -> Booked:
    """A transaction was cancelled before it arrived."""
    event = CancelRecorded(card_id=CARD, transaction_id=transaction, source=source, booked_at=at)
    return STREAM, event


def _event(
    kind: type, sequence: int, old: CardStatus | None, new: CardStatus, delta: int, balance: int, **more: Any
) -> Any:
    rules = more.pop("of", ONCE)
    at = more.pop("at", T0)
    fields: dict[str, Any] = {
        "card_id": CARD,
        "serial_number": SERIAL,
        "card_type": rules.code,
        "currency": rules.currency,
        "scale": 2,
        "sequence": sequence,
        "old_status": old,
        "new_status": new,
        "delta": delta,
        "balance": balance,
        "transaction_id": EARLIER_ID,
        "source": TILL,
        "occurred_at": at,
        "booked_at": at,
    }
    return kind(**{**fields, **more})


def created(of: CardType = ONCE, **more: Any) -> Booked:
    """The card is for sale."""
    return STREAM, _event(CardCreated, 1, None, CREATED, 0, 0, of=of, rules=of, **{"code": CODE, **more})


def imported(status: CardStatus, balance: int, of: CardType = ONCE, **more: Any) -> Booked:
    """The card of another system was taken over."""
    return STREAM, _event(CardImported, 1, None, status, balance, balance, of=of, rules=of, **more)


def issued(amount: int, of: CardType = ONCE, **more: Any) -> Booked:
    """The card was issued with a balance."""
    return STREAM, _event(CardIssued, 1, None, ACTIVE, amount, amount, of=of, rules=of, code=CODE, **more)


def activated(sequence: int, old: CardStatus, amount: int, balance: int, **more: Any) -> Booked:
    """The card was loaded."""
    return STREAM, _event(CardActivated, sequence, old, ACTIVE, amount, balance, **more)


def redeemed(sequence: int, amount: int, balance: int, **more: Any) -> Booked:
    """The card was paid with; it is used up when nothing is left."""
    new = ACTIVE if balance else REDEEMED
    return STREAM, _event(CardRedeemed, sequence, ACTIVE, new, -amount, balance, **more)


def cancelled(
    sequence: int, old: CardStatus, new: CardStatus, delta: int, balance: int, cancels: str, **more: Any
) -> Booked:
    """The latest mutation was cancelled."""
    return STREAM, _event(CardCancelled, sequence, old, new, delta, balance, cancels=cancels, **more)


def voided(sequence: int, old: CardStatus, delta: int, **more: Any) -> Booked:
    """The card was made unusable."""
    return STREAM, _event(CardVoided, sequence, old, VOID, delta, 0, **more)


def refunded(sequence: int, old: CardStatus, delta: int, **more: Any) -> Booked:
    """The balance was paid back."""
    return STREAM, _event(CardRefunded, sequence, old, REFUNDED, delta, 0, **more)


def expired(sequence: int, old: CardStatus, delta: int, **more: Any) -> Booked:
    """The card's time was over."""
    return STREAM, _event(CardExpired, sequence, old, EXPIRED, delta, 0, **{"source": Source(), **more})


TRANSACTION, REVERSAL, ACCOUNT = "T-1", "R-1", "A-1"
IN_TRANSACTION: dict[str, Any] = {"transaction_id": TRANSACTION, "operation": 3}


def given_back(sequence: int, old: CardStatus, amount: int, balance: int, **more: Any) -> Booked:
    """A reversal has given back what operation 3 of the transaction had taken."""
    fields = {"transaction_id": REVERSAL, "reverses": TRANSACTION, "operation": 3, "reason": "sent back", **more}
    return STREAM, _event(CardGivenBack, sequence, old, ACTIVE, amount, balance, **fields)


def placed(amount: int, at: datetime = T0, **more: Any) -> Booked:
    """Something of the card is set aside."""
    return STREAM, CardHoldPlaced(card_id=CARD, amount=amount, booked_at=at, **{**IN_TRANSACTION, **more})


def hold_ended(at: datetime = T0, **more: Any) -> Booked:
    """It is not any more."""
    return STREAM, CardHoldEnded(card_id=CARD, booked_at=at, **{**IN_TRANSACTION, **more})


def payment(model: type, at: datetime = T0, **more: Any) -> Booked:
    """An event of operation 3 of the transaction with the card."""
    event = model(**{"account": ACCOUNT, "card_id": CARD, "booked_at": at, **IN_TRANSACTION, **more})
    return f"payment/{STORE}/{event.transaction_id}/{event.operation}", event


def held(amount: int, at: datetime = T0, **more: Any) -> Booked:
    """The card has decided that it pays."""
    return payment(PaymentHeld, at, amount=amount, **{"currency": "EUR", "scale": 2, "source": TILL, **more})


def payment_refused(code: str, pointer: str | None, detail: str, at: datetime = T0, **more: Any) -> Booked:
    """The card has decided that it does not pay."""
    return payment(PaymentRefused, at, code=code, pointer=pointer, detail=detail, **more)


def payment_cancelled(at: datetime = T0, **more: Any) -> Booked:
    """The transaction was cancelled before the card was held."""
    return payment(PaymentCancelled, at, **more)


def settled(executed: bool, at: datetime = T0, **more: Any) -> Booked:
    """The transaction has closed."""
    return payment(PaymentSettled, at, executed=executed, **more)


def paid(amount: int, at: datetime = T0, **more: Any) -> tuple[Booked, ...]:
    """The payment was held and booked; without its card's own events."""
    return held(amount, at, **more), settled(True, at)

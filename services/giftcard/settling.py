"""What a card does when a transaction, or a reversal, that it takes part in has closed (rules 4.2.2, 4.1.13)."""

from datetime import datetime, timedelta
from typing import Any

from schemas.giftcard_saga import CardHoldEnded, PaymentHeld, PaymentSettled, SettleCard
from schemas.giftcards import CardGivenBack, CardRedeemed, CardRefusal, CardStatus
from schemas.transaction import Context
from schemas.voucher_saga import Decision
from services.giftcard.booking import Outcome, States, booked, card_of, payment_of
from services.giftcard.closing import expired
from services.giftcard.evolve import mutated
from services.giftcard.state import Card, Event, MutationEvent, card_stream, payment_stream
from shared.calendar import first_instant, local_date
from shared.decider import Accepted, Command, Rejected, Streams

GRACE_DAYS = 30
"""A card that gets money back can be used for as many whole local days after today, or longer."""


def settling_streams(command: Command, payload: SettleCard) -> Streams:
    """The card and its part of the transaction."""
    store = command.store
    writes = (card_stream(store, payload.card_id), payment_stream(store, payload.transaction_id, payload.operation))
    return Streams(writes)


def settle(command: Command, payload: SettleCard, states: States) -> Outcome:
    """Book what was held, or let it go; nothing is questioned any more. What is settled stays so.

    What is let go before it was held will never be held.
    """
    payment = payment_of(command, states, payload.transaction_id, payload.operation)
    if not payment.open:
        return Accepted((), {})
    executed, held = payload.decision is Decision.EXECUTED, payment.decided
    settled = PaymentSettled(
        transaction_id=payload.transaction_id,
        operation=payload.operation,
        account=payload.account,
        card_id=payload.card_id,
        executed=executed,
        booked_at=command.now,
    )
    stream = payment_stream(command.store, payload.transaction_id, payload.operation)
    if not isinstance(held, PaymentHeld):
        if executed:
            detail = "nothing of the gift card is held for this transaction"
            return Rejected(CardRefusal.TRANSACTION_UNKNOWN, detail, "/transactionId")
        return Accepted(((stream, settled),), {})
    card = card_of(command, states, held.card_id)
    happened: list[Event] = [_ended(command, held)]
    if executed:
        happened += _booked(command, card, held)
    on_card = card_stream(command.store, card.card_id)
    return Accepted((*((on_card, event) for event in happened), (stream, settled)), {})


def _ended(command: Command, held: PaymentHeld) -> CardHoldEnded:
    return CardHoldEnded(
        card_id=held.card_id, transaction_id=held.transaction_id, operation=held.operation, booked_at=command.now
    )


def _booked(command: Command, card: Card, held: PaymentHeld) -> list[MutationEvent]:
    """The mutation; where money is given back, an expiry that is due comes before it."""
    if held.reverses is None:
        left = card.balance - held.amount
        status = CardStatus.ACTIVE if left else CardStatus.REDEEMED
        return [_mutation(CardRedeemed, command, card, held, status=status, delta=-held.amount)]
    before: list[MutationEvent] = []
    if card.is_due(command.now):
        expiry = expired(command, card)
        before, card = [expiry], mutated(card, expiry)
    more = {"expires_at": _usable_until(card, command.now), "reverses": held.reverses}
    return [*before, _mutation(CardGivenBack, command, card, held, status=CardStatus.ACTIVE, delta=held.amount, **more)]


def _mutation(
    event: type[CardRedeemed] | type[CardGivenBack], command: Command, card: Card, held: PaymentHeld, **more: Any
) -> CardRedeemed | CardGivenBack:
    return booked(
        event,
        command,
        card,
        Context(),
        transaction_id=held.transaction_id,
        operation=held.operation,
        source=held.source,
        comment=held.comment,
        reason=held.reason,
        occurred_at=held.occurred_at or command.now,
        **more,
    )


def _usable_until(card: Card, now: datetime) -> datetime | None:
    if card.expires_at is None:
        return None
    zone = card.pinned.zone
    return max(card.expires_at, first_instant(local_date(now, zone) + timedelta(days=GRACE_DAYS + 1), zone))

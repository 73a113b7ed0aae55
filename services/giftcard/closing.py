"""What ends a gift card: voiding, refunding, and its expiry (rules 4.4.3, 4.4.6)."""

from schemas.giftcards import (
    BookCardDue,
    CardExpired,
    CardRefunded,
    CardStatus,
    CardVoided,
    RefundCard,
    VoidCard,
)
from schemas.transaction import Context
from services.giftcard.booking import Outcome, States, accepted, booked, card_of, ended, in_transaction, unchanged
from services.giftcard.state import Card
from shared.decider import Accepted, Command


def void(command: Command, payload: VoidCard, states: States) -> Outcome:
    """Make a card unusable; what is on it is gone."""
    return _ended_by(CardVoided, CardStatus.VOID, command, payload, states)


def refund(command: Command, payload: RefundCard, states: States) -> Outcome:
    """Pay the balance back and make the card unusable."""
    return _ended_by(CardRefunded, CardStatus.REFUNDED, command, payload, states)


def _ended_by(
    event: type[CardVoided] | type[CardRefunded],
    status: CardStatus,
    command: Command,
    payload: VoidCard | RefundCard,
    states: States,
) -> Outcome:
    card = card_of(command, states, payload.card_id)
    if refused := ended(card, command.now) or in_transaction(card):
        return refused
    done = booked(
        event,
        command,
        card,
        payload.context,
        status=status,
        delta=-card.balance,
        transaction_id=None,
        reason=payload.reason,
    )
    return accepted(command, card, done)


def book_due(command: Command, payload: BookCardDue, states: States) -> Outcome:
    """Book the expiry if it is due: what is left is gone. While something is held it waits until that has ended."""
    card = card_of(command, states, payload.card_id)
    if card.status is None:
        return Accepted((), {"cardId": card.card_id})
    if card.holds or not card.is_due(command.now):
        return unchanged(card, command.id)
    return accepted(command, card, expired(command, card))


def expired(command: Command, card: Card) -> CardExpired:
    """The expiry that is due on a card. It occurred when it was due."""
    return booked(
        CardExpired,
        command,
        card,
        Context(occurred_at=card.expires_at),
        status=CardStatus.EXPIRED,
        delta=-card.balance,
        transaction_id=None,
    )

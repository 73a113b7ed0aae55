"""Taking over cards that exist in another system, with their balances (rules 4.4.8)."""

from schemas.giftcards import CardImported, CardRefusal, ImportCard
from services.giftcard.booking import Outcome, States, accepted_new, booked, card_of, declared_type, minor_of
from services.giftcard.loading import code_source, taken
from shared.decider import Command, Rejected


def import_card(command: Command, payload: ImportCard, states: States) -> Outcome:
    """Book a card as it is elsewhere: the limits of its type count for loads here, and a retired type keeps its cards.

    A card without a code is used by its id alone.
    """
    if refused := taken(command, payload, states):
        return refused
    rules = declared_type(command, states, payload.card_type)
    if isinstance(rules, Rejected):
        return rules
    card = card_of(command, states, payload.card_id)._replace(serial_number=payload.serial_number, rules=rules)
    balance = minor_of(payload.balance, card)
    if isinstance(balance, Rejected):
        return Rejected(balance.code, balance.detail, "/balance")
    if payload.expires_at is not None and payload.expires_at <= command.now:
        return Rejected(CardRefusal.EXPIRY_IN_PAST, "the card has expired already", "/expiresAt")
    event = booked(
        CardImported,
        command,
        card,
        payload.context,
        status=payload.status,
        delta=balance,
        transaction_id=None,
        expires_at=payload.expires_at,
        rules=rules,
        code=code_source(payload.code),
        batch=payload.batch,
    )
    return accepted_new(command, card, event)

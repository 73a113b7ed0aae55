"""Paying with gift cards (rules 4.4.4)."""

from schemas.giftcards import CardRedeemed, CardRefusal, CardStatus, RedeemCard
from services.giftcard.booking import (
    Outcome,
    States,
    accepted,
    booked,
    card_of,
    ended,
    in_currency,
    minor_of,
    of_other_provider,
)
from services.giftcard.loading import cancelled_before
from shared.decider import Command, Rejected
from shared.money import from_minor


def redeem(command: Command, payload: RedeemCard, states: States) -> Outcome:
    """Take the amount from the card; with `allow_partial` as much as there is. Never more than the balance."""
    card = card_of(command, states, payload.card_id)
    if refused := of_other_provider(card, payload.switch_id):
        return refused
    if refused := cancelled_before(card, payload.transaction_id, command.now):
        return refused
    if refused := ended(card, command.now) or in_currency(card, payload.currency):
        return refused
    if card.status is CardStatus.CREATED:
        return Rejected(CardRefusal.GIFT_CARD_NOT_ACTIVE, "the gift card has not been activated", "/cardId")
    amount = minor_of(payload.amount, card)
    if isinstance(amount, Rejected):
        return amount
    taken = min(amount, card.balance) if payload.allow_partial else amount
    if taken == 0 or taken > card.balance:
        there = f"{from_minor(card.balance, card.scale)} {card.pinned.currency}"
        return Rejected(CardRefusal.INSUFFICIENT_BALANCE, f"the gift card has {there}", "/amount")
    event = booked(
        CardRedeemed,
        command,
        card,
        payload.context,
        status=CardStatus.REDEEMED if taken == card.balance else CardStatus.ACTIVE,
        delta=-taken,
        transaction_id=payload.transaction_id,
        asked=amount if taken < amount else None,
    )
    return accepted(command, card, event)

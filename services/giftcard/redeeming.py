"""Paying with gift cards (rules 4.4.4)."""

from datetime import datetime
from decimal import Decimal

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
from services.giftcard.state import Card
from shared.decider import Command, Rejected
from shared.money import from_minor


def redeem(command: Command, payload: RedeemCard, states: States) -> Outcome:
    """Take the amount from the card; with `allow_partial` as much as there is. Never more than can be spent."""
    card = card_of(command, states, payload.card_id)
    if refused := of_other_provider(card, payload.switch_id):
        return refused
    if refused := cancelled_before(card, payload.transaction_id, command.now):
        return refused
    amount = payable(card, payload.amount, payload.currency, command.now)
    if isinstance(amount, Rejected):
        return amount
    taken = min(amount, card.spendable) if payload.allow_partial else amount
    if refused := uncovered(card, taken):
        return refused
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


def payable(card: Card, amount: Decimal, currency: str | None, now: datetime) -> int | Rejected:
    """What is to be paid with a card, in the smallest unit of its currency; or why nothing can be paid with it."""
    if refused := ended(card, now) or in_currency(card, currency):
        return refused
    if card.status is CardStatus.CREATED:
        return Rejected(CardRefusal.GIFT_CARD_NOT_ACTIVE, "the gift card has not been activated", "/cardId")
    return minor_of(amount, card)


def uncovered(card: Card, amount: int) -> Rejected | None:
    """`insufficient_balance`, when the card cannot pay this, or there is nothing that it could pay."""
    if 0 < amount <= card.spendable:
        return None
    there = f"{from_minor(card.spendable, card.scale)} {card.pinned.currency}"
    return Rejected(CardRefusal.INSUFFICIENT_BALANCE, f"the gift card has {there}", "/amount")

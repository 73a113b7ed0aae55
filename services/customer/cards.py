"""Cards: one more, or one instead of another. A number is never given out twice, nor freed (rules 4.1.2, 4.5.1)."""

from dataclasses import replace

from schemas.customers import AddCard, CardAdded, CardReplaced, ClaimKind, CustomerRefusal, ReplaceCard
from services.customer.claims import Keys, claim_key, refused, wanted_card
from services.customer.desk import Outcome, States, accepted, claimed, customer_of, known_number, own, present
from services.customer.people import card_number
from services.customer.state import Event
from shared.decider import Command, FollowUp, Rejected
from shared.ids import account_id

CARDS_MAX = 50


def add_card(keys: Keys, command: Command, payload: AddCard, states: States) -> Outcome:
    """One more card; one that the customer has is a no-op."""
    customer, number = customer_of(command, states), card_number(keys, command, payload.card_number)
    if wrong := present(customer):
        return wrong
    if customer.card(number) is not None:
        return accepted(command, cardNumber=number)
    if len(customer.cards) >= CARDS_MAX:
        return _too_many("/cardNumber")
    wanted = wanted_card(keys, command.store, number, "/cardNumber")
    if taken := refused(command.store, customer.customer, [wanted], states):
        return taken
    told = CardAdded(customer=customer.customer, card_number=number, booked_at=command.now)
    booked = accepted(command, own(command, Event(told)), _taking(keys, command, number), cardNumber=number)
    return replace(booked, follow_ups=(known_number(command, number),))


def replacement_number(keys: Keys, command: Command, payload: ReplaceCard) -> str:
    """The number of the new card: given, or else drawn."""
    return card_number(keys, command, payload.new_number)


def replace_card(keys: Keys, command: Command, payload: ReplaceCard, states: States) -> Outcome:
    """A new card instead of one in use; its number is to lead to the account of the old one, opened by it or not."""
    customer, number = customer_of(command, states), replacement_number(keys, command, payload)
    if wrong := present(customer):
        return wrong
    old = customer.main_card if payload.card_number is None else customer.card(payload.card_number)
    if old is None:
        return Rejected(CustomerRefusal.CARD_UNKNOWN, "the customer has no such card", "/cardNumber")
    if old.replaced_by is not None:
        return Rejected(CustomerRefusal.CARD_REPLACED, "the card has been replaced already", "/cardNumber")
    if len(customer.cards) >= CARDS_MAX:
        return _too_many("/newNumber")
    wanted = wanted_card(keys, command.store, number, "/newNumber")
    nobody = ""  # Not even the customer may have the new number already.
    if taken := refused(command.store, nobody, [wanted], states):
        return taken
    told = CardReplaced(customer=customer.customer, card_number=old.number, new_number=number, booked_at=command.now)
    booked = accepted(command, own(command, Event(told)), _taking(keys, command, number), cardNumber=number)
    account = account_id(command.store, old.number)
    leading = {"accountNumber": old.number, "newNumber": number}
    follow_up = FollowUp("points.commands", "points.replace_card.v1", account, leading)
    return replace(booked, follow_ups=(follow_up, known_number(command, number)))


def _taking(keys: Keys, command: Command, number: str) -> tuple[str, Event]:
    return claimed(command, ClaimKind.CARD, claim_key(keys, command.store, ClaimKind.CARD, number))


def _too_many(pointer: str) -> Rejected:
    return Rejected(CustomerRefusal.TOO_MANY_CARDS, f"a customer has at most {CARDS_MAX} cards", pointer)

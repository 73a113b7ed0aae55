"""Folding one event into one state: an event tells what happened, and this is all that comes of it."""

from dataclasses import replace
from typing import assert_never

from schemas.customers import (
    CardAdded,
    CardReplaced,
    Claimed,
    ClaimReleased,
    CustomerAnonymised,
    CustomerCreated,
    CustomerState,
    CustomerStateChanged,
    CustomerUpdated,
)
from services.customer.profile import Profile
from services.customer.state import Card, Claim, Customer, Event, Personal, State


def evolve(state: State, event: Event) -> State:
    """The state after `event`; of what was blanked since, nothing comes.

    :raises TypeError: when the event cannot happen to such a state.
    """
    told = event.told
    if isinstance(state, Claim):
        match told:
            case Claimed():
                return replace(state, owner=told.customer)
            case ClaimReleased():
                return replace(state, owner=None)
            case _:
                raise TypeError(f"{told.type} does not happen to a claim")
    after = _evolve_customer(state, event)
    return replace(after, booked_at=told.booked_at)


def _evolve_customer(customer: Customer, event: Event) -> Customer:
    told = event.told
    match told:
        case CustomerCreated():
            card = Card(told.card_number, told.booked_at)
            created = replace(customer, state=told.state, cards=(card,), created_at=told.booked_at)
            return _with_personal(created, event.personal)
        case CustomerUpdated():
            return _with_personal(customer, event.personal)
        case CardAdded():
            return replace(customer, cards=(*customer.cards, Card(told.card_number, told.booked_at)))
        case CardReplaced():
            replaced = told.card_number
            cards = [
                each._replace(replaced_by=told.new_number) if each.number == replaced else each
                for each in customer.cards
            ]
            return replace(customer, cards=(*cards, Card(told.new_number, told.booked_at)))
        case CustomerStateChanged():
            return replace(customer, state=told.to)
        case CustomerAnonymised():
            return replace(
                customer,
                state=CustomerState.DELETED,
                anonymised_at=told.booked_at,
                gone_by=told.gone_by,
                profile=Profile(),
                claims={},
            )
        case ClaimReleased():
            return customer
        case Claimed():
            raise TypeError(f"{told.type} does not happen to a customer")
        case _:
            assert_never(told)


def _with_personal(customer: Customer, personal: Personal | None) -> Customer:
    """What is known and claimed from now on; of a blanked event both are empty."""
    if personal is None:
        return replace(customer, profile=Profile(), claims={})
    return replace(customer, profile=personal.profile or Profile(), claims=dict(personal.claims or {}))

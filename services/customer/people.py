"""Creating and updating customers, and their states (rules 4.5.3)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

from schemas.customers import (
    ClaimKind,
    CreateCustomer,
    CustomerCreated,
    CustomerRefusal,
    CustomerStateChanged,
    CustomerUpdated,
    SetCustomerState,
    UpdateCustomer,
)
from services.customer.claims import Keys, Wanted, refused, release, wanted_card, wanted_contacts
from services.customer.desk import Outcome, States, accepted, claimed, customer_of, known, known_number, own, present
from services.customer.profile import Profile, changed, described
from services.customer.state import Event, Personal
from shared.decider import Command, Rejected
from shared.numbers import drawn_number

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ZONES = timedelta(days=1)
"""Somewhere it may be tomorrow already."""


def card_number(keys: Keys, command: Command, given: str | None) -> str:
    """The card number that is given, or else drawn."""
    return given or drawn_number(keys.secret, command.store, command.id)


def create(keys: Keys, command: Command, payload: CreateCustomer, states: States) -> Outcome:
    """A new customer with all that is given, and a card."""
    customer, store = customer_of(command, states), command.store
    if not _ID.fullmatch(command.subject):
        return Rejected(CustomerRefusal.CUSTOMER_ID_INVALID, "a customer's id is a UUID in lower case")
    if customer.state is not None:
        return Rejected(CustomerRefusal.CUSTOMER_EXISTS, "there is a customer with this id already")
    profile = described(Profile(), payload.customer_info, payload.contact_data)
    if wrong := _too_young(profile, command):
        return wrong
    number = card_number(keys, command, payload.card_number)
    contacts = wanted_contacts(keys, store, payload)
    wanted = [*contacts, wanted_card(keys, store, number, "/cardNumber")]
    if taken := refused(store, customer.customer, wanted, states):
        return taken
    created = Event(
        CustomerCreated(customer=customer.customer, state=payload.state, card_number=number, booked_at=command.now),
        Personal(profile, _claims({}, contacts)),
    )
    claims = [claimed(command, each.kind, each.key) for each in wanted if each.key is not None]
    booked = accepted(command, own(command, created), *claims, cardNumber=number)
    return replace(booked, follow_ups=(known_number(command, number),))


def update(keys: Keys, command: Command, payload: UpdateCustomer, states: States) -> Outcome:
    """What else is known of the customer; claims of what is given up are released by follow-ups."""
    customer, store = customer_of(command, states), command.store
    if wrong := present(customer):
        return wrong
    profile = described(customer.profile, payload.customer_info, payload.contact_data)
    if wrong := _too_young(profile, command):
        return wrong
    contacts = wanted_contacts(keys, store, payload)
    if taken := refused(store, customer.customer, contacts, states):
        return taken
    before, claims = customer.claims, _claims(customer.claims, contacts)
    if profile == customer.profile and claims == before:
        return accepted(command)
    names = changed(customer.profile, profile)
    told = CustomerUpdated(customer=customer.customer, changed=names, booked_at=command.now)
    taking = [claimed(command, kind, key) for kind, key in claims.items() if before.get(kind) != key]
    giving_up = [release(customer.customer, kind, key) for kind, key in before.items() if claims.get(kind) != key]
    booked = accepted(command, own(command, Event(told, Personal(profile, claims))), *taking)
    return replace(booked, follow_ups=tuple(giving_up))


def set_state(command: Command, payload: SetCustomerState, states: States) -> Outcome:
    """Activate, block, delete or restore; a deleted customer keeps everything, and everything stays taken."""
    customer = customer_of(command, states)
    if wrong := known(customer):
        return wrong
    if customer.state is None or customer.state is payload.state:
        return accepted(command, state=payload.state.value)
    told = CustomerStateChanged(
        customer=customer.customer, from_=customer.state, to=payload.state, booked_at=command.now
    )
    return accepted(command, own(command, Event(told, Personal(reason=payload.reason))), state=payload.state.value)


def _claims(before: Mapping[ClaimKind, str], wanted: Iterable[Wanted]) -> dict[ClaimKind, str]:
    """The claims after a command, by kind: those that it does not name stay."""
    claims = {**before, **{each.kind: each.key for each in wanted}}
    return {kind: key for kind, key in claims.items() if key is not None}


def _too_young(profile: Profile, command: Command) -> Rejected | None:
    if profile.date_of_birth is not None and profile.date_of_birth > (command.now + _ZONES).date():
        detail = "the date of birth lies in the future"
        return Rejected(CustomerRefusal.BIRTH_DATE_IN_FUTURE, detail, "/customerInfo/dateOfBirth")
    return None

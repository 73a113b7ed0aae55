"""Deciding the commands of the customer service: events or a refusal, from states, the command and nothing else."""

from typing import assert_never

from schemas.customers import (
    AddCard,
    AnonymiseCustomer,
    CreateCustomer,
    ReleaseClaim,
    ReplaceCard,
    SetCustomerState,
    UpdateCustomer,
)
from services.customer.cards import add_card, replace_card, replacement_number
from services.customer.claims import Keys, streams_of, wanted_card, wanted_contacts
from services.customer.desk import Outcome, States
from services.customer.forgetting import anonymise, release_claim
from services.customer.people import card_number, create, set_state, update
from services.customer.state import claim_stream, customer_stream
from shared.decider import Command, Streams

Payload = CreateCustomer | UpdateCustomer | AddCard | ReplaceCard | SetCustomerState | AnonymiseCustomer | ReleaseClaim


def streams(keys: Keys, command: Command) -> Streams:
    """The customer, and the claims of the values that the command names; all of them may be written."""
    payload: Payload = command.payload
    store, customer = command.store, customer_stream(command.store, command.subject)
    match payload:
        case CreateCustomer():
            number = wanted_card(keys, store, card_number(keys, command, payload.card_number), "/cardNumber")
            return Streams((customer, *streams_of(store, [*wanted_contacts(keys, store, payload), number])))
        case UpdateCustomer():
            return Streams((customer, *streams_of(store, wanted_contacts(keys, store, payload))))
        case AddCard():
            number = wanted_card(keys, store, card_number(keys, command, payload.card_number), "/cardNumber")
            return Streams((customer, *streams_of(store, [number])))
        case ReplaceCard():
            number = wanted_card(keys, store, replacement_number(keys, command, payload), "/newNumber")
            return Streams((customer, *streams_of(store, [number])))
        case SetCustomerState() | AnonymiseCustomer():
            return Streams((customer,))
        case ReleaseClaim():
            return Streams((customer, claim_stream(store, payload.kind, payload.key)))
        case _:
            assert_never(payload)


def decide(keys: Keys, command: Command, states: States) -> Outcome:
    """Decide `command` on the states of its streams."""
    payload: Payload = command.payload
    match payload:
        case CreateCustomer():
            return create(keys, command, payload, states)
        case UpdateCustomer():
            return update(keys, command, payload, states)
        case AddCard():
            return add_card(keys, command, payload, states)
        case ReplaceCard():
            return replace_card(keys, command, payload, states)
        case SetCustomerState():
            return set_state(command, payload, states)
        case AnonymiseCustomer():
            return anonymise(command, states)
        case ReleaseClaim():
            return release_claim(command, payload, states)
        case _:
            assert_never(payload)

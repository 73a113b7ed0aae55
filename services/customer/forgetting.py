"""Forgetting a person, and freeing what the person had alone (rules 4.5.6)."""

from dataclasses import replace
from datetime import timedelta

from schemas.base import format_instant
from schemas.customers import ClaimKind, ClaimReleased, CustomerAnonymised, ReleaseClaim
from services.customer.claims import claim_of, release
from services.customer.desk import Outcome, States, accepted, close_account, customer_of, known, own
from services.customer.state import Event, claim_stream, customer_stream
from shared.decider import Command

GONE_AFTER = timedelta(days=7)
"""What the topics of commands, replies and snapshots take to lose what is personal (protocol P10)."""

LETTERS_KEPT = timedelta(days=6)
"""As long as the topic that carried them. Whose data a command has that can't be read, nobody can tell for certain:
it may come after the person was forgotten, or under another id. So no dead letter stays."""


def anonymise(command: Command, states: States) -> Outcome:
    """Blank what is personal, here and in the journal; free e-mail and phone; have the accounts of all cards closed.

    Told again, it has the accounts closed again, which changes nothing.
    """
    customer = customer_of(command, states)
    closing = tuple([close_account(command, card.number) for card in customer.cards])
    if customer.anonymised_at is not None and customer.gone_by is not None:
        return replace(accepted(command, goneBy=format_instant(customer.gone_by)), follow_ups=closing)
    if wrong := known(customer):
        return wrong
    gone_by = command.now + GONE_AFTER
    told = CustomerAnonymised(customer=customer.customer, gone_by=gone_by, booked_at=command.now)
    booked = accepted(command, own(command, Event(told)), goneBy=format_instant(gone_by))
    freed = tuple([release(customer.customer, kind, key) for kind, key in customer.claims.items()])
    return replace(booked, follow_ups=(*freed, *closing), erase=(customer_stream(command.store, command.subject),))


def release_claim(command: Command, payload: ReleaseClaim, states: States) -> Outcome:
    """Free a claim of the customer's, unless the value is the customer's again; writes both, as `claims` explains."""
    customer, kind, key = customer_of(command, states), payload.kind, payload.key
    owner = claim_of(command.store, kind, key, states).owner
    if owner != customer.customer or customer.claims.get(kind) == key or kind is ClaimKind.CARD:
        return accepted(command, released=False)
    told = Event(ClaimReleased(customer=customer.customer, claim=kind, booked_at=command.now))
    return accepted(command, own(command, told), (claim_stream(command.store, kind, key), told), released=True)

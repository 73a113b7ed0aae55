"""States as documents: how the snapshots keep them; what is personal stands apart (rules 4.5.6)."""

from typing import assert_never

from schemas.customers import CustomerState
from services.customer.events import dump_claims, dump_profile, load_claims, load_profile
from services.customer.profile import Profile
from services.customer.state import Card, Claim, Customer, State, initial
from shared.clock import as_utc
from shared.decider import Document
from shared.shapes import Shape, unchanged

SHAPES = {
    Customer: Shape("customer.customer", unchanged),
    Claim: Shape("customer.claim", unchanged),
}
"""By the type of the state; a step that is added upgrades what is stored already."""


def dump_state(state: State) -> Document:
    """A BSON-ready document; that of an anonymised customer has no member `personal`."""
    return SHAPES[type(state)].stamp(_dumped(state))


def _dumped(state: State) -> Document:
    match state:
        case Customer():
            return _dump_customer(state)
        case Claim():
            return {"owner": state.owner}
        case _:
            assert_never(state)


def load_state(stream: str, document: Document) -> State:
    """The state of `stream` that `dump_state` gave; instants may come back naive or with another UTC."""
    empty = initial(stream)
    document = SHAPES[type(empty)].upgrade(document)
    match empty:
        case Customer(customer=customer):
            return _load_customer(customer, document)
        case Claim(name=name):
            return Claim(name, document["owner"])
        case _:
            assert_never(empty)


def _dump_customer(customer: Customer) -> Document:
    document: Document = {
        "state": None if customer.state is None else customer.state.value,
        "cards": [card._asdict() for card in customer.cards],
        "created_at": customer.created_at,
        "booked_at": customer.booked_at,
    }
    if customer.anonymised_at is not None:
        return {**document, "anonymised_at": customer.anonymised_at, "gone_by": customer.gone_by}
    personal = {"profile": dump_profile(customer.profile), "claims": dump_claims(customer.claims)}
    return {**document, "personal": personal}


def _load_customer(customer: str, document: Document) -> Customer:
    personal = document.get("personal")
    return Customer(
        customer,
        None if document["state"] is None else CustomerState(document["state"]),
        tuple([_load_card(card) for card in document["cards"]]),
        as_utc(document["created_at"]),
        as_utc(document["booked_at"]),
        as_utc(document.get("anonymised_at")),
        as_utc(document.get("gone_by")),
        Profile() if personal is None else load_profile(personal["profile"]),
        {} if personal is None else load_claims(personal["claims"]),
    )


def _load_card(document: Document) -> Card:
    since = as_utc(document["since"])
    if since is None:
        raise ValueError("a card without an instant")
    return Card(document["number"], since, document["replaced_by"])

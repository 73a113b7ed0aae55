"""The states of the customer service, its streams, and an event as the journal keeps it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from schemas.customers import ClaimKind, CustomerEvent, CustomerState
from services.customer.profile import Profile


class Personal(NamedTuple):
    """What an event has that is personal: the profile and the claims as they are after it, or a reason by hand.

    The journal blanks it when the customer is anonymised, and no topic of events ever has it (rules 4.5.6).
    """

    profile: Profile | None = None
    claims: Mapping[ClaimKind, str] | None = None
    reason: str | None = None


class Event(NamedTuple):
    """An event: what is told of it, and what is personal, if anything is or still is."""

    told: CustomerEvent
    personal: Personal | None = None


class Card(NamedTuple):
    """A card of a customer, and the number that replaced it."""

    number: str
    since: datetime
    replaced_by: str | None = None


_NOBODY = Profile()


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer; without a state nobody has been created yet.

    `claims` has the keyed hashes of the e-mail and the phone that the customer has in the store alone. The profile is
    empty again once the customer was anonymised.
    """

    customer: str
    state: CustomerState | None = None
    cards: tuple[Card, ...] = ()
    created_at: datetime | None = None
    booked_at: datetime | None = None
    anonymised_at: datetime | None = None
    gone_by: datetime | None = None
    profile: Profile = _NOBODY
    claims: Mapping[ClaimKind, str] = field(default_factory=dict)

    def card(self, number: str) -> Card | None:
        """The customer's card with this number."""
        return next((each for each in self.cards if each.number == number), None)

    @property
    def main_card(self) -> Card:
        """The first card, or the one that it was replaced by.

        :raises LookupError: nobody has been created yet.
        """
        card = self.cards[0]
        while card.replaced_by is not None:
            following = self.card(card.replaced_by)
            if following is None:
                raise LookupError(f"{card.replaced_by} replaced a card and is none")
            card = following
        return card


@dataclass(frozen=True, slots=True)
class Claim:
    """Who may have a value of which only one customer of a store may; `name` is `<kind>/<keyed hash>`."""

    name: str
    owner: str | None = None


State = Customer | Claim


def customer_stream(store: str, customer: str) -> str:
    """The stream of a customer."""
    return f"customer/{store}/{customer}"


def claim_stream(store: str, kind: ClaimKind, key: str) -> str:
    """The stream of a claim; `key` is the keyed hash of the value."""
    return f"claim/{store}/{kind}/{key}"


_INITIAL: dict[str, Callable[[str], State]] = {"customer": Customer, "claim": Claim}


def initial(stream: str) -> State:
    """The state of a stream that nothing has happened on yet.

    :raises ValueError: when the name is that of no stream of this service.
    """
    kind, _, rest = stream.partition("/")
    make = _INITIAL.get(kind)
    if make is None:
        raise ValueError(f"{stream} is no stream of the customer service")
    return make(rest.split("/", 1)[1])

"""What must hold of every customer besides what its journal gives: cards, claims, and nothing left of the forgotten."""

from collections import Counter
from collections.abc import Iterator

from schemas.customers import ClaimKind, CustomerState
from services.customer.profile import Profile
from services.customer.state import Customer, Event, State
from shared.findings import Difference


def check_event(_state: State, _event: Event) -> Iterator[Difference]:
    """Events have no identities of their own."""
    yield from ()


def check_state(state: State) -> Iterator[Difference]:
    """What is wrong with a customer as it stands; a claim has no identities."""
    if not isinstance(state, Customer) or state.state is None:
        return
    for number, count in Counter([card.number for card in state.cards]).items():
        if count > 1:
            yield Difference("cards", "each number once", f"{number} {count} times")
    for card in state.cards:
        if card.replaced_by is not None and state.card(card.replaced_by) is None:
            yield Difference(f"card {card.number}", "replaced by a card", f"replaced by {card.replaced_by}")
    if ClaimKind.CARD in state.claims:
        yield Difference("claims", "of e-mail and phone", "of a card")
    if state.anonymised_at is not None:
        if state.profile != Profile() or state.claims:
            yield Difference("personal", "nothing", "something")  # And not what: it is personal.
        if state.state is not CustomerState.DELETED:
            yield Difference("state", CustomerState.DELETED, state.state)

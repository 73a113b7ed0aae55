"""What commands for operators read of the gift card service's states."""

from schemas.giftcards import CardType
from services.giftcard.decider import DECIDER
from services.giftcard.state import Batch, Card, DeclaredType
from shared.runtime.journal import Stored


def card_type_of(stream: str, stored: Stored) -> CardType | None:
    """A card type as it is now."""
    state = DECIDER.load_state(stream, stored.document["state"])
    return state.card_type if isinstance(state, DeclaredType) else None


def card_of(stream: str, stored: Stored) -> Card | None:
    """A card as it is now."""
    state = DECIDER.load_state(stream, stored.document["state"])
    return state if isinstance(state, Card) and state.status is not None else None


def batch_of(stream: str, stored: Stored) -> Batch | None:
    """A batch as it is now."""
    state = DECIDER.load_state(stream, stored.document["state"])
    return state if isinstance(state, Batch) and state.opened_at is not None else None

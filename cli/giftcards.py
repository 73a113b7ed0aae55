"""What commands for operators read of the gift card service's states."""

from schemas.giftcards import CARD_TYPE_VIEW, CARD_VIEW, CardType, CardTypeView
from schemas.text import STORED
from services.giftcard.decider import DECIDER
from services.giftcard.state import Batch, Card
from shared.decider import Document
from shared.runtime.journal import Stored


def card_type_of(stream: str, stored: Stored) -> CardType | None:
    """A card type as it is now."""
    value = _value(CARD_TYPE_VIEW, stream, stored)
    return None if value is None else CardTypeView.model_validate(value, context=STORED).card_type


def card_view(stream: str, stored: Stored) -> Document | None:
    """A card as the service publishes it, a `CardView` in JSON's types; None when there is nothing to show."""
    return _value(CARD_VIEW, stream, stored)


def card_of(stream: str, stored: Stored) -> Card | None:
    """A card as it is now."""
    state = DECIDER.load_state(stream, stored.document["state"])
    return state if isinstance(state, Card) and state.status is not None else None


def batch_of(stream: str, stored: Stored) -> Batch | None:
    """A batch as it is now."""
    state = DECIDER.load_state(stream, stored.document["state"])
    return state if isinstance(state, Batch) and state.opened_at is not None else None


def _value(kind: str, stream: str, stored: Stored) -> Document | None:
    view = DECIDER.views(DECIDER.load_state(stream, stored.document["state"]))
    return view.value if view is not None and view.type == kind else None

"""What commands for operators read of the gift card service's states."""

from schemas.giftcards import CARD_TYPE_VIEW, CARD_VIEW, CardType, CardTypeView
from schemas.text import STORED
from services.giftcard.decider import DECIDER
from shared.decider import Document
from shared.runtime.journal import Stored


def card_view(stream: str, stored: Stored) -> Document | None:
    """A card as the service publishes it, a `CardView` in JSON's types; None when there is nothing to show."""
    return _value(CARD_VIEW, stream, stored)


def card_type_of(stream: str, stored: Stored) -> CardType | None:
    """A card type as it is now."""
    value = _value(CARD_TYPE_VIEW, stream, stored)
    return None if value is None else CardTypeView.model_validate(value, context=STORED).card_type


def _value(kind: str, stream: str, stored: Stored) -> Document | None:
    view = DECIDER.views(DECIDER.load_state(stream, stored.document["state"]))
    return view.value if view is not None and view.type == kind else None

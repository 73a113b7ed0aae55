"""The commands by which the sweep has the expiry of gift cards booked (rules 4.4.6)."""

from services.giftcard.state import aggregate_of
from shared.decider import Document, Wake


def wake(stream: str, _state: Document) -> Wake | None:
    """The command for a card whose snapshot says that its time has come; `decide` looks at it again."""
    if not stream.startswith("card/"):
        return None
    card_id = aggregate_of(stream)
    return Wake("giftcard.book_due.v1", card_id, {"cardId": card_id})

"""Events as documents: how the journal keeps them, as the wire shows them, members that are null left out."""

from pydantic import TypeAdapter

from schemas.giftcards import CardEvent
from schemas.text import STORED
from services.giftcard.state import Event
from shared.decider import Document

_EVENTS: TypeAdapter[Event] = TypeAdapter(CardEvent)


def dump_event(event: Event) -> Document:
    """The event in JSON's types, with the wire's names; what is null is left out."""
    return event.model_dump(mode="json", by_alias=True, exclude_none=True)


def load_event(document: Document) -> Event:
    """The event that `dump_event` gave.

    :raises pydantic.ValidationError: when the document is no event of this service.
    """
    return _EVENTS.validate_python(document, context=STORED)

"""Models of batches of gift cards."""

from schemas.base import Published, Wire
from schemas.giftcard_batches import BatchState, CardCount
from schemas.text import Key
from schemas.transaction import Context
from services.edge.http.models import InstantText


class BatchRequest(Wire):
    """Cards of a type to create for sale; the caller chooses the id of their batch."""

    batch_id: Key
    card_type: Key
    count: CardCount
    context: Context = Context()


class BatchAnswer(Published):
    """A batch of gift cards: `created` of `count` cards are there. Card numbers and codes are exported by operators."""

    batch_id: str
    card_type: str
    count: int
    created: int
    state: BatchState
    opened_at: InstantText
    changed_at: InstantText


class BatchesAnswer(Published):
    """Batches by id. `next` is the path of the page after this one, null when there is none."""

    batches: tuple[BatchAnswer, ...]
    next: str | None

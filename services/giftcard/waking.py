"""The commands by which the sweep has expiries booked and late batches continued (rules 4.4.6, 4.4.7)."""

from services.giftcard.batches import next_fill
from services.giftcard.documents import load_state
from services.giftcard.state import Batch, aggregate_of
from shared.decider import Document, Wake


def wake(stream: str, state: Document) -> Wake | None:
    """The command for a stream whose snapshot says that its time has come; `decide` looks at it again."""
    name = aggregate_of(stream)
    if stream.startswith("card/"):
        return Wake("giftcard.book_due.v1", name, {"cardId": name})
    if stream.startswith("batch/"):
        batch = load_state(stream, state)
        return Wake("giftcard.fill_batch.v1", name, next_fill(batch)) if isinstance(batch, Batch) else None
    return None

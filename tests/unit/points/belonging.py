"""Where an event of the points service belongs: said by the specs themselves, beside what the service does."""

from schemas.holds import HoldEvent
from schemas.orders import OrderEvent
from schemas.points import CatalogueNews, ProgrammeApplied, ReversalEvent
from schemas.receipts import ReceiptEvent
from services.points.state import Event
from services.points.streams import (
    account_stream,
    catalogue_stream,
    order_stream,
    programme_stream,
    receipt_stream,
    reversals_stream,
    transaction_stream,
)


def streams_of(store: str, event: Event) -> tuple[str, ...]:
    """The streams that an event belongs on, in the order of booking; of an order, that without a shop."""
    if isinstance(event, ProgrammeApplied):
        return programme_stream(store, event.programme.id), catalogue_stream(store)
    if isinstance(event, CatalogueNews):
        return (catalogue_stream(store),)
    if isinstance(event, OrderEvent):
        return (order_stream(store, event.order),)
    if isinstance(event, ReceiptEvent):
        return (receipt_stream(store, event.account, event.receipt),)
    if isinstance(event, HoldEvent):
        return (transaction_stream(store, event.transaction_id),)
    if isinstance(event, ReversalEvent):
        return (reversals_stream(store, event.transaction_id),)
    return (account_stream(store, event.account),)

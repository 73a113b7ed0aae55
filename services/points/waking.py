"""The commands for which the sweep wakes quiet accounts, orders and late transactions (rules 4.1.5, 4.1.9, 4.2.2)."""

from services.points.documents import SHAPES
from services.points.held import Hold
from services.points.orders.documents import ORDER
from services.points.orders.state import Order
from services.points.state import initial
from services.points.streams import aggregate_of
from shared.decider import Document, Wake


def wake(stream: str, state: Document) -> Wake | None:
    """The command for a stream whose snapshot says that something is due; `decide` looks at it again."""
    if stream.startswith("account/"):
        return Wake("points.book_due.v1", aggregate_of(stream), {})
    if isinstance(order := initial(stream), Order):
        waiting = ORDER.upgrade(state)["waiting"]
        accounts = [fact["account"] for fact in waiting if not fact.get("reported")]
        named = {"order": order.id} | ({} if order.shop is None else {"shop": order.shop})
        return Wake("points.report_order.v1", accounts[0], named) if accounts else None
    if stream.startswith("transaction/"):
        return Wake(
            "points.cancel_held.v1", SHAPES[Hold].upgrade(state)["account"], {"transactionId": aggregate_of(stream)}
        )
    return None

"""How long facts wait for their order, or for what goes before them, until that is reported (rules 4.1.9)."""

from datetime import datetime, timedelta

from services.points.orders.state import Fact, Order

UNKNOWN_AFTER = timedelta(days=7)


def unreported(order: Order) -> list[Fact]:
    """The facts that wait, and whose waiting was not reported yet."""
    return [fact for fact in order.waiting.values() if not fact.reported]


def due_at(order: Order) -> datetime | None:
    """When the first of them has waited for too long; None is never."""
    return min((fact.booked_at + UNKNOWN_AFTER for fact in unreported(order)), default=None)

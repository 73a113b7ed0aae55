"""Whether order numbers are unique in the store, or in each of its shops (rules 4.1.8)."""

from typing import Literal

from schemas.base import Instant, Published, Wire

UniquePer = Literal["store", "shop"]

PUT_ORDER_NUMBERS = "points.put_order_numbers.v1"


class OrderNumbers(Wire):
    """Where an order number names one order: in the whole `store`, or in each `shop`, which numbers its own orders."""

    unique_per: UniquePer


class PutOrderNumbers(OrderNumbers):
    """`points.put_order_numbers.v1`: where an order number names one order."""


class OrderNumbersApplied(Published):
    """`points.order_numbers_applied.v1`: orders that come from now on are told apart like this."""

    type: Literal["points.order_numbers_applied.v1"] = "points.order_numbers_applied.v1"
    unique_per: UniquePer
    version: int
    booked_at: Instant

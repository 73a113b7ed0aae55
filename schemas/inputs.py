"""What other systems publish to us. The value of each record is the JSON body; who and when is in the headers."""

from schemas.base import Wire
from schemas.orders import OrderAmendment, OrderCancellation, OrderFulfilment, OrderPlacement, OrderReturn
from schemas.transaction import Transaction

FULFILMENTS: dict[str, type[Wire]] = {
    # The LoyaltyVault document's body, its tolerant keys included; `ce_subject` is the account number.
    "loyalty.transaction.v1": Transaction,
    "order.fulfilled.v1": OrderFulfilment,
    "order.cancelled.v1": OrderCancellation,
    "order.returned.v1": OrderReturn,
}
"""The types on `oms.fulfilments`. Of the facts about orders, `ce_subject` is the order number."""

ORDERS: dict[str, type[Wire]] = {
    "order.placed.v1": OrderPlacement,
    "order.amended.v1": OrderAmendment,
}
"""The types on `webshop.orders`; `ce_subject` is the order number."""

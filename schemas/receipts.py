"""Loads for a receipt where orders earn: an order of that number earns nothing there (rules 4.1.10)."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Instant, Published, Wire
from schemas.orders import OrderEvent
from schemas.text import Key, Text

FREE_RECEIPT = "points.free_receipt.v1"


class FreeReceipt(Wire):
    """`points.free_receipt.v1`: a transaction's loads for the receipt were released, or are wholly reversed.

    Sent by the points service to itself. `shop` is there when it is part of the receipt's identity.
    """

    account_number: Key
    receipt: Text
    transaction_id: Key
    programmes: Annotated[tuple[Key, ...], Field(min_length=1)]
    shop: Text | None = None


class _ReceiptEvent(Published):
    receipt: str
    account: str
    account_number: str
    transaction_id: str
    programmes: tuple[str, ...]
    booked_at: Instant
    shop: str | None = None


class ReceiptLoaded(_ReceiptEvent):
    """`points.receipt_loaded.v1`: the account's order of this number earns nothing in these programmes from now on.

    The transaction loads points there, or will when it is captured.
    """

    type: Literal["points.receipt_loaded.v1"] = "points.receipt_loaded.v1"


class ReceiptFreed(_ReceiptEvent):
    """`points.receipt_freed.v1`: that transaction's loads keep the order from earning no more."""

    type: Literal["points.receipt_freed.v1"] = "points.receipt_freed.v1"


ReceiptEvent = ReceiptLoaded | ReceiptFreed
OrderNews = OrderEvent | ReceiptEvent

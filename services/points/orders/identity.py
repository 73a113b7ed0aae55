"""Which order a command is about: by its number, or by shop and number where shops number their own (rules 4.1.8).

A command names the streams of both before the store's setting is read; deciding picks one. Once shops number their own
orders it stays so. What was known under a number alone before goes on under it, so that nothing that waited or was
promised is lost or earned twice.
"""

from schemas.refusals import PointsRefusal
from schemas.text import REFERENCE
from services.points.booking import Booking
from services.points.desk import States, is_own
from services.points.orders.state import Order
from services.points.streams import order_stream
from shared.decider import Rejected


def order_streams_of(store: str, number: str, shop: str | None) -> tuple[str, ...]:
    """The streams of which one is the order's."""
    alone = order_stream(store, number)
    return (alone, order_stream(store, number, shop)) if shop else (alone,)


def named_shop(booking: Booking, shop: str | None, pointer: str) -> Rejected | None:
    """`shop_required` where shops number their own orders and the shop is not told, or is no name."""
    if booking.catalogue.order_numbers == "store" or (shop and REFERENCE.fit(shop)):
        return None
    detail = f"each shop of this store numbers its own orders: name the shop; its name {REFERENCE.wanted}"
    return Rejected(PointsRefusal.SHOP_REQUIRED, detail, pointer)


def order_stream_of(booking: Booking, number: str, shop: str | None, states: States) -> str | Rejected:
    """The stream of the order, or `shop_required`."""
    store, catalogue = booking.command.store, booking.catalogue
    alone = order_stream(store, number)
    if refused := named_shop(booking, shop, "/shop"):
        return refused
    if catalogue.order_numbers == "store" or shop is None or _was_known(booking, states[alone], shop):
        return alone
    return order_stream(store, number, shop)


def _was_known(booking: Booking, order: Order, shop: str) -> bool:
    """Whether the order was known under its number alone; one whose shop is not known, by the account."""
    if order.shop:
        return order.shop == shop
    accounts = {order.account} if order.revision else {fact.account for fact in order.waiting.values()}
    return any(is_own(booking, account) for account in accounts)

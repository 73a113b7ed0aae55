"""Forgetting what was loaded for an order's receipt, once that was released or wholly reversed (rules 4.1.10)."""

from collections.abc import Mapping

from schemas.receipts import FreeReceipt
from services.points.booking import Booking
from services.points.desk import Outcome, States, accepted, account_streams, desk, is_own, order_source
from services.points.earning_once import freed, loaded_programmes, receipt_streams
from services.points.orders.answer import settled
from services.points.orders.file import OrderFile
from services.points.orders.identity import order_stream_of, order_streams_of
from services.points.orders.state import Order
from services.points.receipts import evolve_receipt
from services.points.state import State
from services.points.streams import receipt_stream
from shared.decider import Command, Rejected, Streams
from shared.ids import account_id


def freeing_streams(command: Command, payload: FreeReceipt) -> Streams:
    """The account, the order, and what was loaded for its receipt."""
    of_account, orders = account_streams(command), order_streams_of(command.store, payload.receipt, payload.shop)
    loads = receipt_streams(command, payload.account_number, payload.receipt, payload.shop)
    return Streams((*of_account.writes, *orders, *loads), of_account.reads)


def free_receipt(command: Command, payload: FreeReceipt, states: States) -> Outcome:
    """Forget the loads; the order of that number earns what was withheld, unless others are left.

    When the account can take no more, the order earns with its next fact; so it does when shops number their own
    orders, and whose the receipt was had not been told before. On a closed account it earns nothing.
    """
    booking = desk(command, None, states)
    if not isinstance(booking, Booking):
        return booking
    account = account_id(command.store, payload.account_number)
    stream = receipt_stream(command.store, account, payload.receipt, payload.shop)
    event = freed(command, payload, states[stream])
    if event is None:
        return accepted(booking, [])
    after = {stream: evolve_receipt(states[stream], event)}
    booking.events.append((stream, event))
    earned = _earning(command, payload, {**states, **after}, booking, after)
    if not isinstance(earned, Rejected):
        return earned
    again = desk(command, None, states)
    assert isinstance(again, Booking)
    again.events.append((stream, event))
    return accepted(again, [], states=after)


def _earning(
    command: Command, payload: FreeReceipt, states: States, booking: Booking, after: Mapping[str, State]
) -> Outcome:
    """What the order earns now that nothing is loaded for its receipt any more."""
    stream = order_stream_of(booking, payload.receipt, payload.shop, states)
    order = Order(payload.receipt) if isinstance(stream, Rejected) else states[stream]
    if isinstance(stream, Rejected) or not is_own(booking, order.account) or booking.account.is_closed:
        return accepted(booking, [], states=after)
    file = OrderFile(booking, stream, order)
    file.restore(loaded_programmes(command, payload.account_number, payload.receipt, payload.shop, states))
    booking.account_number = booking.account.account_number or payload.account_number
    booking.source = order_source(payload.receipt, order.shop)
    return settled(file, order, "restored", after)

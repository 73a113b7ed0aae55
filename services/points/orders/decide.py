"""Deciding what is told about orders: placements, amendments, facts, in whatever order they arrive (4.1.8, 4.1.9)."""

from fractions import Fraction

from schemas.accounts import AccountState
from schemas.orders import (
    CancelOrder,
    FactQuantity,
    FulfilOrder,
    OrderFactRecorded,
    OrderUnknown,
    PlaceOrder,
    ReportOrder,
    ReturnOrder,
)
from schemas.refusals import PointsRefusal
from services.points.booking import Booking
from services.points.desk import Outcome, States, account_streams, desk, is_own, order_source, own_accounts
from services.points.earning_once import loaded_programmes, receipt_streams
from services.points.orders.answer import answer, settled
from services.points.orders.entitlement import Waits, fits, judge
from services.points.orders.file import OrderFile
from services.points.orders.identity import order_stream_of, order_streams_of
from services.points.orders.placing import digest_of, placed_of
from services.points.orders.state import Fact, Order, What
from services.points.orders.waiting import UNKNOWN_AFTER, unreported
from services.points.streams import order_stream
from shared.decider import Accepted, Command, Rejected, Streams

FACTS_MAX = 500
"""The facts that one order may have."""

REVISIONS_MAX = 500
"""The revisions of one order that are remembered."""

WAITING_LINES_MAX = 10_000
"""The lines that the waiting facts of one order may name together; with it one command stays below a second."""

Facts = FulfilOrder | CancelOrder | ReturnOrder
_WHAT: dict[type[Facts], What] = {FulfilOrder: "fulfilled", CancelOrder: "cancelled", ReturnOrder: "returned"}


def order_streams(command: Command, payload: PlaceOrder | Facts) -> Streams:
    """The account and the order, both written; the account's id is the key of everything about the order."""
    of_account, orders = account_streams(command), order_streams_of(command.store, payload.order, payload.shop)
    loads = receipt_streams(command, payload.account_number, payload.order, payload.shop)
    return Streams((*of_account.writes, *orders), (*of_account.reads, *loads))


def place_order(command: Command, payload: PlaceOrder, states: States) -> Outcome:
    """An order, or a later revision: what it promises is pending, and the facts that waited for it have their effect.

    The same revision again, and an older one than is known, change nothing.
    """
    file = _opened(command, payload, states)
    if not isinstance(file, OrderFile):
        return file
    booking, order = file.booking, file.order
    if order.revision and not is_own(booking, order.account):
        detail = f"the order belongs to another account{_of_another_shop(order, payload)}"
        return Rejected(PointsRefusal.ORDER_ACCOUNT_MISMATCH, detail, "/accountNumber")
    if order.revision == 0 and booking.account.state is AccountState.SUSPENDED:
        return Rejected(PointsRefusal.ACCOUNT_SUSPENDED, "the account is suspended", "/accountNumber")
    digest = digest_of(payload)
    known = order.digests.get(payload.revision)
    if known not in (None, digest):
        detail = f"this revision of the order was told before, with another body{_of_another_shop(order, payload)}"
        return Rejected(PointsRefusal.ORDER_CONFLICT, detail, "/revision")
    if payload.revision <= order.revision:
        return answer(booking, order)
    if len(order.digests) >= REVISIONS_MAX:
        detail = f"an order has at most {REVISIONS_MAX} revisions"
        return Rejected(PointsRefusal.ORDER_TOO_LARGE, detail, "/revision")
    if order.currency not in (None, payload.currency):
        return Rejected(PointsRefusal.CURRENCY_CHANGED, "the currency of an order never changes", "/currency")
    loaded = loaded_programmes(command, payload.account_number, payload.order, payload.shop, states)
    placed = placed_of(booking, payload, order, digest, loaded)
    if isinstance(placed, Rejected):
        return placed
    file.add(placed)
    if not fits(file.order):
        detail = "more has happened to the order than this revision has"
        return Rejected(PointsRefusal.ORDER_AMENDMENT_BELOW_FACTS, detail, "/lines")
    file.report_withheld(order)
    booking.source = order_source(payload.order, payload.shop)
    booking.occurred_at = payload.placed_at
    return settled(file, order, "amended")


def record_fact(command: Command, payload: Facts, states: States) -> Outcome:
    """A fact: it has its effect, or waits with the order for what goes before it; told again it changes nothing."""
    file = _opened(command, payload, states)
    if not isinstance(file, OrderFile):
        return file
    booking, order = file.booking, file.order
    fact = _fact(command, payload)
    known = order.facts.get(fact.id)
    if known is not None:
        if known.digest == fact.digest:
            return answer(booking, order)
        detail = "this fact was told before, with another body"
        return Rejected(PointsRefusal.ORDER_FACT_CONFLICT, detail, "/fact")
    if len(order.facts) >= FACTS_MAX:
        return Rejected(PointsRefusal.TOO_MANY_FACTS, f"an order has at most {FACTS_MAX} facts", "/fact")
    verdict = judge(order, fact, own_accounts(booking))
    if isinstance(verdict, Rejected):
        return verdict
    waits = isinstance(verdict, Waits)
    if waits and (refused := _too_many_waiting(order, fact)):
        return refused
    file.add(
        OrderFactRecorded(
            **{**file.common(), "shop": payload.shop},
            fact=fact.id,
            what=fact.what,
            waiting=waits,
            amount=None if payload.amount is None else str(payload.amount),
            lines=None
            if payload.lines is None
            else tuple(FactQuantity(line=each.line, quantity=str(each.quantity)) for each in payload.lines),
            revision=fact.revision,
            occurred_at=payload.occurred_at or command.now,
        )
    )
    file.restore(loaded_programmes(command, payload.account_number, payload.order, payload.shop, states))
    booking.source = order_source(payload.order, payload.shop or order.shop)
    booking.occurred_at = payload.occurred_at
    return settled(file, order, fact.what)


def report_order(command: Command, payload: ReportOrder, states: States) -> Outcome:
    """Tell of the facts that have waited for seven days; what the sweep proposes is looked at again here."""
    stream = order_stream(command.store, payload.order, payload.shop)
    order: Order = states[stream]
    late = [fact for fact in unreported(order) if fact.booked_at + UNKNOWN_AFTER <= command.now]
    if not late:
        return Accepted((), {"order": payload.order, "facts": []})
    event = OrderUnknown(
        order=payload.order,
        account=late[0].account,
        account_number=late[0].account_number,
        booked_at=command.now,
        known=order.revision > 0,
        facts=tuple(fact.id for fact in late),
        since=min(fact.booked_at for fact in late),
        shop=order.shop,
    )
    return Accepted(((stream, event),), {"order": payload.order, "facts": list(event.facts)})


def _opened(command: Command, payload: PlaceOrder | Facts, states: States) -> OrderFile | Outcome:
    booking = desk(command, payload.account_number, states)
    if not isinstance(booking, Booking):
        return booking
    stream = order_stream_of(booking, payload.order, payload.shop, states)
    return stream if isinstance(stream, Rejected) else OrderFile(booking, stream, states[stream])


def _of_another_shop(order: Order, payload: PlaceOrder) -> str:
    """What an operator may do about an order number that two shops use."""
    if None in (order.shop, payload.shop) or order.shop == payload.shop:
        return ""
    return "; another shop placed it: where each shop numbers its own orders, declare `orderNumbers: {uniquePer: shop}`"


def _too_many_waiting(order: Order, fact: Fact) -> Rejected | None:
    """The bound on what an order keeps of facts that have no effect yet."""
    kept = sum(len(each.lines or ()) for each in (*order.waiting.values(), fact))
    if kept <= WAITING_LINES_MAX:
        return None
    detail = f"facts that wait for their order name at most {WAITING_LINES_MAX} lines together; these are {kept}"
    return Rejected(PointsRefusal.ORDER_TOO_LARGE, detail, "/lines")


def _fact(command: Command, payload: Facts) -> Fact:
    lines = None if payload.lines is None else {each.line: Fraction(each.quantity) for each in payload.lines}
    return Fact(
        payload.fact,
        _WHAT[type(payload)],
        command.subject,
        payload.account_number,
        command.now,
        None if payload.amount is None else Fraction(payload.amount),
        lines,
        payload.revision,
    )

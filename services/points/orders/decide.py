"""Deciding what is told about orders: placements, amendments, facts, in whatever order they arrive (4.1.8, 4.1.9)."""

from fractions import Fraction
from hashlib import sha256

from schemas.accounts import AccountState
from schemas.orders import (
    Award,
    CancelOrder,
    FactQuantity,
    FulfilOrder,
    LineEligible,
    OrderFactRecorded,
    OrderPlaced,
    OrderUnknown,
    PlaceOrder,
    ReportOrder,
    ReturnOrder,
)
from schemas.programme import ProgrammeState
from schemas.refusals import PointsRefusal
from services.points.booking import Booking
from services.points.desk import Outcome, States, accepted, account_streams, desk, order_source
from services.points.orders.entitlement import Waits, award_of, eligible_of, fits, judge
from services.points.orders.file import OrderFile
from services.points.orders.settle import settle
from services.points.orders.state import Fact, Order, What
from services.points.orders.waiting import UNKNOWN_AFTER, unreported
from services.points.state import order_stream
from services.points.thresholds import too_often
from shared.decider import Accepted, Command, Document, Rejected, Streams
from shared.hashing import canonical
from shared.money import currency_scale, to_minor

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
    of_account, order = account_streams(command), order_stream(command.store, payload.order)
    return Streams((*of_account.writes, order), of_account.reads)


def place_order(command: Command, payload: PlaceOrder, states: States) -> Outcome:
    """An order, or a later revision: what it promises is pending, and the facts that waited for it have their effect.

    The same revision again, and an older one than is known, change nothing.
    """
    booking, order = _opened(command, payload, states)
    if not isinstance(booking, Booking):
        return booking
    if order.revision and order.account != command.subject:
        detail = "the order belongs to another account"
        return Rejected(PointsRefusal.ORDER_ACCOUNT_MISMATCH, detail, "/accountNumber")
    if order.revision == 0 and booking.account.state is AccountState.SUSPENDED:
        return Rejected(PointsRefusal.ACCOUNT_SUSPENDED, "the account is suspended", "/accountNumber")
    digest = _digest(payload)
    known = order.digests.get(payload.revision)
    if known not in (None, digest):
        detail = "this revision of the order was told before, with another body"
        return Rejected(PointsRefusal.ORDER_CONFLICT, detail, "/revision")
    if payload.revision <= order.revision:
        return _answer(booking, order)
    if len(order.digests) >= REVISIONS_MAX:
        detail = f"an order has at most {REVISIONS_MAX} revisions"
        return Rejected(PointsRefusal.ORDER_TOO_LARGE, detail, "/revision")
    if order.currency not in (None, payload.currency):
        return Rejected(PointsRefusal.CURRENCY_CHANGED, "the currency of an order never changes", "/currency")
    placed = _placed(booking, payload, order, digest)
    if isinstance(placed, Rejected):
        return placed
    file = OrderFile(booking, order_stream(command.store, payload.order), order)
    file.add(placed)
    if not fits(file.order):
        detail = "more has happened to the order than this revision has"
        return Rejected(PointsRefusal.ORDER_AMENDMENT_BELOW_FACTS, detail, "/lines")
    booking.source = order_source(payload.order, payload.shop)
    booking.occurred_at = payload.placed_at
    return _settled(file, order, "amended")


def record_fact(command: Command, payload: Facts, states: States) -> Outcome:
    """A fact: it has its effect, or waits with the order for what goes before it; told again it changes nothing."""
    booking, order = _opened(command, payload, states)
    if not isinstance(booking, Booking):
        return booking
    fact = _fact(command, payload)
    known = order.facts.get(fact.id)
    if known is not None:
        if known.digest == fact.digest:
            return _answer(booking, order)
        detail = "this fact was told before, with another body"
        return Rejected(PointsRefusal.ORDER_FACT_CONFLICT, detail, "/fact")
    if len(order.facts) >= FACTS_MAX:
        return Rejected(PointsRefusal.TOO_MANY_FACTS, f"an order has at most {FACTS_MAX} facts", "/fact")
    verdict = judge(order, fact)
    if isinstance(verdict, Rejected):
        return verdict
    waits = isinstance(verdict, Waits)
    if waits and (refused := _too_many_waiting(order, fact)):
        return refused
    file = OrderFile(booking, order_stream(command.store, payload.order), order)
    file.add(
        OrderFactRecorded(
            **file.common(),
            fact=fact.id,
            what=fact.what,
            waiting=waits,
            amount=None if payload.amount is None else str(payload.amount),
            lines=None
            if payload.lines is None
            else tuple(FactQuantity(line=each.line, quantity=str(each.quantity)) for each in payload.lines),
            revision=fact.revision,
            shop=payload.shop,
            occurred_at=payload.occurred_at or command.now,
        )
    )
    booking.source = order_source(payload.order, payload.shop or order.shop)
    booking.occurred_at = payload.occurred_at
    return _settled(file, order, fact.what)


def report_order(command: Command, payload: ReportOrder, states: States) -> Outcome:
    """Tell of the facts that have waited for seven days; what the sweep proposes is looked at again here."""
    stream = order_stream(command.store, payload.order)
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
    )
    return Accepted(((stream, event),), {"order": payload.order, "facts": list(event.facts)})


def _opened(command: Command, payload: PlaceOrder | Facts, states: States) -> tuple[Outcome | Booking, Order]:
    order = states[order_stream(command.store, payload.order)]
    if not isinstance(order, Order):
        raise TypeError(f"the stream of order {payload.order} holds no order")
    return desk(command, payload.account_number, states), order


def _too_many_waiting(order: Order, fact: Fact) -> Rejected | None:
    """The bound on what an order keeps of facts that have no effect yet."""
    kept = sum(len(each.lines or ()) for each in (*order.waiting.values(), fact))
    if kept <= WAITING_LINES_MAX:
        return None
    detail = f"facts that wait for their order name at most {WAITING_LINES_MAX} lines together; these are {kept}"
    return Rejected(PointsRefusal.ORDER_TOO_LARGE, detail, "/lines")


def _settled(file: OrderFile, before: Order, reason: str) -> Outcome:
    """Let the facts that waited have their effect, and book what the order's points come to now."""
    file.release()
    refused = settle(file, before, reason) or too_often(file.booking, {})
    if refused is not None:
        return refused
    return _answer(file.booking, file.order, file)


def _answer(booking: Booking, order: Order, file: OrderFile | None = None) -> Outcome:
    """The order as it stands, and the balances that it earns in."""
    more: Document = {
        "order": order.id,
        "revision": order.revision,
        "waiting": list(order.waiting),
        "entitlements": [
            {
                "programme": award.programme,
                "awarded": award.awarded,
                "activated": award.activated,
                "dropped": award.dropped,
                "revoked": award.revoked,
                "scale": award.scale,
            }
            for award in order.awards.values()
        ],
    }
    programmes = [booking.catalogue.programmes[name] for name in order.awards]
    states = {} if file is None else {file.stream: file.order}
    return accepted(booking, programmes, more=more, states=states)


def _digest(payload: PlaceOrder) -> str:
    """What tells a repeat from another body; the number may be another one of the same account."""
    told = payload.model_dump(mode="python", by_alias=True, exclude={"account_number", "from_input"})
    return sha256(canonical(told)).hexdigest()


def _placed(booking: Booking, payload: PlaceOrder, order: Order, digest: str) -> OrderPlaced | Rejected:
    scale = currency_scale(payload.currency)
    lines: list[LineEligible] = []
    for index, line in enumerate(payload.lines):
        total = to_minor(line.net_amount + line.tax - line.discount, scale)
        if total is None:
            detail = f"{payload.currency} has {scale} decimals"
            return Rejected(PointsRefusal.TOO_MANY_DECIMALS, detail, f"/lines/{index}")
        eligible = total if line.earns else 0
        lines.append(LineEligible(line=line.line, quantity=str(line.quantity), eligible=eligible))
    eligible_total = eligible_of(sum(line.eligible for line in lines), payload.payments, scale)
    if eligible_total is None:
        return Rejected(PointsRefusal.TOO_MANY_DECIMALS, f"{payload.currency} has {scale} decimals", "/payments")
    awards = _awards(booking, order, eligible_total, payload.currency)
    if isinstance(awards, Rejected):
        return awards
    return OrderPlaced(
        order=payload.order,
        account=booking.account.account,
        account_number=booking.account.account_number or booking.account_number,
        booked_at=booking.command.now,
        revision=payload.revision,
        digest=digest,
        currency=payload.currency,
        eligible=eligible_total,
        lines=tuple(lines),
        awards=awards,
        shop=payload.shop,
        placed_at=payload.placed_at,
    )


def _awards(booking: Booking, order: Order, eligible: int, currency: str) -> tuple[Award, ...] | Rejected:
    """What the order promises in every programme that earns from orders, by the rules as they are now.

    One that was retired since keeps what it has promised, and promises no more.
    """
    awards: list[Award] = []
    shut = False
    for rules in booking.catalogue.programmes.values():
        programme = rules.programme
        if programme is None or programme.earn_from != "orders":
            continue
        known = order.awards.get(rules.id)
        retired = programme.state is ProgrammeState.RETIRED
        if retired and known is None:
            continue
        if booking.account.account_number is None and not programme.open_on_credit:
            shut = True
            continue
        awarded = award_of(programme, eligible, currency)
        if retired and known is not None:
            awarded = min(awarded, known.awarded)
        awards.append(
            Award(programme=rules.id, programme_version=rules.version, scale=programme.scale, awarded=awarded)
        )
    if shut and not awards:
        detail = "there is no account with this number"
        return Rejected(PointsRefusal.ACCOUNT_UNKNOWN, detail, "/accountNumber")
    return tuple(awards)


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

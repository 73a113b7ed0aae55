"""What an order's facts come to: pure functions of everything that is known of it, whatever came first (4.1.8).

Money is counted in exact fractions of the currency's smallest unit, so that a line delivered in three parts is
delivered wholly.
"""

from collections.abc import Collection
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from schemas.orders import Payment
from schemas.programme import Programme
from schemas.refusals import PointsRefusal
from services.points.orders.state import Fact, Gone, Order, What
from shared.decider import Rejected
from shared.money import currency_scale

EARNS_NOTHING = frozenset({"points", "voucher", "gift_card"})
"""The kinds of payment that earn nothing."""

_KINDS: tuple[What, ...] = ("fulfilled", "cancelled", "returned")
_NONE = Fraction(0)


class Sums(NamedTuple):
    """F, C and R of rules 4.1.8: what was fulfilled, cancelled and returned, in the currency's smallest unit."""

    fulfilled: Fraction
    cancelled: Fraction
    returned: Fraction


class Entitled(NamedTuple):
    """What is due of an award, in the programme's smallest unit."""

    activated: int
    dropped: int
    revoked: int


class Waits(NamedTuple):
    """The fact has no effect yet: something that goes before it is not known."""


def entitlement(awarded: int, eligible: int, sums: Sums) -> Entitled:
    """What the order's points come to: the one formula of 4.1.8.

    When nothing is left open, what rounding left over goes to what was fulfilled, if anything was, else to what was
    cancelled: the same whichever fact came last. So partial returns sum to what was awarded, however they are split.
    """
    if eligible == 0:
        return Entitled(0, 0, 0)
    activated = int(awarded * sums.fulfilled / eligible)
    dropped = int(awarded * sums.cancelled / eligible)
    closed = sums.fulfilled + sums.cancelled == eligible
    if closed and sums.fulfilled:
        activated = awarded - dropped
    elif closed:
        dropped = awarded
    if closed and sums.returned == sums.fulfilled:
        return Entitled(activated, dropped, activated)
    return Entitled(activated, dropped, int(awarded * sums.returned / eligible))


def sums_of(order: Order) -> Sums:
    """F, C and R over the facts that have their effect.

    "All that is left" is what the facts with amounts or lines leave, whichever was told first: fulfilled before
    cancelled when both are said to be it, and all that was fulfilled when it is returned (decision 12).
    """
    fulfilled, cancelled, returned = (order.gone[what].money for what in _KINDS)
    left = order.eligible - fulfilled - cancelled
    if order.gone["fulfilled"].rest:
        fulfilled += left
    elif order.gone["cancelled"].rest:
        cancelled += left
    return Sums(fulfilled, cancelled, fulfilled if order.gone["returned"].rest else returned)


def judge(order: Order, fact: Fact, aliases: Collection[str] = ()) -> Fact | Waits | Rejected:
    """The fact, when it has its effect now; or that it waits, or that it contradicts what is known.

    A return waits as long as more may be fulfilled, since its fulfilment may come later; of lines that earn nothing
    more may be even when no money is left open. A fact that names a later revision waits for it. `aliases` are the
    ids of the command's account and of numbers that lead to it: order and facts may have come under one of them since
    before it did. The work is linear in the lines of the fact.
    """
    if order.revision == 0 or (fact.revision or 0) > order.revision:
        return Waits()
    if fact.account != order.account and not (fact.account in aliases and order.account in aliases):
        detail = "the order belongs to another account"
        return Rejected(PointsRefusal.ORDER_ACCOUNT_MISMATCH, detail, "/accountNumber")
    if refused := _too_fine(order, fact) or _unlike(order, fact):
        return refused
    return _return(order, fact) if fact.what == "returned" else _fulfil_or_cancel(order, fact)


def _fulfil_or_cancel(order: Order, fact: Fact) -> Fact | Rejected:
    """What names amounts or lines takes from what others that do have left; what came back was not cancelled."""
    if _is_rest(fact):
        return fact
    gone, money = order.gone, money_of(order, fact)
    left = order.eligible - gone["fulfilled"].money - gone["cancelled"].money - money
    if left >= 0 and fact.what == "cancelled" and gone["fulfilled"].rest:
        left -= max(gone["returned"].money - gone["fulfilled"].money, Fraction(0))
    if left < 0 or _short(order, fact):
        return Rejected(PointsRefusal.ORDER_EXCEEDED, "more than is left of the order", _pointer(fact))
    return fact


def _return(order: Order, fact: Fact) -> Fact | Waits | Rejected:
    gone, fulfilled = order.gone, sums_of(order).fulfilled
    more_may_come = fulfilled + gone["cancelled"].money < order.eligible
    if _is_rest(fact):
        return Waits() if more_may_come and fulfilled <= gone["returned"].money else fact
    covered = gone["returned"].money + money_of(order, fact) <= fulfilled
    short = _short(order, fact)
    if covered and not short:
        return fact
    if more_may_come or (covered and all(_may_come(order, fact, name) for name in short)):
        return Waits()
    detail = "more than was fulfilled and not returned yet"
    return Rejected(PointsRefusal.RETURN_EXCEEDS_FULFILLED, detail, _pointer(fact))


def fits(order: Order) -> bool:
    """Whether an amended order still holds all that has happened to it."""
    fulfilled, cancelled, returned = (order.gone[what] for what in _KINDS)
    if fulfilled.money + cancelled.money > order.eligible or returned.money > sums_of(order).fulfilled:
        return False
    for name in {*fulfilled.lines, *cancelled.lines, *returned.lines}:
        line = order.lines.get(name)
        quantity = _NONE if line is None else line.quantity
        if fulfilled.lines.get(name, _NONE) + cancelled.lines.get(name, _NONE) > quantity:
            return False
        if returned.lines.get(name, _NONE) > quantity:
            return False
    return True


def money_of(order: Order, part: Fact | Gone) -> Fraction:
    """What amount and lines come to, in the currency's smallest unit: of the eligible money, lines by their share."""
    money = (part.amount or _NONE) * Fraction(10) ** currency_scale(order.currency or "")
    gross = sum(line.eligible for line in order.lines.values()) if part.lines else 0
    if not part.lines or not gross:
        return money
    parts = _NONE
    for name, quantity in part.lines.items():
        if (line := order.lines.get(name)) is not None and line.eligible:
            parts += line.eligible if quantity == line.quantity else line.eligible * quantity / line.quantity
    return money + (parts if gross == order.eligible else parts * order.eligible / gross)


def eligible_of(lines_total: int, payments: tuple[Payment, ...], scale: int) -> int | None:
    """E: what earns, less what points, vouchers and gift cards paid; None when a payment has too many decimals."""
    paid = sum((each.amount for each in payments if each.kind in EARNS_NOTHING), Decimal(0)).scaleb(scale)
    return None if paid != int(paid) else max(0, lines_total - int(paid))


def award_of(programme: Programme, eligible: int, currency: str) -> int:
    """A: the points of every full step of each earning rule for orders, in the programme's smallest unit."""
    money = Decimal(eligible).scaleb(-currency_scale(currency))
    points = Decimal(0)
    for rule in programme.earn:
        if rule.currency in (None, currency):
            points += rule.points * (money // rule.per)
    return int(points.scaleb(programme.scale))


def _is_rest(fact: Fact) -> bool:
    return fact.amount is None and fact.lines is None


def _too_fine(order: Order, fact: Fact) -> Rejected | None:
    if fact.amount is None or (fact.amount * 10 ** currency_scale(order.currency or "")).denominator == 1:
        return None
    detail = f"{order.currency} has {currency_scale(order.currency or '')} decimals"
    return Rejected(PointsRefusal.TOO_MANY_DECIMALS, detail, "/amount")


def _unlike(order: Order, fact: Fact) -> Rejected | None:
    """Lines that the order does not have."""
    unknown = next((name for name in fact.lines or () if name not in order.lines), None)
    if unknown is None:
        return None
    return Rejected(PointsRefusal.ORDER_LINE_UNKNOWN, f"the order has no line {unknown}", "/lines")


def _short(order: Order, fact: Fact) -> list[str]:
    """The lines that a fact would fulfil and cancel beyond what was ordered, or return beyond what was fulfilled.

    What was fulfilled of a line is only known when all fulfilments named their lines.
    """
    fulfilled, cancelled, returned = (order.gone[what] for what in _KINDS)
    by_lines = not fulfilled.amount and not fulfilled.rest
    short: list[str] = []
    for name, quantity in (fact.lines or {}).items():
        most, there = order.lines[name].quantity, fulfilled.lines.get(name, _NONE)
        if fact.what == "returned":
            gone, most = returned.lines.get(name, _NONE), there if by_lines else most
        else:
            gone = there + cancelled.lines.get(name, _NONE)
        if gone + quantity > most:
            short.append(name)
    return short


def _may_come(order: Order, fact: Fact, name: str) -> bool:
    """Whether a line that a return is short of may be fulfilled so far yet, without any money of the order."""
    line, quantity = order.lines[name], (fact.lines or {})[name]
    _, cancelled, returned = (order.gone[what].lines.get(name, _NONE) for what in _KINDS)
    return not (order.eligible and line.eligible) and quantity <= line.quantity - cancelled - returned


def _pointer(fact: Fact) -> str:
    return "/lines" if fact.lines is not None else "/amount"

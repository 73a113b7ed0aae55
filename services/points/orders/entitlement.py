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
from services.points.orders.state import Fact, Order, What
from shared.decider import Rejected
from shared.money import currency_scale

EARNS_NOTHING = frozenset({"points", "voucher", "gift_card"})
"""The kinds of payment that earn nothing."""


class Sums(NamedTuple):
    """F, C and R of RULES 4.1.8: what was fulfilled, cancelled and returned, in the currency's smallest unit."""

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
    """F, C and R over the facts that have their effect."""
    return Sums(_sum(order, "fulfilled"), _sum(order, "cancelled"), _sum(order, "returned"))


def rest_of(order: Order, what: What) -> Fraction:
    """All that is left to fulfil or to cancel, or to return."""
    sums = sums_of(order)
    if what == "returned":
        return sums.fulfilled - sums.returned
    return order.eligible - sums.fulfilled - sums.cancelled


def judge(order: Order, fact: Fact, aliases: Collection[str] = ()) -> Fact | Waits | Rejected:
    """The fact as it has its effect now; or that it waits, or that it contradicts what is known.

    A return waits as long as more may be fulfilled, since its fulfilment may come later; of lines that earn nothing
    more may be even when no money is left open. A fact that names a later revision waits for it. `aliases` are the
    account ids of numbers that lead to the order's account: a fact may have waited under one of them since before it
    did.
    """
    if order.revision == 0 or (fact.revision or 0) > order.revision:
        return Waits()
    if fact.account != order.account and fact.account not in aliases:
        detail = "the order belongs to another account"
        return Rejected(PointsRefusal.ORDER_ACCOUNT_MISMATCH, detail, "/accountNumber")
    if refused := _too_fine(order, fact) or _unlike(order, fact):
        return refused
    sums = sums_of(order)
    closed = sums.fulfilled + sums.cancelled >= order.eligible
    rest = rest_of(order, fact.what)
    if fact.amount is None and fact.lines is None:
        if fact.what == "returned" and rest == 0 and not closed:
            return Waits()
        return fact._replace(waiting=False, rest=rest)
    covered, short = money_of(order, fact) <= rest, _short(order, fact)
    if covered and not short:
        return fact._replace(waiting=False)
    if fact.what != "returned":
        return Rejected(PointsRefusal.ORDER_EXCEEDED, "more than is left of the order", _pointer(fact))
    if not closed or (covered and all(_may_come(order, fact, name) for name in short)):
        return Waits()
    detail = "more than was fulfilled and not returned yet"
    return Rejected(PointsRefusal.RETURN_EXCEEDS_FULFILLED, detail, _pointer(fact))


def fits(order: Order) -> bool:
    """Whether an amended order still holds all that has happened to it."""
    sums = sums_of(order)
    if sums.fulfilled + sums.cancelled > order.eligible or sums.returned > sums.fulfilled:
        return False
    names = {name for fact in order.facts.values() if _effective(fact) for name in fact.lines or ()}
    gone = Fraction(0)
    for name in names:
        line = order.lines.get(name)
        quantity = gone if line is None else line.quantity
        if _quantity(order, "fulfilled", name) + _quantity(order, "cancelled", name) > quantity:
            return False
        if _quantity(order, "returned", name) > quantity:
            return False
    return True


def money_of(order: Order, fact: Fact) -> Fraction:
    """What a fact is about, in the currency's smallest unit: of the eligible money, lines by their share in it."""
    if fact.amount is not None:
        return fact.amount * Fraction(10) ** currency_scale(order.currency or "")
    if fact.lines is None:
        return fact.rest or Fraction(0)
    gross = sum(line.eligible for line in order.lines.values())
    if gross == 0:
        return Fraction(0)
    parts = Fraction(0)
    for name, quantity in fact.lines.items():
        if (line := order.lines.get(name)) is not None:
            parts += line.eligible * quantity / line.quantity
    return parts * order.eligible / gross


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


def _sum(order: Order, what: What) -> Fraction:
    return sum((money_of(order, fact) for fact in order.applied(what)), Fraction(0))


def _effective(fact: Fact) -> bool:
    return not fact.waiting and not fact.refused


def _quantity(order: Order, what: What, name: str) -> Fraction:
    return sum(((fact.lines or {}).get(name, Fraction(0)) for fact in order.applied(what)), Fraction(0))


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
    by_lines = all(each.lines is not None for each in order.applied("fulfilled"))
    short: list[str] = []
    for name, quantity in (fact.lines or {}).items():
        most, fulfilled = order.lines[name].quantity, _quantity(order, "fulfilled", name)
        if fact.what == "returned":
            gone, most = _quantity(order, "returned", name), fulfilled if by_lines else most
        else:
            gone = fulfilled + _quantity(order, "cancelled", name)
        if gone + quantity > most:
            short.append(name)
    return short


def _may_come(order: Order, fact: Fact, name: str) -> bool:
    """Whether a line that a return is short of may be fulfilled so far yet, without any money of the order."""
    line, quantity = order.lines[name], (fact.lines or {})[name]
    left = line.quantity - _quantity(order, "cancelled", name) - _quantity(order, "returned", name)
    return not (order.eligible and line.eligible) and quantity <= left


def _pointer(fact: Fact) -> str:
    return "/lines" if fact.lines is not None else "/amount"

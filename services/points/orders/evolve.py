"""Folding the events of an order. What has happened is never questioned here."""

from fractions import Fraction
from types import MappingProxyType
from typing import assert_never

from schemas.orders import (
    OrderAwardRefused,
    OrderAwardRestored,
    OrderEvent,
    OrderFactApplied,
    OrderFactRecorded,
    OrderFactRefused,
    OrderPlaced,
    OrderSettled,
    OrderUnknown,
)
from services.points.orders.entitlement import money_of
from services.points.orders.state import Award, Fact, Gone, KnownFact, Line, Order


def evolve_order(order: Order, event: OrderEvent) -> Order:
    """The order after `event`."""
    match event:
        case OrderPlaced():
            return _placed(order, event)
        case OrderAwardRefused():
            return order
        case OrderAwardRestored():
            award = order.awards[event.programme]._replace(awarded=event.awarded, withheld=0)
            return order._replace(awards=MappingProxyType({**order.awards, event.programme: award}))
        case OrderFactRecorded():
            return _recorded(order, _fact(event), event.waiting)
        case OrderFactApplied():
            return _applied(_without(order, event.fact), order.waiting[event.fact])
        case OrderFactRefused():
            known = {**order.facts, event.fact: order.facts[event.fact]._replace(refused=True)}
            return _without(order, event.fact)._replace(facts=MappingProxyType(known))
        case OrderSettled():
            return _settled(order, event)
        case OrderUnknown():
            told = {name: order.waiting[name]._replace(reported=True) for name in event.facts}
            return order._replace(waiting=MappingProxyType({**order.waiting, **told}))
        case _:
            assert_never(event)


def _placed(order: Order, event: OrderPlaced) -> Order:
    """A new revision keeps what was booked; a programme that it no longer names promises nothing any more."""
    before = order.awards
    awards = {
        each.programme: before.get(each.programme, Award(each.programme, 0, each.scale, 0))._replace(
            programme_version=each.programme_version, awarded=each.awarded, withheld=each.withheld or 0
        )
        for each in event.awards
    }
    dropped = {name: award._replace(awarded=0, withheld=0) for name, award in before.items() if name not in awards}
    amended = order._replace(
        revision=event.revision,
        account=event.account,
        currency=event.currency,
        eligible=event.eligible,
        shop=event.shop,
        lines=MappingProxyType({each.line: Line(Fraction(each.quantity), each.eligible) for each in event.lines}),
        awards=MappingProxyType({**dropped, **awards}),
        digests=MappingProxyType({**order.digests, event.revision: event.digest}),
    )
    return revalued(amended)


def revalued(order: Order) -> Order:
    """The order with what has happened to it in the money that it has now."""
    gone = {what: each._replace(money=money_of(order, each)) for what, each in order.gone.items()}
    return order._replace(gone=MappingProxyType(gone))


def _fact(event: OrderFactRecorded) -> Fact:
    return Fact(
        event.fact,
        event.what,
        event.account,
        event.account_number,
        event.booked_at,
        None if event.amount is None else Fraction(event.amount),
        None if event.lines is None else MappingProxyType({it.line: Fraction(it.quantity) for it in event.lines}),
        event.revision,
    )


def _recorded(order: Order, fact: Fact, waiting: bool) -> Order:
    order = order._replace(facts=MappingProxyType({**order.facts, fact.id: KnownFact(fact.digest)}))
    if waiting:
        return order._replace(waiting=MappingProxyType({**order.waiting, fact.id: fact}))
    return _applied(order, fact)


def _without(order: Order, fact: str) -> Order:
    return order._replace(waiting=MappingProxyType({name: it for name, it in order.waiting.items() if name != fact}))


def _applied(order: Order, fact: Fact) -> Order:
    """The order with the effect of a fact."""
    before = order.gone[fact.what]
    lines = {name: before.lines.get(name, Fraction(0)) + part for name, part in (fact.lines or {}).items()}
    gone = Gone(
        before.amount + (fact.amount or 0),
        MappingProxyType({**before.lines, **lines}) if lines else before.lines,
        before.rest or (fact.amount is None and fact.lines is None),
        before.money + money_of(order, fact),
    )
    return order._replace(gone=MappingProxyType({**order.gone, fact.what: gone}))


def _settled(order: Order, event: OrderSettled) -> Order:
    awards = dict(order.awards)
    for each in event.entitlements:
        award = awards[each.programme]
        credited = dict(award.credited)
        for part in each.credited:
            credited[part.expires_at] = credited.get(part.expires_at, 0) + part.amount
        awards[each.programme] = award._replace(
            activated=each.activated,
            dropped=each.dropped,
            revoked=each.revoked,
            credited=tuple((at, amount) for at, amount in credited.items() if amount),
        )
    return order._replace(awards=MappingProxyType(awards), spent=event.spend)

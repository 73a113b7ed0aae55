"""Folding the events of an order. What has happened is never questioned here."""

from fractions import Fraction
from types import MappingProxyType
from typing import assert_never

from schemas.orders import (
    OrderEvent,
    OrderFactApplied,
    OrderFactRecorded,
    OrderFactRefused,
    OrderPlaced,
    OrderSettled,
    OrderUnknown,
)
from services.points.orders.state import Award, Fact, Line, Order


def evolve_order(order: Order, event: OrderEvent) -> Order:
    """The order after `event`."""
    match event:
        case OrderPlaced():
            return _placed(order, event)
        case OrderFactRecorded():
            return _with_fact(order, _fact(event))
        case OrderFactApplied():
            fact = order.facts[event.fact]
            rest = fact.rest if event.rest is None else Fraction(event.rest)
            return _with_fact(order, fact._replace(waiting=False, rest=rest))
        case OrderFactRefused():
            return _with_fact(order, order.facts[event.fact]._replace(waiting=False, refused=True))
        case OrderSettled():
            return _settled(order, event)
        case OrderUnknown():
            told = {name: order.facts[name]._replace(reported=True) for name in event.facts}
            return order._replace(facts=MappingProxyType({**order.facts, **told}))
        case _:
            assert_never(event)


def _placed(order: Order, event: OrderPlaced) -> Order:
    """A new revision keeps what was booked; a programme that it no longer names promises nothing any more."""
    before = order.awards
    awards = {
        each.programme: before.get(each.programme, Award(each.programme, 0, each.scale, 0))._replace(
            programme_version=each.programme_version, awarded=each.awarded
        )
        for each in event.awards
    }
    gone = {name: award._replace(awarded=0) for name, award in before.items() if name not in awards}
    return order._replace(
        revision=event.revision,
        account=event.account,
        currency=event.currency,
        eligible=event.eligible,
        shop=event.shop,
        lines=MappingProxyType({each.line: Line(Fraction(each.quantity), each.eligible) for each in event.lines}),
        awards=MappingProxyType({**gone, **awards}),
        digests=MappingProxyType({**order.digests, event.revision: event.digest}),
    )


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
        None if event.rest is None else Fraction(event.rest),
        event.waiting,
    )


def _with_fact(order: Order, fact: Fact) -> Order:
    return order._replace(facts=MappingProxyType({**order.facts, fact.id: fact}))


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

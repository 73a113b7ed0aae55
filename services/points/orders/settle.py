"""Booking the difference between what an order's points should come to and what was booked of them (rules 4.1.8)."""

from collections.abc import Iterator
from datetime import datetime

from schemas.movements import Activated, Deactivated, Dropped, Pended, SpendCounted
from schemas.orders import Credited, Entitlement, OrderSettled
from services.points import credits as rules_of
from services.points.booking import Booking
from services.points.orders.entitlement import Entitled, entitlement, sums_of
from services.points.orders.file import OrderFile
from services.points.orders.state import Award, Order
from services.points.state import Balance, ProgrammeRules
from services.points.undo import Conditions, give_back, revoke
from shared.calendar import local_date
from shared.decider import Rejected


def settle(file: OrderFile, before: Order, reason: str) -> Rejected | None:
    """Book the differences in every programme of the order, as it was `before` this command.

    In each, what makes more pending comes first and what takes from it last, so that nothing is ever below zero. What
    was booked before and is undone has this `reason`.
    """
    order, booking = file.order, file.booking
    sums = sums_of(order)
    entitlements: list[Entitlement] = []
    for index, award in enumerate(order.awards.values()):
        booking.operation = index
        known = before.awards.get(award.programme)
        promised = 0 if known is None else known.awarded
        target = entitlement(award.awarded, order.eligible, sums)
        if promised == award.awarded and target == (award.activated, award.dropped, award.revoked):
            continue
        rules = booking.catalogue.programmes[award.programme]
        settled = _settle_award(booking, rules, award, promised, target, reason)
        if isinstance(settled, Rejected):
            return settled
        entitlements.append(settled)
    spend = int(sums.fulfilled) - int(sums.returned)
    if spend != order.spent:
        _count_spend(booking, order, spend - order.spent)
    if entitlements or spend != order.spent:
        file.add(OrderSettled(**file.common(), entitlements=tuple(entitlements), spend=spend))
    return None


def _settle_award(
    booking: Booking, rules: ProgrammeRules, award: Award, promised: int, target: Entitled, reason: str
) -> Entitlement | Rejected:
    credited: list[Credited] = []
    own = [Conditions(expires_at) for expires_at, _ in award.credited]
    if target.activated < award.activated:
        amount = award.activated - target.activated
        revoke(booking, _balance(booking, rules), amount, own[::-1], reason, Deactivated)
        credited += _taken(award, amount)
    if target.dropped < award.dropped:
        _pend(booking, rules, Dropped, award.dropped - target.dropped, reason)
    if award.awarded > promised:
        if refused := rules_of.too_large(_balance(booking, rules), award.awarded - promised, "/lines"):
            return refused
        _pend(booking, rules, Pended, award.awarded - promised, None if promised == 0 else "amended")
    if target.revoked < award.revoked:
        programme = rules_of.declared(rules)
        amount = award.revoked - target.revoked
        fragment = (own[-1] if own else Conditions(), amount)
        grace = programme.reversal_grace_days
        balance = _balance(booking, rules)
        if refused := rules_of.too_large(balance, amount, "/lines"):
            return refused
        give_back(booking, balance, [fragment], grace, programme.zone, reason)
    if target.activated > award.activated:
        activated = _activate(booking, rules, target.activated - award.activated)
        if isinstance(activated, Rejected):
            return activated
        credited.append(activated)
        own.append(Conditions(activated.expires_at))
    if target.dropped > award.dropped:
        _pend(booking, rules, Dropped, award.dropped - target.dropped, "cancelled")
    if award.awarded < promised:
        _pend(booking, rules, Pended, award.awarded - promised, "amended")
    if target.revoked > award.revoked:
        revoke(booking, _balance(booking, rules), target.revoked - award.revoked, own, "returned")
    return Entitlement(
        programme=award.programme,
        activated=target.activated,
        dropped=target.dropped,
        revoked=target.revoked,
        credited=tuple(credited),
    )


def _activate(booking: Booking, rules: ProgrammeRules, amount: int) -> Credited | Rejected:
    """Pending points become active; their expiry counts from now."""
    balance, now = _balance(booking, rules), booking.command.now
    expires_at = rules_of.rule_expiry(rules_of.declared(rules), local_date(now, rules_of.declared(rules).zone))
    if expires_at is not None and expires_at <= now:
        expires_at = None  # A fixed date of the rule has passed since the order was placed: what was promised is kept.
    lot = rules_of.lot_for(balance, expires_at)
    if refused := rules_of.too_many_lots(booking, balance, lot, None):
        return refused
    parts, debt_delta = rules_of.put_in(balance, lot, amount)
    booking.move(Activated, balance, amount, parts, _closing(booking, rules, balance), None, -amount, debt_delta)
    return Credited(expires_at=expires_at, amount=amount)


def _pend(
    booking: Booking, rules: ProgrammeRules, model: type[Pended | Dropped], pending_delta: int, reason: str | None
) -> None:
    booking.open()
    balance = _balance(booking, rules)
    booking.move(model, balance, 0, (), _closing(booking, rules, balance), reason, pending_delta)


def _count_spend(booking: Booking, order: Order, amount: int) -> None:
    """Money counts in the programmes that have a tier set by spend in this currency."""
    counting = dict.fromkeys(
        each.programme
        for each in booking.catalogue.tier_sets.values()
        if each.basis == "spend" and each.state == "active" and each.currency == order.currency
    )
    for programme in counting:
        rules = booking.catalogue.programmes[programme]
        booking.open()
        balance = _balance(booking, rules)
        closing = _closing(booking, rules, balance)
        booking.note(SpendCounted, balance, (), closing, amount=amount, currency=order.currency)


def _balance(booking: Booking, rules: ProgrammeRules) -> Balance:
    return rules_of.balance_of(booking, rules)


def _closing(booking: Booking, rules: ProgrammeRules, balance: Balance) -> datetime | None:
    """An order and its fulfilment are activity of the customer (4.1.5)."""
    programme, now = rules_of.declared(rules), booking.command.now
    return rules_of.account_expiry(programme, balance, now, local_date(now, programme.zone), None)


def _taken(award: Award, amount: int) -> Iterator[Credited]:
    """From which activations a deactivation takes: the latest first."""
    for expires_at, put in reversed(award.credited):
        taken = min(put, amount)
        if taken:
            yield Credited(expires_at=expires_at, amount=-taken)
            amount -= taken

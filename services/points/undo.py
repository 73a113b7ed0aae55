"""Taking back: credits that are revoked, and debits that are given back (RULES 4.1.4, 4.1.6, 4.1.13)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.movements import Deactivated, GivenBack, LotPart, Revoked
from services.points.booking import Booking
from services.points.calendar import first_instant, local_date
from services.points.credits import lots_of, too_large
from services.points.lots import matching, not_earlier
from services.points.parts import part_of
from services.points.state import LOTS_MAX, Balance, Lot
from shared.decider import Rejected


class Conditions(NamedTuple):
    """What makes credits one lot: those of a lot that is gone find the one that it has merged with, or a new one."""

    expires_at: datetime | None = None
    restriction: str | None = None
    campaign: str | None = None


def conditions_of(part: LotPart | Lot) -> Conditions:
    """The conditions of a lot, or of a part of one."""
    return Conditions(part.expires_at, part.restriction, part.campaign)


def revoke(
    booking: Booking,
    balance: Balance,
    amount: int,
    own: Iterable[Conditions],
    reason: str | None,
    model: type[Revoked | Deactivated] = Revoked,
) -> None:
    """Take `amount` back: from its `own` lots in their order, then from others as spending would, the rest as debt.

    A deactivation takes it in the same way, and makes it pending again.
    """
    parts: dict[int, tuple[Lot, int]] = {}
    left = amount
    wanted = {conditions: place for place, conditions in reversed(list(enumerate(own)))}
    last = len(wanted) + 1
    for lot in sorted(balance.lots, key=lambda lot: wanted.get(conditions_of(lot), last)):
        taken = min(lot.amount, left)
        if taken:
            parts[lot.id] = (lot, taken)
            left -= taken
    booking.move(
        model,
        balance,
        -amount,
        tuple(part_of(lot, taken) for lot, taken in parts.values()),
        balance.account_expires_at,
        reason,
        amount if model is Deactivated else 0,
        left or None,
    )


def give_back(
    booking: Booking,
    balance: Balance,
    fragments: Iterable[tuple[Conditions, int]],
    grace_days: int,
    zone: str,
    reason: str | None,
    pointer: str,
) -> Rejected | None:
    """Return what was taken to the lots that it came from; what is owed is paid first.

    A lot that has expired meanwhile comes back, and expires `grace_days` after the local day at hand. An account of
    the programme that has expired reopens with it. The number of lots refuses nothing here, since the points are owed:
    an account that has as many as it may have gets them in a lot that expires no earlier, the next one to do so, and in
    one of their own only when there is none. What the balance may ever be credited does, by `balance_limit_exceeded`.
    """
    now = booking.command.now
    parts: list[LotPart] = []
    total, owed, lots = 0, balance.debt, list(balance.lots)
    room = LOTS_MAX - lots_of(booking.account) + len(lots)
    next_lot = balance.next_lot
    for conditions, amount in fragments:
        total += amount
        paid = min(owed, amount)
        owed -= paid
        if amount == paid:
            continue
        if conditions.expires_at is not None and conditions.expires_at <= now:
            late = local_date(now, zone) + timedelta(days=grace_days + 1)
            conditions = conditions._replace(expires_at=first_instant(late, zone))
        new = Lot(next_lot, 0, conditions.expires_at, None, *conditions[1:])
        lot = matching(lots, new) or (not_earlier(lots, new) if len(lots) >= room else None)
        if lot is None:
            lot = new
            lots.append(new)
            next_lot += 1
        parts.append(part_of(lot, amount - paid))
    if refused := too_large(balance, total, pointer):
        return refused
    closing = balance.account_expires_at
    if closing is not None and closing <= now:
        closing = None
    debt_delta = owed - balance.debt
    booking.move(GivenBack, balance, total, _joined(parts), closing, reason, 0, debt_delta or None)
    return None


def debit_fragments(parts: Iterable[LotPart], skip: int, amount: int) -> list[tuple[Conditions, int]]:
    """The fragments of a debit to give back: `amount` after the `skip` that went back before, the last taken first."""
    found: list[tuple[Conditions, int]] = []
    for part in reversed(list(parts)):
        passed = min(skip, part.amount)
        skip -= passed
        taken = min(part.amount - passed, amount)
        if taken:
            found.append((conditions_of(part), taken))
            amount -= taken
    return found


def _joined(parts: list[LotPart]) -> tuple[LotPart, ...]:
    """One part a lot."""
    joined: dict[int, LotPart] = {}
    for part in parts:
        known = joined.get(part.lot)
        joined[part.lot] = part if known is None else known.model_copy(update={"amount": known.amount + part.amount})
    return tuple(joined.values())

"""Taking back: credits that are revoked, and debits that are given back (rules 4.1.4, 4.1.6, 4.1.13)."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.movements import Deactivated, GivenBack, LotPart, Movement, Revoked, Scheduled, Unscheduled
from services.points.booking import Booking
from services.points.credits import balance_of, declared, lots_of, owed_lot, too_large
from services.points.originals import BookedOperation, Undo
from services.points.parts import part_of
from services.points.state import LOTS_MAX, Balance, Lot
from shared.calendar import first_instant, local_date
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
    parts, left = taken_from(balance, amount, own)
    booking.move(
        model,
        balance,
        -amount,
        tuple(part_of(lot, taken) for lot, taken in parts),
        balance.account_expires_at,
        reason,
        amount if model is Deactivated else 0,
        left or None,
    )


def taken_from(balance: Balance, amount: int, own: Iterable[Conditions]) -> tuple[list[tuple[Lot, int]], int]:
    """What `amount` takes: of its `own` lots in their order, then as spending would; and how much is missing."""
    parts: list[tuple[Lot, int]] = []
    left = amount
    wanted = {conditions: place for place, conditions in reversed(list(enumerate(own)))}
    last = len(wanted) + 1
    for lot in sorted(balance.lots, key=lambda lot: wanted.get(conditions_of(lot), last)):
        taken = min(lot.amount, left)
        if taken:
            parts.append((lot, taken))
            left -= taken
    return parts, left


def give_back(
    booking: Booking,
    balance: Balance,
    fragments: Iterable[tuple[Conditions, int]],
    grace_days: int,
    zone: str,
    reason: str | None,
) -> None:
    """Return what was taken to the lots that it came from; what is owed is paid first.

    A lot that has expired meanwhile comes back, and expires `grace_days` after the local day at hand. An account of
    the programme that has expired reopens with it. The number of lots refuses nothing here, since the points are owed:
    an account that has as many as it may have gets them in a lot that expires no earlier, the next one to do so, and in
    one of their own only when there is none.
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
        lot = owed_lot(lots, new, room)
        if lot is new:
            lots.append(new)
            next_lot += 1
        parts.append(part_of(lot, amount - paid))
    closing = balance.account_expires_at
    if closing is not None and closing <= now:
        closing = None
    debt_delta = owed - balance.debt
    booking.move(GivenBack, balance, total, joined(parts), closing, reason, 0, debt_delta or None)


def debit_fragments(original: Movement, skip: int, amount: int) -> list[tuple[Conditions, int]]:
    """The fragments of a debit to give back: `amount` after the `skip` that went back before, the last taken first.

    What it took beyond the lots, which only a debit that was held ever does, was of no lot: it pays what is owed, and
    what of it was paid meanwhile is as good as expired.
    """
    taken_of = [(conditions_of(part), part.amount) for part in original.lots]
    if original.debt_delta:
        taken_of.append((Conditions(original.booked_at), original.debt_delta))
    found: list[tuple[Conditions, int]] = []
    for conditions, most in reversed(taken_of):
        passed = min(skip, most)
        skip -= passed
        taken = min(most - passed, amount)
        if taken:
            found.append((conditions, taken))
            amount -= taken
    return found


def joined(parts: list[LotPart]) -> tuple[LotPart, ...]:
    """One part a lot."""
    joined: dict[int, LotPart] = {}
    for part in parts:
        known = joined.get(part.lot)
        joined[part.lot] = part if known is None else known.model_copy(update={"amount": known.amount + part.amount})
    return tuple(joined.values())


def given_back(undos: Iterable[Undo]) -> Counter[str]:
    """What is given back by programme."""
    given: Counter[str] = Counter()
    for undo in undos:
        if undo.original.booked is not None and _is_debit(undo.original.booked):
            given[undo.original.booked.programme] += undo.amount
    return given


def credited_too_much(booking: Booking, undos: Iterable[Undo]) -> Rejected | None:
    """The bound on what a balance is ever credited, which counts what is given back."""
    given: dict[str, int] = {}
    for undo in _in_order(undos):
        original = undo.original.booked
        if original is not None and _is_debit(original):
            name = original.programme
            given[name] = given.get(name, 0) + undo.amount
            if refused := too_large(_balance(booking, name), given[name], undo.pointer):
                return refused
    return None


def undo_all(booking: Booking, undos: Iterable[Undo], reason: str) -> None:
    """Undo operations of a transaction on the account, each as an operation of the booking; nothing is checked."""
    for undo in _in_order(undos):
        if undo.original.booked is not None and undo.amount:
            _undo(booking, undo.original.booked, undo, reason)
            booking.operation += 1


def _undo(booking: Booking, original: BookedOperation, undo: Undo, reason: str) -> None:
    balance = _balance(booking, original.programme)
    if isinstance(original, Scheduled):
        wanted = original.lots[0]
        for lot in balance.scheduled:
            if lot.active_from == wanted.active_from and conditions_of(lot) == conditions_of(wanted):
                part, closing = part_of(lot, undo.amount), balance.account_expires_at
                booking.note(Unscheduled, balance, (part,), closing, reason, amount=undo.amount)
                return
    if isinstance(original, Scheduled) or original.delta > 0:
        revoke(booking, balance, undo.amount, map(conditions_of, original.lots), reason)
        return
    programme = declared(booking.catalogue.programmes[original.programme])
    fragments = debit_fragments(original, undo.done, undo.amount)
    give_back(booking, balance, fragments, programme.reversal_grace_days, programme.zone, reason)


def _in_order(undos: Iterable[Undo]) -> list[Undo]:
    """The opposite of the original's order; of one operation the parts as they are asked for."""
    return sorted(undos, key=lambda undo: (-undo.operation, undo.done))


def _is_debit(original: BookedOperation) -> bool:
    return not isinstance(original, Scheduled) and original.delta < 0


def _balance(booking: Booking, programme: str) -> Balance:
    return balance_of(booking, booking.catalogue.programmes[programme])

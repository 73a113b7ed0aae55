"""Crediting and debiting one programme of an account: loads, redemptions, corrections (rules 4.1.4 to 4.1.6, 4.2.1).

Each function books on the desk that it is given, or gives the refusal and has booked nothing.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from schemas.movements import Adjusted, Loaded, LotPart, Purchased, Redeemed, Scheduled
from schemas.programme import Programme, ProgrammeState
from schemas.refusals import PointsRefusal
from services.points import lots as lot_rules
from services.points.booking import Booking
from services.points.parts import part_of
from services.points.state import (
    CREDITED_MAX,
    LOTS_MAX,
    Account,
    Balance,
    Lot,
    ProgrammeRules,
)
from shared.calendar import expiry_after_months, expiry_instant, local_date, unless_never
from shared.decider import Rejected
from shared.money import from_minor, to_minor


def minor_units(value: Decimal, programme: Programme, pointer: str) -> int | Rejected:
    """A caller's amount in the smallest unit; `too_many_decimals`."""
    minor = to_minor(value, programme.scale)
    if minor is None:
        detail = f"{programme.id} has {programme.scale} decimals"
        return Rejected(PointsRefusal.TOO_MANY_DECIMALS, detail, pointer)
    return minor


def may_credit(booking: Booking, programme: Programme, pointer: str) -> Rejected | None:
    """Whether a credit may be booked at all: the programme is not retired, and the account is there or may open."""
    if programme.state is ProgrammeState.RETIRED:
        return Rejected(PointsRefusal.PROGRAMME_RETIRED, f"{programme.id} books no credits any more", pointer)
    if booking.account.account_number is None and not programme.open_on_credit:
        return Rejected(PointsRefusal.ACCOUNT_UNKNOWN, "there is no account with this number", pointer)
    return None


def load(
    booking: Booking,
    rules: ProgrammeRules,
    amount: int,
    expires_at: datetime | None,
    account_expires_at: datetime | None,
    pointer: str,
) -> Rejected | None:
    """Book a load; `expires_at` overrides the rule, `account_expires_at` moves the account's expiry, only later."""
    programme, now = declared(rules), booking.command.now
    day = local_date(now, programme.zone)
    expires_at = rule_expiry(programme, day) if expires_at is None else unless_never(expires_at)
    if (expires_at is not None and expires_at <= now) or (account_expires_at is not None and account_expires_at <= now):
        return Rejected(PointsRefusal.EXPIRY_IN_PAST, "the points would have expired already", pointer)
    balance = balance_of(booking, rules)
    lot = lot_for(balance, expires_at)
    if refused := too_much(booking, balance, lot, amount, pointer):
        return refused
    booking.open()
    closing = account_expiry(programme, balance, now, day, account_expires_at)
    parts, debt_delta = put_in(balance, lot, amount)
    booking.move(Loaded, balance, amount, parts, closing, None, 0, debt_delta)
    return None


def adjust_up(
    booking: Booking,
    rules: ProgrammeRules,
    amount: int,
    reason: str,
    active_from: datetime | None,
    expires_at: datetime | None,
) -> Rejected | None:
    """Book a correction upwards, now or, with `active_from` in the future, as a future-dated lot."""
    programme, now = declared(rules), booking.command.now
    if active_from is not None and active_from <= now:
        active_from = None
    starts = active_from or now
    day = local_date(starts, programme.zone)
    pointer = "/expiresAt" if expires_at is not None else "/programme"
    expires_at = rule_expiry(programme, day) if expires_at is None else unless_never(expires_at)
    if expires_at is not None and expires_at <= now:
        return Rejected(PointsRefusal.EXPIRY_IN_PAST, "the points would have expired already", pointer)
    if expires_at is not None and expires_at <= starts:
        return Rejected(PointsRefusal.EXPIRY_BEFORE_ACTIVATION, "the points would expire before they start", pointer)
    balance = balance_of(booking, rules)
    lot = lot_for(balance, expires_at, active_from)
    if refused := too_much(booking, balance, lot, amount, "/value"):
        return refused
    booking.open()
    closing = account_expiry(programme, balance, now, day, None)
    if active_from is None:
        parts, debt_delta = put_in(balance, lot, amount)
        booking.move(Adjusted, balance, amount, parts, closing, reason, 0, debt_delta)
    else:
        booking.note(Scheduled, balance, (part_of(lot, amount),), closing, reason, amount=amount)
    return None


def debit(
    booking: Booking,
    rules: ProgrammeRules,
    amount: int,
    pointer: str,
    model: type[Redeemed | Purchased | Adjusted] = Redeemed,
    reason: str | None = None,
) -> Rejected | None:
    """Book a redemption, a purchase, or with its `reason` a correction downwards: never below zero (4.1.6)."""
    if booking.account.account_number is None:
        return Rejected(PointsRefusal.ACCOUNT_UNKNOWN, "there is no account with this number", pointer)
    balance, now = balance_of(booking, rules), booking.command.now
    if amount > balance.spendable:
        there, asked = (f"{from_minor(minor, balance.scale):f}" for minor in (balance.spendable, amount))
        detail = f"{rules.id} has {there} to spend, and {asked} was asked for"
        return Rejected(PointsRefusal.INSUFFICIENT_POINTS, detail, pointer)
    parts = tuple(part_of(lot, taken) for lot, taken in lot_rules.spend(balance.lots, amount))
    programme = declared(rules)
    closing = account_expiry(programme, balance, now, local_date(now, programme.zone), None)
    booking.move(model, balance, -amount, parts, closing, reason)
    return None


def declared(rules: ProgrammeRules) -> Programme:
    """The programme of rules that are known to be declared."""
    if rules.programme is None:
        raise ValueError(f"programme {rules.id} is not declared")
    return rules.programme


def balance_of(booking: Booking, rules: ProgrammeRules) -> Balance:
    """The account's balance in a programme, with the version that this booking uses."""
    balance = booking.account.balances.get(rules.id)
    if balance is None:
        programme = declared(rules)
        return Balance(rules.id, rules.version, programme.scale, notice_days=programme.expiring_soon_days)
    if balance.programme_version == rules.version:
        return balance
    return balance._replace(programme_version=rules.version, notice_days=declared(rules).expiring_soon_days)


def rule_expiry(programme: Programme, day: date) -> datetime | None:
    """When points that become active on the local date `day` expire by the programme's rule."""
    return None if programme.expiry is None else expiry_instant(programme.expiry, programme.zone, day)


def account_expiry(
    programme: Programme, balance: Balance, now: datetime, day: date, asked: datetime | None
) -> datetime | None:
    """The account's expiry in a programme after activity on the local date `day`; None is never.

    The latest of what it was, what the rule says, and what the caller `asked` for (4.1.5). What it was counts only as
    long as it has not come: an expired account reopens.
    """
    latest = balance.account_expires_at
    if latest is not None and latest <= now:
        latest = None
    if asked is not None and (latest is None or asked > latest):
        latest = asked
    if programme.account_expiry_months is not None:
        by_rule = expiry_after_months(programme.account_expiry_months, programme.zone, day)
        if by_rule is None or latest is None or by_rule > latest:
            latest = by_rule
    return latest


def put_in(balance: Balance, lot: Lot, amount: int) -> tuple[tuple[LotPart, ...], int | None]:
    """A credit: what goes into its lot, and what the debt takes of it first, as its `debt_delta` (4.1.6)."""
    if balance.debt == 0:
        return (part_of(lot, amount),), None
    paid = min(balance.debt, amount)
    return ((part_of(lot, amount - paid),) if amount > paid else ()), -paid


def lot_for(balance: Balance, expires_at: datetime | None, active_from: datetime | None = None) -> Lot:
    """The lot that a credit goes into: an equal one that is there, or a new one."""
    new = Lot(balance.next_lot, 0, expires_at, active_from)
    return lot_rules.matching(balance.lots if active_from is None else balance.scheduled, new) or new


def too_much(booking: Booking, balance: Balance, lot: Lot, amount: int, pointer: str | None) -> Rejected | None:
    """The bounds on lots and amounts."""
    return too_many_lots(booking, balance, lot, pointer) or too_large(balance, amount, pointer)


def too_many_lots(booking: Booking, balance: Balance, lot: Lot, pointer: str | None) -> Rejected | None:
    """The bound on lots, when `lot` is a new one."""
    if lot.id == balance.next_lot and lots_of(booking.account) >= LOTS_MAX:
        return Rejected(PointsRefusal.TOO_MANY_LOTS, f"an account has at most {LOTS_MAX} lots", pointer)
    return None


def owed_lot(lots: Sequence[Lot], new: Lot, room: int) -> Lot:
    """The lot that `new` goes into when the number of lots refuses nothing, since its points are owed.

    With no `room` for a lot more it is one that expires no earlier, the next to do so; its own only when none does.
    """
    full = len(lots) >= room
    return lot_rules.matching(lots, new) or (lot_rules.not_earlier(lots, new) if full else None) or new


def lots_of(account: Account) -> int:
    """How many lots an account has, active and future-dated, over all its programmes."""
    lots = 0
    for each in account.balances.values():
        lots += len(each.lots) + len(each.scheduled)
    return lots


def too_large(balance: Balance, amount: int, pointer: str | None) -> Rejected | None:
    """The bound on what is ever credited, what is pending or comes later included."""
    credited = balance.earned + balance.adjusted_up + balance.given_back + balance.pending + amount
    if balance.scheduled:
        credited += sum(each.amount for each in balance.scheduled)
    if credited > CREDITED_MAX:
        return Rejected(PointsRefusal.BALANCE_LIMIT_EXCEEDED, "the balance would become too large", pointer)
    return None

"""What is due on an account: activations, expiries and their announcement, tiers (rules 4.1.4, 4.1.5, 4.1.12).

Every accepted command books it first. Future-dated lots are not in the balance yet, so the expiry of an account
leaves them: they enter when their time comes, as a credit that reopens it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.movements import Activated, Expired, ExpiringSoon
from services.points import tiers
from services.points.booking import Booking
from services.points.parts import part_of
from services.points.state import Account, Balance, Standing

_PERIOD, _NOTICE, _ACCOUNT, _LEVEL = -2, -1, 2**63, 2**64
"""Stand for what has no lot id, in the order of lot ids: announced before anything expires.

A period that counts what is earned or spent has ended before anything else happens at that instant, which belongs to
the next one; a tier by balance looks at what is left after it.
"""


class Due(NamedTuple):
    """Something to book at an instant; in the order of time, programme, and lot. `name` is the tier set's."""

    at: datetime
    programme: str
    lot: int
    name: str = ""


def due_at(account: Account) -> datetime | None:
    """The instant from which a command, or the sweep, finds something to book here; None is never."""
    first: datetime | None = None
    for balance in account.balances.values():
        lots, scheduled = balance.lots, balance.scheduled
        for at in (
            scheduled[0].active_from if scheduled else None,
            lots[0].expires_at if lots else None,
            balance.account_expires_at if lots else None,
            None if balance.notice_days is None else _notice_at(balance, None),
        ):
            if at is not None and (first is None or at < first):
                first = at
    if account.tiers:
        first = min((at for at, _ in tiers.dues(account, None) if first is None or at < first), default=first)
    return first


def book_due(booking: Booking) -> None:
    """Book all that is due at the command's time, in order of time, programme and lot."""
    now = booking.command.now
    first = due_at(booking.account)
    if (first is None or now < first) and not booking.account.tiers:
        return
    while (due := min(_dues(booking.account, now), default=None)) is not None and due.at <= now:
        _book(booking, due)


def _dues(account: Account, now: datetime) -> Iterator[Due]:
    """The next thing of each sort, in each programme."""
    for name, balance in account.balances.items():
        lots, scheduled = balance.lots, balance.scheduled
        if scheduled and scheduled[0].active_from is not None:
            yield Due(scheduled[0].active_from, name, scheduled[0].id)
        if lots and lots[0].expires_at is not None:
            yield Due(lots[0].expires_at, name, lots[0].id)
        if lots and balance.account_expires_at is not None:
            yield Due(balance.account_expires_at, name, _ACCOUNT)
        if balance.notice_days is not None and (at := _notice_at(balance, now)) is not None:
            yield Due(at, name, _NOTICE)
    for at, standing in tiers.dues(account, now):
        yield Due(at, standing.programme, _LEVEL if standing.basis == "balance" else _PERIOD, standing.tier_set)


def _book(booking: Booking, due: Due) -> None:
    if due.name:
        standing: Standing = booking.account.tiers[due.name]
        tiers.fall_due(booking, standing, due.at)
        return
    balance = booking.account.balances[due.programme]
    if due.lot == _NOTICE:
        _announce(booking, balance, due.at)
    elif due.lot == _ACCOUNT:
        parts = tuple(part_of(lot, lot.amount) for lot in balance.lots)
        booking.fall_due(Expired, balance, -balance.spendable, parts, None, due.at, "account")
    elif balance.scheduled and balance.scheduled[0].id == due.lot:
        before = booking.account
        _activate(booking, balance, due.at)
        tiers.rise(booking, before, due.at)
    else:
        lot = balance.lots[0]
        parts = (part_of(lot, lot.amount),)
        booking.fall_due(Expired, balance, -lot.amount, parts, balance.account_expires_at, due.at, "lot")


def _activate(booking: Booking, balance: Balance, at: datetime) -> None:
    """A future-dated lot becomes active; what is owed takes its part of it first."""
    lot = balance.scheduled[0]
    closing = balance.account_expires_at
    if closing is not None and closing < at:
        closing = None
    paid = min(balance.debt, lot.amount)
    parts = (part_of(lot, lot.amount - paid),)
    booking.fall_due(Activated, balance, lot.amount, parts, closing, at, None, -paid if paid else None)


def _notice_at(balance: Balance, now: datetime | None) -> datetime | None:
    """When the first lot that was not announced yet is to be; with `now` only what has not expired by then."""
    known = balance.noticed_until
    for lot in balance.lots:
        at = lot.expires_at
        if at is None:
            return None
        if (known is None or at > known) and (now is None or at > now):
            return at - timedelta(days=balance.notice_days or 0)
    return None


def _announce(booking: Booking, balance: Balance, at: datetime) -> None:
    expires_at = at + timedelta(days=balance.notice_days or 0)
    parts = tuple(part_of(lot, lot.amount) for lot in balance.lots if lot.expires_at == expires_at)
    amount = sum(part.amount for part in parts)
    closing = balance.account_expires_at
    booking.note(ExpiringSoon, balance, parts, closing, None, at, amount=amount, expires_at=expires_at)

"""What is due on an account: activations, and the expiry of lots and of accounts (RULES 4.1.4 and 4.1.5).

Every accepted command books it first. Future-dated lots are not in the balance yet, so the expiry of an account
leaves them: they enter when their time comes, as a credit that reopens it.
"""

from datetime import datetime

from schemas.points import Activated, Expired
from services.points.booking import Booking
from services.points.parts import part_of
from services.points.state import Account

_ACCOUNT_LAST = 2**63
"""Stands for the account itself in the order of lot ids: lots that expire at the same instant go first, by name."""

_ACTIVATE, _EXPIRE, _EXPIRE_ACCOUNT = range(3)


def due_at(account: Account) -> datetime | None:
    """The instant from which a command, or the sweep, finds something to book here; None is never."""
    first: datetime | None = None
    for balance in account.balances.values():
        lots, scheduled = balance.lots, balance.scheduled
        for at in (
            scheduled[0].active_from if scheduled else None,
            lots[0].expires_at if lots else None,
            balance.account_expires_at if lots else None,
        ):
            if at is not None and (first is None or at < first):
                first = at
    return first


def book_due(booking: Booking) -> None:
    """Book all that is due at the command's time, in order of time, programme and lot."""
    now = booking.command.now
    first = due_at(booking.account)
    if first is None or now < first:
        return
    for at, programme, lot_id, what in sorted(_due(booking.account, now)):
        if what == _ACTIVATE:
            _activate(booking, programme, lot_id, at)
        elif what == _EXPIRE:
            _expire_lot(booking, programme, lot_id, at)
        else:
            _expire_account(booking, programme, at)


def _due(account: Account, now: datetime) -> list[tuple[datetime, str, int, int]]:
    """Each instant that has come. A lot that merges or is gone before its turn is passed over then."""
    due: list[tuple[datetime, str, int, int]] = []
    for balance in account.balances.values():
        coming = [lot for lot in balance.scheduled if lot.active_from is not None and lot.active_from <= now]
        due += [(lot.active_from, balance.programme, lot.id, _ACTIVATE) for lot in coming if lot.active_from]
        due += [
            (lot.expires_at, balance.programme, lot.id, _EXPIRE)
            for lot in (*balance.lots, *coming)
            if lot.expires_at is not None and lot.expires_at <= now
        ]
        closing = balance.account_expires_at
        if closing is not None and closing <= now:
            due.append((closing, balance.programme, _ACCOUNT_LAST, _EXPIRE_ACCOUNT))
    return due


def _activate(booking: Booking, programme: str, lot_id: int, at: datetime) -> None:
    balance = booking.account.balances[programme]
    lot = next(lot for lot in balance.scheduled if lot.id == lot_id)
    closing = balance.account_expires_at
    if closing is not None and closing < at:
        closing = None
    booking.fall_due(Activated, balance, lot.amount, (part_of(lot, lot.amount),), closing, at)


def _expire_lot(booking: Booking, programme: str, lot_id: int, at: datetime) -> None:
    balance = booking.account.balances[programme]
    lot = next((lot for lot in balance.lots if lot.id == lot_id), None)
    if lot is not None:
        parts = (part_of(lot, lot.amount),)
        booking.fall_due(Expired, balance, -lot.amount, parts, balance.account_expires_at, at, "lot")


def _expire_account(booking: Booking, programme: str, at: datetime) -> None:
    balance = booking.account.balances[programme]
    if balance.lots and balance.account_expires_at == at:
        parts = tuple(part_of(lot, lot.amount) for lot in balance.lots)
        booking.fall_due(Expired, balance, -balance.booked, parts, None, at, "account")

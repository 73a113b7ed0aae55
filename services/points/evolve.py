"""Folding events into states. What has happened is never questioned here; the rules are in `decide`."""

from typing import assert_never

from schemas.points import (
    AccountOpened,
    Activated,
    Adjusted,
    Expired,
    Loaded,
    LotPart,
    Movement,
    ProgrammeApplied,
    Redeemed,
    Scheduled,
)
from services.points import lots as lot_rules
from services.points.state import Account, AccountEvent, Balance, Event, Lot, ProgrammeRules, State


def evolve(state: State, event: Event) -> State:
    """The state after `event`.

    :raises TypeError: when the event is of another kind of stream.
    """
    if isinstance(state, Account):
        if isinstance(event, ProgrammeApplied):
            raise TypeError(f"{event.type} does not belong to an account")
        return evolve_account(state, event)
    if isinstance(event, ProgrammeApplied):
        return ProgrammeRules.of(event.programme, event.version)
    raise TypeError(f"{event.type} does not belong to a programme")


def evolve_account(account: Account, event: AccountEvent) -> Account:
    """The account after `event`."""
    match event:
        case Loaded() | Redeemed() | Expired() | Adjusted() | Activated():
            return _booked(account, event, event.sequence)
        case Scheduled():
            return _booked(account, event, account.sequence)
        case AccountOpened():
            return account._replace(account_number=event.account_number, booked_at=event.booked_at)
        case _:
            assert_never(event)


def _booked(account: Account, event: Scheduled | Movement, sequence: int) -> Account:
    balance = account.balances.get(event.programme)
    if balance is None:
        balance = Balance(event.programme, event.programme_version, event.scale)
    balances = {**account.balances, event.programme: _after(balance, event)}
    return Account(account.account, account.account_number, sequence, event.booked_at, balances)


def _after(balance: Balance, event: Scheduled | Movement) -> Balance:
    """The balance after one booking. `delta` is what the movement adds to `booked`."""
    lots, scheduled, next_lot = balance.lots, balance.scheduled, balance.next_lot
    earned, redeemed, expired = balance.earned, balance.redeemed, balance.expired
    up, down = balance.adjusted_up, balance.adjusted_down
    delta = 0
    match event:
        case Loaded(delta=delta):
            lots, next_lot = _put(lots, next_lot, event.lots[0])
            earned += delta
        case Redeemed(delta=delta):
            lots = lot_rules.take_out(lots, event.lots)
            redeemed -= delta
        case Adjusted(delta=delta) if delta > 0:
            lots, next_lot = _put(lots, next_lot, event.lots[0])
            up += delta
        case Adjusted(delta=delta):
            lots = lot_rules.take_out(lots, event.lots)
            down -= delta
        case Scheduled():
            lot = _lot(event.lots[0])
            scheduled, next_lot = lot_rules.schedule(scheduled, lot), max(next_lot, lot.id + 1)
        case Activated(delta=delta):
            lots, scheduled = lot_rules.activate(lots, scheduled, event.lots[0].lot)
            up += delta
        case Expired(delta=delta):
            lots = lot_rules.take_out(lots, event.lots)
            expired -= delta
        case _:
            assert_never(event)
    return Balance(
        balance.programme,
        event.programme_version,
        event.scale,
        balance.booked + delta,
        earned,
        redeemed,
        expired,
        up,
        down,
        next_lot,
        lots,
        scheduled,
        event.account_expires_at,
    )


def _put(lots: lot_rules.Lots, next_lot: int, part: LotPart) -> tuple[lot_rules.Lots, int]:
    return lot_rules.place(lots, _lot(part)), max(next_lot, part.lot + 1)


def _lot(part: LotPart) -> Lot:
    return Lot(part.lot, part.amount, part.expires_at, part.active_from, part.restriction, part.campaign)

"""The account of a new card's number joins the customer's: a card may be used before it is registered (rules 4.1.2).

Each account books its own movements, in its own partition: the one gives all that it has and leads to the other from
then on, and a command that follows has the other take it, before anything that is forwarded.
"""

from collections.abc import Sequence

from schemas.accounts import AccountForwarded, NumberAdded
from schemas.joining import TAKE_OVER, AccountJoining, JoinAccount, JoinedBalance, JoinedLot, TakeOver
from schemas.movements import LotPart, Scheduled, SpendCounted, Transferred, Unscheduled
from services.points.booking import DUE, Booking
from services.points.credits import balance_of, lots_of, owed_lot
from services.points.desk import Outcome, States, accepted, desk
from services.points.lots import matching
from services.points.parts import part_of
from services.points.state import (
    LOTS_MAX,
    Account,
    Balance,
    Lot,
)
from services.points.streams import account_stream
from services.points.undo import joined, taken_from
from services.points.waiting_inputs import releasing
from shared.decider import Accepted, Command, FollowUp

REASON = "number_replaced"


def join_account(command: Command, payload: JoinAccount, states: States) -> Outcome:
    """Give all, and lead to the other account; while something is open, remember that, and do so at its end.

    One that leads elsewhere by now, or is closed for good, keeps what it has.
    """
    account: Account = states[account_stream(command.store, command.subject)]
    if account.forwards_to is not None or account.is_closed:
        return Accepted((), {})
    booking = desk(command, None, states)
    assert isinstance(booking, Booking)
    booking.account_number = account.account_number or payload.account_number
    named = {"account": account.account, "account_number": booking.account_number, "booked_at": command.now}
    if account.holds:
        if account.joins is None:
            booking.book(AccountJoining(**named, to=payload.to))
        return accepted(booking, [])
    booking.operation = DUE
    balances = tuple([_give(booking, balance) for balance in booking.account.balances.values()])
    booking.book(AccountForwarded(**named, forwards_to=payload.to))
    taking = TakeOver(account_number=booking.account_number, balances=balances)
    body = taking.model_dump(mode="json", by_alias=True, exclude_none=True)
    follow_ups = (FollowUp("points.commands", TAKE_OVER, payload.to, body), *releasing(booking.account))
    return Accepted(tuple(booking.events), {}, follow_ups, states={booking.stream: booking.account})


def take_over(command: Command, payload: TakeOver, states: States) -> Outcome:
    """Book what another account has given, in every state of this one; thresholds and tiers see it."""
    booking = desk(command, None, states)
    if not isinstance(booking, Booking):
        return booking
    booking.operation = DUE
    account = booking.account
    if payload.account_number not in account.numbers:
        number = payload.account_number
        named = {"account": account.account, "account_number": account.account_number, "booked_at": command.now}
        booking.book(NumberAdded(**named, number=number))
    for each in payload.balances:
        _take(booking, each)
    booking.operation = 0
    return accepted(booking, [])


def _give(booking: Booking, balance: Balance) -> JoinedBalance:
    """Take everything out: what is active, owed and pending by one movement, and each future-dated lot."""
    closing = balance.account_expires_at
    active = sum(lot.amount for lot in balance.lots)
    if active or balance.debt or balance.pending:
        parts, owed = tuple([part_of(lot, lot.amount) for lot in balance.lots]), -balance.debt or None
        booking.move(Transferred, balance, balance.debt - active, parts, closing, REASON, -balance.pending, owed)
    for lot in balance.scheduled:
        booking.note(Unscheduled, balance, (part_of(lot, lot.amount),), closing, REASON, amount=lot.amount)
    lots = [
        JoinedLot(
            amount=lot.amount,
            expires_at=lot.expires_at,
            active_from=lot.active_from,
            restriction=lot.restriction,
            campaign=lot.campaign,
        )
        for lot in (*balance.lots, *balance.scheduled)
    ]
    return JoinedBalance(
        programme=balance.programme,
        lots=tuple(lots),
        pending=balance.pending,
        debt=balance.debt,
        spent=balance.spent,
        account_expires_at=closing,
    )


def _take(booking: Booking, given: JoinedBalance) -> None:
    balance = _balance(booking, given)
    closing = max((at for at in (given.account_expires_at, balance.account_expires_at) if at), default=None)
    active = [lot for lot in given.lots if lot.active_from is None]
    if active or given.debt or given.pending:
        delta = sum(lot.amount for lot in active) - given.debt
        if given.debt:
            taken, missing = taken_from(balance, given.debt, ())
            parts, owed = tuple([part_of(lot, amount) for lot, amount in taken]), missing or None
        else:
            parts, owed = _put(booking, balance, active)
        booking.move(Transferred, balance, delta, parts, closing, REASON, given.pending, owed)
    for lot in given.lots:
        if lot.active_from is not None:
            balance = _balance(booking, given)
            new = _lot(balance.next_lot, lot)
            part = part_of(matching(balance.scheduled, new) or new, lot.amount)
            booking.note(Scheduled, balance, (part,), closing, REASON, amount=lot.amount)
    sets = booking.catalogue.tier_sets.values()
    currency = next((each.currency for each in sets if each.programme == given.programme and each.currency), None)
    if given.spent and currency is not None:
        balance = _balance(booking, given)
        booking.note(SpendCounted, balance, (), closing, REASON, amount=given.spent, currency=currency)


def _put(booking: Booking, balance: Balance, coming: Sequence[JoinedLot]) -> tuple[tuple[LotPart, ...], int | None]:
    """Lots into equal ones or new ones; what is owed is paid first. The number of lots refuses nothing here."""
    lots, debt, next_lot = list(balance.lots), balance.debt, balance.next_lot
    room = LOTS_MAX - lots_of(booking.account) + len(lots)
    parts: list[LotPart] = []
    for each in coming:
        paid = min(debt, each.amount)
        debt -= paid
        if each.amount == paid:
            continue
        new = _lot(next_lot, each)
        lot = owed_lot(lots, new, room)
        if lot is new:
            lots.append(new)
            next_lot += 1
        parts.append(part_of(lot, each.amount - paid))
    return joined(parts), debt - balance.debt or None


def _lot(number: int, like: JoinedLot) -> Lot:
    return Lot(number, 0, like.expires_at, like.active_from, like.restriction, like.campaign)


def _balance(booking: Booking, given: JoinedBalance) -> Balance:
    return balance_of(booking, booking.catalogue.programmes[given.programme])

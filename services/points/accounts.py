"""Commands on an account as a whole: its state, its numbers, its tiers, and what is due (rules 4.1.2, 4.1.5)."""

from dataclasses import replace

from schemas.accounts import (
    AccountClosing,
    AccountForwarded,
    AccountState,
    AccountStateChanged,
    CloseAccount,
    NumberAdded,
    ReplaceNumber,
    SetAccountState,
)
from schemas.joining import ReplaceCard
from schemas.points import BookDue
from schemas.refusals import PointsRefusal
from schemas.tiers import PinTier
from services.points import tiers
from services.points.booking import Booking
from services.points.closing import close
from services.points.desk import Outcome, States, accepted, desk, joining, mismatch, opened
from services.points.evolve import evolve_account
from services.points.state import Account
from services.points.streams import account_stream, catalogue_stream
from services.points.waiting_inputs import is_known, release, releasing
from shared.decider import Command, Rejected, Streams
from shared.ids import account_id

NUMBERS_MAX = 100
"""The numbers that may lead to one account besides its own."""


def replacement_streams(command: Command, payload: ReplaceNumber) -> Streams:
    """The account, and that of the new number, which shall never open."""
    store = command.store
    new = account_stream(store, account_id(store, payload.new_number))
    return Streams((account_stream(store, command.subject), new), (catalogue_stream(store),))


def book_what_is_due(command: Command, payload: BookDue, states: States) -> Outcome:
    """What the sweep asks for: whatever is due is booked, in every state of the account; often nothing is any more."""
    booking = desk(command, None, states)
    if not isinstance(booking, Booking):
        return booking
    booking.all_thresholds = payload.thresholds
    return accepted(booking, [])


def set_state(command: Command, payload: SetAccountState, states: States) -> Outcome:
    """Block, suspend, close or free an account; a closed one can be opened again."""
    account = states[account_stream(command.store, command.subject)]
    if not isinstance(account, Account):
        raise TypeError(f"{command.subject} is no account")
    if refused := mismatch(command, payload.account_number, account):
        return refused
    booking = desk(command, None, states)
    if not isinstance(booking, Booking):
        return booking
    if refused := opened(booking):
        return refused
    account = booking.account
    if account.closes is not None:
        return Rejected(PointsRefusal.ACCOUNT_CLOSED, "the account is closed for good", "/accountNumber")
    if account.holds and payload.state is AccountState.CLOSED:
        return Rejected(PointsRefusal.TRANSACTION_OPEN, "the account has a transaction that is open", "/state")
    if account.state is not payload.state:
        booking.book(
            AccountStateChanged(
                account=account.account,
                account_number=account.account_number or "",
                from_=account.state,
                to=payload.state,
                reason=payload.reason,
                booked_at=command.now,
            )
        )
    return accepted(booking, [], more={"state": payload.state.value})


def close_account(command: Command, payload: CloseAccount, states: States) -> Outcome:
    """Close an account for good, opened or not; while something on it is open it only takes nothing new.

    What waits for the number goes on, and is refused where operators see it.
    """
    booking = desk(command, None, states)
    if not isinstance(booking, Booking):
        return booking
    account = booking.account
    booking.account_number = account.account_number or payload.account_number
    if account.closes is None and account.holds:
        booking.book(
            AccountClosing(
                account=account.account,
                account_number=booking.account_number,
                reason=payload.reason,
                booked_at=command.now,
            )
        )
    elif account.closes is None:
        close(booking, payload.reason)
    closed = accepted(booking, [])
    if not account.waiting or account.account_number is not None:
        return closed
    return replace(closed, follow_ups=(*closed.follow_ups, release(account, payload.account_number)))


def replace_number(command: Command, payload: ReplaceNumber, states: States) -> Outcome:
    """Give the account one more number; a number under which something was booked already is in use.

    An account that no credit has opened yet is opened, if its number is known: what was given to it, vouchers and
    orders too, shall be found under both.
    """
    booking = desk(command, payload.account_number, states)
    if not isinstance(booking, Booking):
        return booking
    if not is_known(command, payload.account_number, states):
        return Rejected(PointsRefusal.ACCOUNT_UNKNOWN, "there is no account with this number", "/accountNumber")
    number, account = payload.new_number, booking.account
    stream = account_stream(command.store, account_id(command.store, number))
    other = states[stream]
    if not isinstance(other, Account):
        raise TypeError(f"{stream} holds no account")
    used = other.forwards_to is None and (other.account_number is not None or bool(other.holds))
    joins = used and isinstance(payload, ReplaceCard) and not other.numbers and other.state is AccountState.ACTIVE
    foreign = other.forwards_to not in (None, account.account)
    if stream == booking.stream or foreign or other.is_closed or (used and not joins):
        detail = "the number has an account already, which joins another as a customer's new card only, while active"
        return Rejected(PointsRefusal.NUMBER_IN_USE, detail, "/newNumber")
    result = {"accountNumber": account.account_number or payload.account_number, "newNumber": number}
    if other.forwards_to == account.account:
        return accepted(booking, [], more=result)
    if len(account.numbers) >= NUMBERS_MAX:
        return Rejected(PointsRefusal.TOO_MANY_NUMBERS, f"an account has at most {NUMBERS_MAX} numbers", "/newNumber")
    if joins:
        booking.open()
        booked = accepted(booking, [], more=result)
        follow_up = joining(other, number, account.account)
        return replace(booked, follow_ups=(*booked.follow_ups, follow_up))
    forwarded = AccountForwarded(
        account=other.account, account_number=number, forwards_to=account.account, booked_at=command.now
    )
    booking.open()
    booking.events.append((stream, forwarded))
    booking.book(
        NumberAdded(
            account=account.account,
            account_number=booking.account.account_number or "",
            number=number,
            booked_at=command.now,
        )
    )
    led = evolve_account(other, forwarded)
    booked = accepted(booking, [], more=result, states={stream: led})
    return replace(booked, follow_ups=(*booked.follow_ups, *releasing(led)))


def pin_tier(command: Command, payload: PinTier, states: States) -> Outcome:
    """Hold a level by hand, or let it go."""
    booking = desk(command, payload.account_number, states)
    if not isinstance(booking, Booking):
        return booking
    if refused := opened(booking) or tiers.pin(booking, payload):
        return refused
    standing = booking.account.tiers.get(payload.tier_set)
    code, pinned = (None, False) if standing is None else (standing.code, standing.pinned)
    result = {"tierSet": payload.tier_set, "code": code, "pinned": pinned}
    return accepted(booking, [], payload.reason, result)

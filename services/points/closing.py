"""What transactions and reversals that wait for other services have in common (rules 4.1.13, 4.2.2)."""

from collections.abc import Mapping

from schemas.accounts import AccountState, AccountStateChanged
from schemas.giftcards import CardRefusal
from schemas.holds import HoldEnded, HoldPlaced, TransactionHeld
from schemas.refusals import PointsRefusal, VoucherRefusal
from schemas.reversals import ReversalHeld
from schemas.voucher_saga import Answer, Decision
from services.points.booking import Booking
from services.points.desk import States, desk
from services.points.state import CREDITED_MAX, Account, Event
from shared.decider import Accepted, Closing, Command, Rejected

HOLDS_MAX = 100
"""The transactions and reversals of one account that may be open at once."""

HELD_MAX = CREDITED_MAX // HOLDS_MAX
"""The most that an open transaction or reversal may credit to a balance, in the smallest unit: as many as may be open
come to no more than what commands may have credited already."""

_TOO_LATE = {VoucherRefusal.TOO_LATE.value, CardRefusal.TOO_LATE.value}
_VOUCHER_CODES = {code.value for code in VoucherRefusal}

TIMED_OUT = Rejected(
    PointsRefusal.TRANSACTION_TIMED_OUT, "the vouchers or gift cards were not dealt with in time; nothing was changed"
)


def too_many_open(account: Account) -> Rejected | None:
    """The bound on what may be open at once."""
    if len(account.holds) < HOLDS_MAX:
        return None
    detail = f"an account has at most {HOLDS_MAX} open transactions"
    return Rejected(PointsRefusal.TOO_MANY_OPEN_TRANSACTIONS, detail, "/accountNumber")


def too_much_held(credited: Mapping[str, int], pointer: str) -> Rejected | None:
    """The bound on what is credited at a close, which refuses nothing any more; `credited` by programme."""
    if max(credited.values(), default=0) <= HELD_MAX:
        return None
    detail = (
        "with vouchers or gift cards, less can be credited at once; do what is credited in a transaction of its own"
    )
    return Rejected(PointsRefusal.BALANCE_LIMIT_EXCEEDED, detail, pointer)


def mark(booking: Booking, model: type[HoldPlaced | HoldEnded], held: str) -> None:
    """Book that a transaction, or a reversal, of the account is open; or that it is no more.

    With the last of them an account closes that was to be closed.
    """
    booking.book(
        model(
            account=booking.account.account,
            account_number=booking.account_number,
            transaction_id=held,
            booked_at=booking.command.now,
        )
    )
    if booking.account.closes is not None and not booking.account.holds:
        close(booking, booking.account.closes)


def close(booking: Booking, reason: str) -> None:
    """Close the account for good."""
    account = booking.account
    booking.book(
        AccountStateChanged(
            account=account.account,
            account_number=account.account_number or booking.account_number,
            from_=account.state,
            to=AccountState.CLOSED,
            reason=reason,
            final=True,
            booked_at=booking.command.now,
        )
    )


def desk_of(command: Command, held: TransactionHeld | ReversalHeld, states: States) -> Booking:
    """The desk at which what was held is closed, in the words of the command that was held.

    :raises TypeError: the account leads to another one, which none does that has something open.
    """
    booking = desk(command, None, states)
    if not isinstance(booking, Booking):
        raise TypeError(f"{command.subject} leads to another account, and has open transactions")
    booking.transaction_id = held.reversal_id if isinstance(held, ReversalHeld) else held.transaction_id
    booking.account_number, booking.source, booking.occurred_at = held.account_number, held.source, held.occurred_at
    booking.all_thresholds = True
    return booking


def closed(verdict: Accepted[Event], held: str, answer: Answer) -> Accepted[Event]:
    """What closes `held`: its outcome is what was booked, or why it was not executed."""
    refusal = None if answer.decision is Decision.EXECUTED else _refusal(answer)
    snapshots = tuple(each.model_dump(mode="json", by_alias=True) for each in answer.snapshots)
    closing = Closing(held, verdict.result, refusal, snapshots)
    return Accepted(verdict.events, {}, verdict.follow_ups, states=verdict.states, closing=closing)


def _refusal(answer: Answer) -> Rejected:
    """Why, in the words of the service that refused it."""
    if answer.decision is Decision.CANCELLED or answer.code in _TOO_LATE:
        return TIMED_OUT
    of = VoucherRefusal if answer.code in _VOUCHER_CODES else CardRefusal
    return Rejected(of(answer.code or ""), answer.detail or "", answer.pointer)

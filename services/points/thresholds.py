"""Thresholds: so many points become a voucher by themselves, as often as they are there (rules 4.1.11).

Deducted in the step that raised what may be spent; the voucher service then issues what was deducted for, and cannot
refuse it.
"""

from collections.abc import Iterator, Mapping

from schemas.movements import ThresholdReached
from schemas.refusals import PointsRefusal
from schemas.voucher_saga import IssueThresholdVouchers, ThresholdVoucher, VoucherDone
from services.points.booking import Booking
from services.points.credits import balance_of, declared
from services.points.lots import spend
from services.points.parts import part_of
from services.points.state import ProgrammeRules
from shared.decider import FollowUp, Rejected
from shared.numbers import drawn_number

TIMES_MAX = 100
"""How many vouchers one command issues at most; a follow-up issues more. What nobody asks for comes to that: credits
that fall due, captures, what is given back, and a threshold that was declared when the points were there already."""


def too_often(booking: Booking, pointers: Mapping[str, str]) -> Rejected | None:
    """Whether the command itself would issue more vouchers of a programme than its threshold allows at once.

    `pointers` say by programme what is wrong then.
    """
    for rules, value in _reached(booking):
        threshold = declared(rules).issue_immediate_threshold
        before = booking.before.balances.get(rules.id)
        times = booking.account.balances[rules.id].spendable // value
        times -= 0 if before is None else max(before.spendable, 0) // value
        if threshold is not None and times > threshold.issued_max:
            detail = (
                f"this would issue {times} vouchers {threshold.voucher_id} at once; {rules.id} allows "
                f"{threshold.issued_max} a command (maxPerCommand)"
            )
            return Rejected(PointsRefusal.THRESHOLD_LIMIT_EXCEEDED, detail, pointers.get(rules.id))
    return None


def book_thresholds(booking: Booking) -> tuple[list[VoucherDone], tuple[FollowUp, ...]]:
    """Deduct for each voucher that the account has come to; what was issued, and the commands that follow."""
    vouchers: list[ThresholdVoucher] = []
    more = False
    for rules, value in _reached(booking):
        while not more and (balance := balance_of(booking, rules)).spendable >= value:
            if len(vouchers) == TIMES_MAX:
                more = True
                break
            vouchers.append(_deducted(booking, rules, value, len(vouchers)))
            parts = tuple(part_of(lot, taken) for lot, taken in spend(balance.lots, value))
            booking.move(ThresholdReached, balance, -value, parts, balance.account_expires_at)
            booking.operation += 1
    follow_ups = (_issue(booking, vouchers),) if vouchers else ()
    if more:
        again = FollowUp("points.commands", "points.book_due.v1", booking.account.account, {"thresholds": True})
        follow_ups = (*follow_ups, again)
    issued = [
        VoucherDone(
            operation=each.operation, serial_id=each.serial_id, voucher_id=each.voucher_id, programme=each.programme
        )
        for each in vouchers
    ]
    return issued, follow_ups


def _reached(booking: Booking) -> Iterator[tuple[ProgrammeRules, int]]:
    """The programmes in which more may be spent than before the command, and at least a threshold; and that."""
    for name, balance in booking.account.balances.items():
        rules = booking.catalogue.programmes.get(name)
        if rules is None or rules.threshold is None or balance.spendable < rules.threshold:
            continue
        before = booking.initial.balances.get(name)
        if booking.all_thresholds or before is None or balance.spendable > before.spendable:
            yield rules, rules.threshold


def _deducted(booking: Booking, rules: ProgrammeRules, value: int, index: int) -> ThresholdVoucher:
    threshold = declared(rules).issue_immediate_threshold
    if threshold is None:
        raise ValueError(f"{rules.id} has no threshold")
    return ThresholdVoucher(
        operation=booking.operation,
        programme=rules.id,
        voucher_id=threshold.voucher_id,
        serial_id=drawn_number(booking.command.secret, booking.command.id, "threshold", str(index)),
        cost=value,
        scale=rules.scale,
        unit=rules.unit,
    )


def _issue(booking: Booking, vouchers: list[ThresholdVoucher]) -> FollowUp:
    account = booking.account
    wanted = IssueThresholdVouchers(
        transaction_id=booking.transaction_id or booking.command.id,
        account=account.account,
        account_number=account.account_number or booking.account_number,
        vouchers=tuple(vouchers),
        source=booking.source,
        occurred_at=booking.occurred_at,
    )
    payload = wanted.model_dump(mode="json", by_alias=True, exclude_none=True)
    return FollowUp("voucher.commands", "voucher.issue_threshold.v1", account.account, payload)

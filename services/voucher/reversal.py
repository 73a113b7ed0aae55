"""Undoing what a transaction did with vouchers: all that is asked for, or nothing of it (rules 4.1.13)."""

from datetime import timedelta

from schemas.vouchers import (
    ReturnedVoucher,
    ReversalExecuted,
    ReversalRefused,
    ReverseVouchers,
    TakenBackVoucher,
    VoucherDone,
    VoucherRefusal,
    VoucherState,
)
from services.voucher.desk import Desk, Outcome, States, pinned
from services.voucher.pivot import decide_now, decided
from services.voucher.state import Voucher, transaction_stream, voucher_streams
from shared.calendar import first_instant, local_date
from shared.decider import Command, Rejected, Streams


def reversal_streams(command: Command, payload: ReverseVouchers) -> Streams:
    """The decision on the reversal, and all vouchers."""
    store, purchases, redemptions = command.store, payload.purchases, payload.redemptions
    vouchers = voucher_streams(store, (it.serial_id for it in redemptions), (it.serial_id for it in purchases))
    return Streams((transaction_stream(store, payload.reversal_id), *vouchers))


def reverse(command: Command, payload: ReverseVouchers, states: States) -> Outcome:
    """Decide a reversal once; redemptions are undone before purchases, the opposite of the original's order."""
    if (told := decided(command, payload.reversal_id, states)) is not None:
        return told
    desk = Desk(command, states, payload.reversal_id, payload.source, payload.occurred_at, payload.reason)
    common = {
        "reversal_id": payload.reversal_id,
        "transaction_id": payload.transaction_id,
        "account": payload.account,
        "booked_at": command.now,
    }
    if refused := _reverse(desk, payload):
        code, detail = str(refused.code), refused.detail
        return decide_now(command, ReversalRefused(**common, code=code, detail=detail, pointer=refused.pointer))
    event = ReversalExecuted(
        **common,
        restored=tuple(_done(desk, each) for each in payload.redemptions),
        voided=tuple(_done(desk, each) for each in payload.purchases),
    )
    return decide_now(command, event, desk)


def _reverse(desk: Desk, payload: ReverseVouchers) -> Rejected | None:
    for returned in payload.redemptions:
        if refused := _give_back(desk, returned, payload.transaction_id):
            return refused
    for bought in payload.purchases:
        if refused := _take_back(desk, bought, payload.transaction_id):
            return refused
    return None


def _give_back(desk: Desk, returned: ReturnedVoucher, transaction: str) -> Rejected | None:
    """Undo a redemption: the voucher is usable for `grace_days` whole local days after today, or longer."""
    voucher = desk.voucher(returned.serial_id)
    if voucher.issued is None:
        return Rejected(VoucherRefusal.VOUCHER_UNKNOWN, "there is no voucher with this serial", returned.pointer)
    if voucher.state is not VoucherState.REDEEMED or voucher.redeemed_in != transaction:
        detail = "the voucher is not redeemed by this transaction any more"
        return Rejected(VoucherRefusal.VOUCHER_USED, detail, returned.pointer)
    _restore(desk, voucher, returned.operation, returned.grace_days)
    return None


def _take_back(desk: Desk, bought: TakenBackVoucher, transaction: str) -> Rejected | None:
    """Void a voucher that was bought; one that was used in the same transaction is as good as unused.

    What expired unused, or was voided, stays so, and does not stand in the way.
    """
    voucher = desk.voucher(bought.serial_id)
    if voucher.issued is None:
        return Rejected(VoucherRefusal.VOUCHER_UNKNOWN, "there is no voucher with this serial", bought.pointer)
    if voucher.state is VoucherState.REDEEMED:
        if voucher.redeemed_in != transaction:
            return Rejected(VoucherRefusal.VOUCHER_USED, "the voucher has been used", bought.pointer)
        voucher = _restore(desk, voucher, bought.operation, 0)
    if desk.book_due(bought.serial_id).state is VoucherState.ISSUED:
        desk.void(bought.serial_id, bought.operation)
    return None


def _restore(desk: Desk, voucher: Voucher, operation: int, grace_days: int) -> Voucher:
    zone, until = pinned(voucher).zone, voucher.expires_at
    if until is not None:
        until = max(until, first_instant(local_date(desk.now, zone) + timedelta(days=grace_days + 1), zone))
    return desk.restore(voucher.serial_id, operation, until)


def _done(desk: Desk, each: ReturnedVoucher | TakenBackVoucher) -> VoucherDone:
    issued = pinned(desk.voucher(each.serial_id))
    return VoucherDone(
        operation=each.operation,
        serial_id=issued.serial_id,
        voucher_id=issued.voucher_id,
        programme=issued.programme,
        benefit=issued.benefit,
    )

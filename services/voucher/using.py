"""Redeeming and voiding vouchers, and booking their expiry (rules 4.3.1, 4.3.3)."""

from collections.abc import Collection

from schemas.base import format_instant
from schemas.vouchers import BookVoucherDue, UsedVoucher, VoidVoucher, VoucherRefusal
from services.voucher.desk import Desk, Outcome, States, pinned, source_of, unusable
from shared.decider import Accepted, Command, Rejected


def use(desk: Desk, wanted: UsedVoucher, account: str, aliases: Collection[str] = ()) -> Rejected | None:
    """Redeem or void a voucher for `account`, which has its `aliases'` too; or why it cannot be (rules 4.3.3).

    What is voided need not be valid yet.
    """
    voucher = desk.voucher(wanted.serial_id)
    if refused := unusable(voucher, desk.now, {account, *aliases}, wanted.pointer):
        return refused
    issued = pinned(voucher)
    if not wanted.void and (refused := not_yet_valid(desk, wanted.serial_id, wanted.pointer)):
        return refused
    if issued.programme != wanted.programme:
        belongs = "no programme" if issued.programme is None else f"the programme {issued.programme}"
        return Rejected(VoucherRefusal.PROGRAMME_MISMATCH, f"the voucher belongs to {belongs}", wanted.pointer)
    if wanted.void:
        desk.void(wanted.serial_id, wanted.operation)
    else:
        desk.redeem(wanted.serial_id, wanted.operation, account)
    return None


def not_yet_valid(desk: Desk, serial_id: str, pointer: str) -> Rejected | None:
    """`voucher_not_yet_valid`, before the voucher's first instant."""
    valid_from = pinned(desk.voucher(serial_id)).valid_from
    if desk.now >= valid_from:
        return None
    detail = f"the voucher is valid from {format_instant(valid_from)}"
    return Rejected(VoucherRefusal.VOUCHER_NOT_YET_VALID, detail, pointer)


def void_by_hand(command: Command, payload: VoidVoucher, states: States) -> Outcome:
    """Void a voucher, whoever owns it; only one that is issued can be."""
    context = payload.context
    desk = Desk(command, states, command.id, source_of(context), context.occurred_at, payload.reason)
    if refused := unusable(desk.voucher(payload.serial_id), command.now, None, "/serialId"):
        return refused
    voided = desk.void(payload.serial_id, 0)
    return Accepted(tuple(desk.events), {"serialId": voided.serial_id}, memo=context.comment, states=desk.states)


def book_expiry(command: Command, payload: BookVoucherDue, states: States) -> Outcome:
    """What the sweep asks for: the expiry is booked if it is due; often it is not any more."""
    desk = Desk(command, states, command.id)
    desk.book_due(payload.serial_id)
    return Accepted(tuple(desk.events), {"serialId": payload.serial_id}, states=desk.states)

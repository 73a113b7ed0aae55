"""A transaction's part with vouchers: all of it in one step, or nothing of it (rules 4.2.1, 4.2.2)."""

from schemas.vouchers import (
    BoughtVoucher,
    CancelVouchers,
    ExecuteVouchers,
    IssuedVoucher,
    TransactionCancelled,
    TransactionExecuted,
    TransactionRefused,
    UsedVoucher,
    VoucherDone,
    VoucherRefusal,
)
from services.voucher.desk import Desk, Outcome, States, pinned
from services.voucher.issuing import Wanted, issue
from services.voucher.pivot import decide_now, decided
from services.voucher.state import definition_stream, transaction_stream, voucher_streams
from services.voucher.using import not_yet_valid, use
from shared.decider import Command, Rejected, Streams


def execution_streams(command: Command, payload: ExecuteVouchers) -> Streams:
    """The decision and all vouchers, which are written together; the definitions of what is bought."""
    store, purchases, redemptions = command.store, payload.purchases, payload.redemptions
    vouchers = voucher_streams(store, (it.serial_id for it in purchases), (it.serial_id for it in redemptions))
    codes = dict.fromkeys(each.voucher_id for each in purchases)
    pivot = transaction_stream(store, payload.transaction_id)
    return Streams((pivot, *vouchers), tuple(definition_stream(store, code) for code in codes))


def execute(command: Command, payload: ExecuteVouchers, states: States) -> Outcome:
    """Decide a transaction once: do everything in order, or book why nothing of it is done."""
    if (told := decided(command, payload.transaction_id, states)) is not None:
        return told
    desk = Desk(command, states, payload.transaction_id, payload.source, payload.occurred_at)
    refused = _too_late(command, payload) or _execute(desk, payload)
    common = {"transaction_id": payload.transaction_id, "account": payload.account, "booked_at": command.now}
    if refused is not None:
        code, detail = str(refused.code), refused.detail
        return decide_now(command, TransactionRefused(**common, code=code, detail=detail, pointer=refused.pointer))
    used = [(each, _done(desk, each)) for each in payload.redemptions]
    event = TransactionExecuted(
        **common,
        issued=tuple(_issued(desk, each) for each in payload.purchases),
        redeemed=(
            *(_done(desk, each) for each in payload.purchases if each.use),
            *(done for each, done in used if not each.void),
        ),
        voided=tuple(done for each, done in used if each.void),
    )
    return decide_now(command, event, desk)


def cancel(command: Command, payload: CancelVouchers, states: States) -> Outcome:
    """Decide that nothing shall come of a transaction, unless something was decided before."""
    told = decided(command, payload.transaction_id, states)
    if told is not None:
        return told
    transaction, account = payload.transaction_id, payload.account
    return decide_now(command, TransactionCancelled(transaction_id=transaction, account=account, booked_at=command.now))


def _too_late(command: Command, payload: ExecuteVouchers) -> Rejected | None:
    if command.now <= payload.deadline:
        return None
    return Rejected(VoucherRefusal.TOO_LATE, "the transaction's time was over before its vouchers were looked at")


def _execute(desk: Desk, payload: ExecuteVouchers) -> Rejected | None:
    """All operations in order on the desk, as far as the first that cannot be."""
    for bought in payload.purchases:
        if refused := _buy(desk, bought, payload):
            return refused
    for used in payload.redemptions:
        if refused := use(desk, used, payload.account, payload.aliases):
            return refused
    return None


def _buy(desk: Desk, bought: BoughtVoucher, payload: ExecuteVouchers) -> Rejected | None:
    """Issue a voucher for its price; with `use` redeem it, which it must be valid for."""
    wanted = Wanted(
        bought.serial_id,
        bought.operation,
        payload.account,
        payload.account_number,
        bought.valid_from,
        bought.expires_at,
        bought.cost,
        bought.scale,
        bought.programme,
        bought.unit,
    )
    if refused := issue(desk, wanted, bought.voucher_id, bought.pointer):
        return refused
    if bought.use:
        if refused := not_yet_valid(desk, bought.serial_id, bought.pointer):
            return refused
        desk.redeem(bought.serial_id, bought.operation, payload.account)
    return None


def _issued(desk: Desk, bought: BoughtVoucher) -> IssuedVoucher:
    voucher = desk.voucher(bought.serial_id)
    issued = pinned(voucher)
    return IssuedVoucher(
        operation=bought.operation,
        serial_id=bought.serial_id,
        voucher_id=issued.voucher_id,
        programme=issued.programme,
        benefit=issued.benefit,
        valid_from=issued.valid_from,
        expires_at=issued.expires_at,
        state=voucher.state,
    )


def _done(desk: Desk, each: BoughtVoucher | UsedVoucher) -> VoucherDone:
    issued = pinned(desk.voucher(each.serial_id))
    return VoucherDone(
        operation=each.operation,
        serial_id=issued.serial_id,
        voucher_id=issued.voucher_id,
        programme=issued.programme,
        benefit=issued.benefit,
    )

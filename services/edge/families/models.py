"""Response models that several families share, for the OpenAPI document."""

from schemas.base import Published
from schemas.voucher_saga import IssuedVoucher, VoucherDone
from services.edge.http.models import Number


class BalanceAnswer(Published):
    """What may be spent in one programme after a transaction."""

    loyalty_program_id: str
    points_balance: Number


class TransactionAnswer(Published):
    """An accepted transaction: the balances after it, and what it did with which vouchers."""

    transaction_id: str
    balances: tuple[BalanceAnswer, ...]
    issued_vouchers: tuple[IssuedVoucher | VoucherDone, ...]
    redeemed_vouchers: tuple[VoucherDone, ...]
    voided_vouchers: tuple[VoucherDone, ...]

"""The wire of the voucher service: its own commands, and the registries of all of them.

The rest is in `schemas.voucher_definition`, `voucher_events` and `voucher_saga`, and named here once more.
"""

from typing import Annotated, get_args

from pydantic import Field

from schemas.base import Instant, Published, Wire
from schemas.refusals import VoucherRefusal, VoucherRejected
from schemas.text import Key, Reason
from schemas.transaction import Context
from schemas.voucher_definition import (
    DefinitionPut,
    DefinitionState,
    DefinitionView,
    PutDefinition,
    VoucherDefinition,
)
from schemas.voucher_events import (
    VoucherBooked,
    VoucherChanged,
    VoucherExpired,
    VoucherIssued,
    VoucherRedeemed,
    VoucherRestored,
    VoucherState,
    VoucherView,
    VoucherVoided,
)
from schemas.voucher_saga import (
    CLOSE_REVERSAL,
    CLOSE_TRANSACTION,
    Answer,
    BoughtVoucher,
    CancelVouchers,
    CloseReversal,
    CloseTransaction,
    Decision,
    ExecuteVouchers,
    IssuedVoucher,
    IssueThresholdVouchers,
    ReturnedVoucher,
    ReversalExecuted,
    ReversalRefused,
    ReverseVouchers,
    TakenBackVoucher,
    ThresholdVoucher,
    TransactionCancelled,
    TransactionExecuted,
    TransactionRefused,
    UsedVoucher,
    VoucherDone,
)


class IssueVoucher(Wire):
    """`voucher.issue.v1`: a voucher by hand or from a campaign, to an account, or without one to bearer (rules 4.3.2).

    The serial is drawn or given before the command is sent: it is unique in the store. `account` and `account_number`
    go together.
    """

    voucher_id: Key
    serial_id: Key
    account: Key | None = None
    account_number: Key | None = None
    valid_from: Instant | None = None
    expires_at: Instant | None = None
    reason: Reason
    context: Context = Context()


class VoidVoucher(Wire):
    """`voucher.void.v1`: it can never be used from now on; only one that is usable, now or later, can be voided."""

    serial_id: Key
    reason: Reason
    context: Context = Context()


class BookVoucherDue(Wire):
    """`voucher.book_due.v1`: book the voucher's expiry if its time has come, and nothing else; sent by the sweep."""

    serial_id: Key


VoucherEvent = Annotated[
    DefinitionPut
    | VoucherIssued
    | VoucherRedeemed
    | VoucherVoided
    | VoucherExpired
    | VoucherRestored
    | TransactionExecuted
    | TransactionRefused
    | TransactionCancelled
    | ReversalExecuted
    | ReversalRefused,
    Field(discriminator="type"),
]

COMMANDS: dict[str, type[Wire]] = {
    "voucher.execute.v1": ExecuteVouchers,
    "voucher.cancel.v1": CancelVouchers,
    "voucher.reverse.v1": ReverseVouchers,
    "voucher.issue_threshold.v1": IssueThresholdVouchers,
    "voucher.issue.v1": IssueVoucher,
    "voucher.void.v1": VoidVoucher,
    "voucher.book_due.v1": BookVoucherDue,
    "voucher.put_definition.v1": PutDefinition,
}

REJECTIONS: dict[str, str] = {
    "voucher.execute.v1": "voucher.execution_rejected.v1",
    "voucher.cancel.v1": "voucher.execution_rejected.v1",
    "voucher.reverse.v1": "voucher.execution_rejected.v1",
    "voucher.issue_threshold.v1": "voucher.issue_rejected.v1",
    "voucher.issue.v1": "voucher.issue_rejected.v1",
    "voucher.void.v1": "voucher.void_rejected.v1",
    "voucher.book_due.v1": "voucher.void_rejected.v1",
    "voucher.put_definition.v1": "voucher.definition_rejected.v1",
}

EVENTS: dict[str, type[Published]] = {
    event.model_fields["type"].default: event for event in get_args(get_args(VoucherEvent)[0])
}

CHANGED = "voucher.changed.v1"
VOUCHER_VIEW = "voucher.snapshot.v1"
DEFINITION_VIEW = "voucher.definition_snapshot.v1"

__all__ = [
    "CHANGED",
    "CLOSE_REVERSAL",
    "CLOSE_TRANSACTION",
    "COMMANDS",
    "DEFINITION_VIEW",
    "EVENTS",
    "REJECTIONS",
    "VOUCHER_VIEW",
    "Answer",
    "BookVoucherDue",
    "BoughtVoucher",
    "CancelVouchers",
    "CloseReversal",
    "CloseTransaction",
    "Decision",
    "DefinitionPut",
    "DefinitionState",
    "DefinitionView",
    "ExecuteVouchers",
    "IssueThresholdVouchers",
    "IssueVoucher",
    "IssuedVoucher",
    "PutDefinition",
    "ReturnedVoucher",
    "ReversalExecuted",
    "ReversalRefused",
    "ReverseVouchers",
    "TakenBackVoucher",
    "ThresholdVoucher",
    "TransactionCancelled",
    "TransactionExecuted",
    "TransactionRefused",
    "UsedVoucher",
    "VoidVoucher",
    "VoucherBooked",
    "VoucherChanged",
    "VoucherDefinition",
    "VoucherDone",
    "VoucherEvent",
    "VoucherExpired",
    "VoucherIssued",
    "VoucherRedeemed",
    "VoucherRefusal",
    "VoucherRejected",
    "VoucherRestored",
    "VoucherState",
    "VoucherView",
    "VoucherVoided",
]

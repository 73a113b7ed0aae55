"""What the points and the voucher service tell each other about a transaction, and a reversal, over both (rules 4.2.2).

The points service sends what vouchers have to do with it, once; the voucher service decides, in one step, and its first
decision is final: it is sent again, as it was, for every later command on the same transaction. Amounts are integers
in the programme's smallest unit; times are UTC instants; `operation` is the index in the order of processing, for a
reversal that of the original, and `pointer` the place in the caller's body.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StrictBool

from schemas.base import Instant, Published, Wire
from schemas.movements import Source, Unit
from schemas.replies import SnapshotPart
from schemas.text import KnownKey
from schemas.voucher_benefit import Worth
from schemas.voucher_definition import VoucherDefinition
from schemas.voucher_events import VoucherState

CLOSE_TRANSACTION = "points.close_transaction.v1"
CLOSE_REVERSAL = "points.close_reversal.v1"

Operation = Annotated[int, Field(ge=0)]


class Decision(StrEnum):
    """How the vouchers' part of a transaction ended, for ever."""

    EXECUTED = "executed"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class BoughtVoucher(Wire):
    """A voucher to issue for `cost`; with `use` it is redeemed at once. The serial is drawn by the sender."""

    operation: Operation
    pointer: str
    programme: KnownKey
    voucher_id: KnownKey
    serial_id: KnownKey
    use: StrictBool = False
    valid_from: Instant | None = None
    expires_at: Instant | None = None
    cost: Annotated[int, Field(ge=0)]
    scale: Annotated[int, Field(ge=0)]
    unit: Unit | None = None


class UsedVoucher(Wire):
    """A voucher to redeem, or with `void` to make unusable; of `programme`, or of none at the top level."""

    operation: Operation
    pointer: str
    programme: KnownKey | None = None
    serial_id: KnownKey
    void: StrictBool = False


class ExecuteVouchers(Wire):
    """`voucher.execute.v1`: purchases in their order, then redemptions in theirs: all of them, or none.

    Refused as `too_late` when it is decided after `deadline`. `aliases` are the accounts of the numbers that lead to
    this one: a voucher may have been given to such a number before it did.
    """

    transaction_id: KnownKey
    account: KnownKey
    account_number: KnownKey
    aliases: tuple[KnownKey, ...] = ()
    deadline: Instant
    purchases: tuple[BoughtVoucher, ...] = ()
    redemptions: tuple[UsedVoucher, ...] = ()
    source: Source = Source()
    occurred_at: Instant | None = None


class CancelVouchers(Wire):
    """`voucher.cancel.v1`: nothing shall come of the transaction, unless it has been executed already."""

    transaction_id: KnownKey
    account: KnownKey


class ThresholdVoucher(Wire):
    """A voucher for which a threshold has deducted `cost` points of `programme` (rules 4.1.11)."""

    operation: Operation
    programme: KnownKey
    voucher_id: KnownKey
    serial_id: KnownKey
    cost: Annotated[int, Field(ge=0)]
    scale: Annotated[int, Field(ge=0)]
    unit: Unit | None = None


class IssueThresholdVouchers(Wire):
    """`voucher.issue_threshold.v1`: issue what was deducted for; this is never refused.

    `definitions` are pinned by the sender, by their codes. A voucher whose definition is not among them is issued by
    the declared one, retired or not; and when there is none, under its code, valid for ever.
    """

    transaction_id: KnownKey
    account: KnownKey
    account_number: KnownKey
    vouchers: Annotated[tuple[ThresholdVoucher, ...], Field(min_length=1)]
    definitions: tuple[VoucherDefinition, ...] = ()
    source: Source = Source()
    occurred_at: Instant | None = None


class TakenBackVoucher(Wire):
    """A voucher that the transaction issued, to be voided."""

    operation: Operation
    pointer: str
    serial_id: KnownKey


class ReturnedVoucher(Wire):
    """A voucher that the transaction redeemed, to be usable for at least `grace_days` local days from today."""

    operation: Operation
    pointer: str
    serial_id: KnownKey
    grace_days: Annotated[int, Field(ge=0, le=3660)] = 30


class ReverseVouchers(Wire):
    """`voucher.reverse.v1`: undo what the transaction did with these vouchers: all of it, or nothing (rules 4.1.13).

    Redemptions are undone first. A voucher that was bought and has been used otherwise refuses all (`voucher_used`).
    """

    reversal_id: KnownKey
    transaction_id: KnownKey
    account: KnownKey
    account_number: KnownKey
    redemptions: tuple[ReturnedVoucher, ...] = ()
    purchases: tuple[TakenBackVoucher, ...] = ()
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    source: Source = Source()
    occurred_at: Instant | None = None


class VoucherDone(Published):
    """A voucher that an operation redeemed, voided or made usable again; of one by a threshold, `benefit` is null."""

    operation: int
    serial_id: str
    voucher_id: str
    programme: str | None = None
    benefit: Worth = None


class IssuedVoucher(VoucherDone):
    """A voucher that an operation issued; its state is `redeemed` when it was used at once."""

    valid_from: Instant
    expires_at: Instant | None = None
    state: VoucherState


class Answer(Wire):
    """What every decision says. `code`, `detail` and `pointer` are those of the first operation that was refused.

    `snapshots` go with the first answer and not with those that repeat it; they are for whoever waits, not for
    deciding.
    """

    account: KnownKey
    decision: Decision
    code: Annotated[str, Field(max_length=64)] | None = None
    detail: str | None = None
    pointer: str | None = None
    snapshots: tuple[SnapshotPart, ...] = ()


class CloseTransaction(Answer):
    """`points.close_transaction.v1`: the decision on a transaction; its id is v5("close", transaction id).

    A voucher that was bought and used at once is both issued and redeemed.
    """

    transaction_id: KnownKey
    issued: tuple[IssuedVoucher, ...] = ()
    redeemed: tuple[VoucherDone, ...] = ()
    voided: tuple[VoucherDone, ...] = ()


class CloseReversal(Answer):
    """`points.close_reversal.v1`: executed or refused, a reversal; its id is v5("close", reversal id)."""

    reversal_id: KnownKey
    transaction_id: KnownKey
    restored: tuple[VoucherDone, ...] = ()
    voided: tuple[VoucherDone, ...] = ()


class Decided(Published):
    """What every event of a decision says."""

    transaction_id: str
    account: str
    booked_at: Instant


class TransactionExecuted(Decided):
    """`voucher.transaction_executed.v1`: all that the transaction does with vouchers is done."""

    type: Literal["voucher.transaction_executed.v1"] = "voucher.transaction_executed.v1"
    issued: tuple[IssuedVoucher, ...] = ()
    redeemed: tuple[VoucherDone, ...] = ()
    voided: tuple[VoucherDone, ...] = ()


class TransactionRefused(Decided):
    """`voucher.transaction_refused.v1`: nothing of it is done, nor ever will be."""

    type: Literal["voucher.transaction_refused.v1"] = "voucher.transaction_refused.v1"
    code: str
    detail: str
    pointer: str | None = None


class TransactionCancelled(Decided):
    """`voucher.transaction_cancelled.v1`: it came to nothing in time, and never will."""

    type: Literal["voucher.transaction_cancelled.v1"] = "voucher.transaction_cancelled.v1"


class ReversalExecuted(Decided):
    """`voucher.reversal_executed.v1`: what the transaction did with these vouchers is undone."""

    type: Literal["voucher.reversal_executed.v1"] = "voucher.reversal_executed.v1"
    reversal_id: str
    restored: tuple[VoucherDone, ...] = ()
    voided: tuple[VoucherDone, ...] = ()


class ReversalRefused(Decided):
    """`voucher.reversal_refused.v1`: nothing is undone by this reversal."""

    type: Literal["voucher.reversal_refused.v1"] = "voucher.reversal_refused.v1"
    reversal_id: str
    code: str
    detail: str
    pointer: str | None = None

"""Undoing a transaction, on the wire (rules 4.1.13). Amounts are integers in the programme's smallest unit.

What a transaction did with vouchers and gift cards is undone by their services; such a reversal is held until those
have decided.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Amount, AtMost, Instant, Integer, Published, Wire
from schemas.giftcard_saga import PaidCard
from schemas.movements import Source
from schemas.text import LINE, Checked, Key, Reason
from schemas.transaction import OPERATIONS_MAX, Context
from schemas.voucher_saga import VoucherDone


class ReversedOperation(Wire):
    """One operation of the original, by its `operation`; wholly, or by `value` in whole units.

    What was done with a voucher or a gift card is undone wholly.
    """

    operation: Annotated[Integer, Field(ge=0)]
    value: Annotated[Amount, Field(gt=0)] | None = None


class Reversal(Wire):
    """What is to be undone: the whole transaction when no operations are named."""

    transaction_id: Key
    operations: Annotated[tuple[ReversedOperation, ...], AtMost(2 * OPERATIONS_MAX)] = ()
    reason: Reason
    context: Context = Context()


class Reverse(Reversal):
    """`points.reverse.v1`: undo a transaction: all of it, or the operations named, in part where a value is given.

    Over all reversals an operation is undone once at most (rules 4.1.13).
    """

    account_number: Key
    only_by: Annotated[
        Annotated[str, Checked(LINE, 128, 1)] | None,
        Field(
            description="Undo nothing unless this sent the transaction, as the journal's `actor` says it; null undoes "
            "anyone's. The edge sets it for a client that may undo its own transactions alone.",
            examples=["client:0199d2a5-7c00-7000-8000-000000000009"],
        ),
    ] = None


class ReversedAmount(Published):
    """How much of an operation was undone, in the programme's smallest unit."""

    operation: int
    programme: str
    amount: int


class Reversed(Published):
    """`points.reversed.v1`: operations of the transaction `transaction_id` were undone, by these amounts.

    `restored` were redeemed by it and are usable again; `voided` were bought by it; `cards` get their money back.
    """

    type: Literal["points.reversed.v1"] = "points.reversed.v1"
    transaction_id: str
    reversal_id: str
    account: str
    operations: tuple[ReversedAmount, ...]
    restored: tuple[VoucherDone, ...] = ()
    voided: tuple[VoucherDone, ...] = ()
    cards: tuple[PaidCard, ...] | None = None
    reason: str
    booked_at: Instant


class ReversalHeld(Published):
    """`points.reversal_held.v1`: points have checked it, and wait for vouchers and cards. Nothing is booked yet."""

    type: Literal["points.reversal_held.v1"] = "points.reversal_held.v1"
    transaction_id: str
    reversal_id: str
    account: str
    account_number: str
    operations: tuple[ReversedAmount, ...]
    cards: tuple[PaidCard, ...] | None = None
    reason: str
    source: Source = Source()
    occurred_at: Instant | None = None
    booked_at: Instant


class ReversalReleased(Published):
    """`points.reversal_released.v1`: a voucher or a gift card has refused it; nothing of it will be booked."""

    type: Literal["points.reversal_released.v1"] = "points.reversal_released.v1"
    transaction_id: str
    reversal_id: str
    account: str
    code: str
    booked_at: Instant


ReversalEvent = Reversed | ReversalHeld | ReversalReleased
"""What happens to what was undone of a transaction, on its own stream."""

"""Undoing a transaction, on the wire (RULES 4.1.13). Amounts are integers in the programme's smallest unit."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Amount, Instant, Key, Published, Wire
from schemas.transaction import OPERATIONS_MAX, Context


class ReversedOperation(Wire):
    """One operation of the original, by its `operation`; wholly, or by `value` in whole units."""

    operation: Annotated[int, Field(ge=0)]
    value: Annotated[Amount, Field(gt=0)] | None = None


class Reverse(Wire):
    """`points.reverse.v1`: undo a transaction: all of it, or the operations named, in part where a value is given.

    Over all reversals an operation is undone once at most (RULES 4.1.13).
    """

    account_number: Key
    transaction_id: Key
    operations: Annotated[tuple[ReversedOperation, ...], Field(max_length=2 * OPERATIONS_MAX)] = ()
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    context: Context = Context()


class ReversedAmount(Published):
    """How much of an operation was undone, in the programme's smallest unit."""

    operation: int
    programme: str
    amount: int


class Reversed(Published):
    """`points.reversed.v1`: operations of the transaction `transaction_id` were undone, by these amounts."""

    type: Literal["points.reversed.v1"] = "points.reversed.v1"
    transaction_id: str
    account: str
    operations: tuple[ReversedAmount, ...]
    reason: str
    booked_at: Instant

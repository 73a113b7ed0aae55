"""Transactions that are held until vouchers or gift cards have decided, as the points service tells of them (4.2.2).

Amounts are integers in the programme's smallest unit; times are UTC instants; operations count in processing order.
"""

from typing import Literal

from schemas.base import Instant, Published, Wire
from schemas.giftcard_saga import PaidCard
from schemas.movements import LotPart, Source
from schemas.text import Key
from schemas.voucher_saga import VoucherDone


class CancelHeld(Wire):
    """`points.cancel_held.v1`: ask for a transaction that is late to be cancelled; sent by the sweep."""

    transaction_id: Key


class HeldCredit(Published):
    """A load that is booked when the transaction is captured, as it was asked for."""

    operation: int
    programme: str
    amount: int
    expires_at: Instant | None = None
    account_expires_at: Instant | None = None


class HeldDebit(Published):
    """A redemption or purchase: `lots` were set aside, and the rest of `amount` comes from the transaction's loads."""

    operation: int
    kind: Literal["redeem", "purchase"]
    programme: str
    amount: int
    lots: tuple[LotPart, ...] = ()


class TransactionHeld(Published):
    """`points.transaction_held.v1`: points have checked it, and wait for vouchers and gift cards until `deadline`.

    `programmes` are those whose balances are answered; the last of `cards` decides where `card_decides`, and else the
    vouchers. Nothing is booked yet.
    """

    type: Literal["points.transaction_held.v1"] = "points.transaction_held.v1"
    transaction_id: str
    account: str
    account_number: str
    programmes: tuple[str, ...]
    credits: tuple[HeldCredit, ...] = ()
    debits: tuple[HeldDebit, ...] = ()
    cards: tuple[PaidCard, ...] | None = None
    card_decides: bool | None = None
    source: Source = Source()
    deadline: Instant
    occurred_at: Instant | None = None
    booked_at: Instant


class CancelRequested(Published):
    """`points.cancel_requested.v1`: who decides was asked to cancel it, and will be asked again at `again_at`."""

    type: Literal["points.cancel_requested.v1"] = "points.cancel_requested.v1"
    transaction_id: str
    account: str
    again_at: Instant
    booked_at: Instant


class TransactionClosed(Published):
    """`points.transaction_closed.v1`: executed, it is booked; refused or cancelled, nothing ever will be.

    A voucher that was bought and used at once is both issued and redeemed. `cards` have paid.
    """

    type: Literal["points.transaction_closed.v1"] = "points.transaction_closed.v1"
    transaction_id: str
    account: str
    decision: Literal["executed", "refused", "cancelled"]
    code: str | None = None
    issued: tuple[VoucherDone, ...] = ()
    redeemed: tuple[VoucherDone, ...] = ()
    voided: tuple[VoucherDone, ...] = ()
    cards: tuple[PaidCard, ...] | None = None
    booked_at: Instant


class HoldPlaced(Published):
    """`points.hold_placed.v1`: a transaction, or a reversal, of the account is open.

    What it sets aside comes with it.
    """

    type: Literal["points.hold_placed.v1"] = "points.hold_placed.v1"
    account: str
    account_number: str
    transaction_id: str
    booked_at: Instant


class HoldEnded(Published):
    """`points.hold_ended.v1`: it is closed; what it had set aside has come back, or been spent."""

    type: Literal["points.hold_ended.v1"] = "points.hold_ended.v1"
    account: str
    account_number: str
    transaction_id: str
    booked_at: Instant


HoldEvent = TransactionHeld | CancelRequested | TransactionClosed
"""What happens to a transaction that is held, on its own stream."""

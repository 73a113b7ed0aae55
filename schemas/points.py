"""The wire of the points service: its commands, refusals, results, and the public change stream; and the registries.

The rest is in `schemas.accounts`, `movements`, `orders` and others, and named here once more. Amounts in what is
published are integers in the programme's smallest unit (`scale` digits). The journal stores events in this shape.
"""

from typing import Annotated, Self, get_args

from pydantic import Field, StrictBool, model_validator

from schemas import joining, order_numbers, receipts, waiting_inputs
from schemas.accounts import (
    AccountForwarded,
    AccountLife,
    AccountOpened,
    AccountState,
    AccountStateChanged,
    AccountView,
    BalanceView,
    BookDue,
    CloseAccount,
    DatedAmount,
    NumberAdded,
    ReplaceNumber,
    SetAccountState,
)
from schemas.base import Amount, Instant, Published, Wire
from schemas.changes import CHANGED, PointsChanged
from schemas.giftcard_saga import CardPayments
from schemas.holds import CancelHeld, HoldEnded, HoldEvent, HoldPlaced
from schemas.movements import (
    Activated,
    Adjusted,
    Deactivated,
    Dropped,
    Expired,
    ExpiringSoon,
    GivenBack,
    Held,
    Loaded,
    LotPart,
    Movement,
    Notice,
    Pended,
    Purchased,
    Redeemed,
    Released,
    Revoked,
    Scheduled,
    Source,
    SpendCounted,
    Unscheduled,
)
from schemas.orders import CancelOrder, FulfilOrder, PlaceOrder, ReportOrder, ReturnOrder
from schemas.programmes import CatalogueView, ProgrammeApplied, ProgrammeView, PutProgramme
from schemas.refusals import PointsRefusal, PointsRejected
from schemas.reversals import ReversalEvent, Reverse, Reversed, ReversedAmount, ReversedOperation
from schemas.text import Key, Reason
from schemas.tiers import PinTier, PutTierSet, TierEvent, TierSetApplied
from schemas.transaction import Context, Transaction, check_operations
from schemas.voucher_saga import (
    CLOSE_REVERSAL,
    CLOSE_TRANSACTION,
    CloseReversal,
    CloseTransaction,
    IssuedVoucher,
    VoucherDone,
)


class PostTransaction(Transaction):
    """`points.post_transaction.v1`: several programmes, vouchers and gift cards, all or nothing (rules 4.2.1).

    One that is `from_input` opens an account only under a number that is known (rules 4.1.2).
    """

    account_number: Key
    giftcards: CardPayments = ()
    from_input: StrictBool = False

    @model_validator(mode="after")
    def _few_with_cards(self) -> Self:
        check_operations(self.loyalty_programs, self.voucher_redemptions, len(self.giftcards))
        return self


class Adjustment(Wire):
    """A correction by hand; a negative value takes points away."""

    programme: Key
    value: Amount
    reason: Reason
    active_from: Instant | None = None
    expires_at: Instant | None = None
    context: Context = Context()


class Adjust(Adjustment):
    """`points.adjust.v1`: a correction by hand; a negative one beyond the balance is refused (rules 4.1.6)."""

    account_number: Key


AccountNews = AccountLife | joining.AccountJoining | waiting_inputs.InputNews | HoldPlaced | HoldEnded | TierEvent
CatalogueNews = TierSetApplied | waiting_inputs.AccountNumbersApplied | order_numbers.OrderNumbersApplied
PointsEvent = Annotated[
    AccountNews | ProgrammeApplied | CatalogueNews | Notice | Movement | receipts.OrderNews | ReversalEvent | HoldEvent,
    Field(discriminator="type"),
]


class BalanceResult(Published):
    """A balance after a command, in the smallest unit."""

    loyalty_program_id: str
    points_balance: int
    scale: int


class TransactionResult(Published):
    """What an accepted transaction answers: balances after it, and what it did with which vouchers.

    With gift cards, `giftcards` says which of them paid how much.
    """

    transaction_id: str
    balances: tuple[BalanceResult, ...]
    issued_vouchers: tuple[IssuedVoucher | VoucherDone, ...] = ()
    redeemed_vouchers: tuple[VoucherDone, ...] = ()
    voided_vouchers: tuple[VoucherDone, ...] = ()


COMMANDS: dict[str, type[Wire]] = {
    "points.post_transaction.v1": PostTransaction,
    CLOSE_TRANSACTION: CloseTransaction,
    "points.cancel_held.v1": CancelHeld,
    "points.adjust.v1": Adjust,
    "points.reverse.v1": Reverse,
    CLOSE_REVERSAL: CloseReversal,
    "points.place_order.v1": PlaceOrder,
    "points.fulfil_order.v1": FulfilOrder,
    "points.cancel_order.v1": CancelOrder,
    "points.return_order.v1": ReturnOrder,
    "points.report_order.v1": ReportOrder,
    receipts.FREE_RECEIPT: receipts.FreeReceipt,
    "points.book_due.v1": BookDue,
    "points.set_account_state.v1": SetAccountState,
    "points.close_account.v1": CloseAccount,
    "points.replace_number.v1": ReplaceNumber,
    **joining.COMMANDS,
    **waiting_inputs.COMMANDS,
    "points.pin_tier.v1": PinTier,
    "points.put_programme.v1": PutProgramme,
    "points.put_tier_set.v1": PutTierSet,
    order_numbers.PUT_ORDER_NUMBERS: order_numbers.PutOrderNumbers,
}

REJECTIONS: dict[str, str] = {
    "points.post_transaction.v1": "points.transaction_rejected.v1",
    CLOSE_TRANSACTION: "points.transaction_rejected.v1",
    "points.cancel_held.v1": "points.transaction_rejected.v1",
    "points.adjust.v1": "points.adjustment_rejected.v1",
    "points.reverse.v1": "points.reversal_rejected.v1",
    CLOSE_REVERSAL: "points.reversal_rejected.v1",
    "points.place_order.v1": "points.order_rejected.v1",
    "points.fulfil_order.v1": "points.order_fact_rejected.v1",
    "points.cancel_order.v1": "points.order_fact_rejected.v1",
    "points.return_order.v1": "points.order_fact_rejected.v1",
    "points.report_order.v1": "points.order_rejected.v1",
    receipts.FREE_RECEIPT: "points.order_rejected.v1",
    "points.book_due.v1": "points.account_rejected.v1",
    "points.set_account_state.v1": "points.account_rejected.v1",
    "points.close_account.v1": "points.account_rejected.v1",
    "points.replace_number.v1": "points.account_rejected.v1",
    **joining.REJECTIONS,
    **waiting_inputs.REJECTIONS,
    "points.pin_tier.v1": "points.tier_rejected.v1",
    "points.put_programme.v1": "points.programme_rejected.v1",
    "points.put_tier_set.v1": "points.tier_rejected.v1",
    order_numbers.PUT_ORDER_NUMBERS: "points.order_rejected.v1",
}

EVENTS: dict[str, type[Published]] = {
    event.model_fields["type"].default: event for event in get_args(get_args(PointsEvent)[0])
}

ACCOUNT_VIEW = "points.account.v1"
PROGRAMME_VIEW = "points.programme.v1"
CATALOGUE_VIEW = "points.catalogue.v1"

__all__ = [
    "ACCOUNT_VIEW",
    "CATALOGUE_VIEW",
    "CHANGED",
    "COMMANDS",
    "EVENTS",
    "PROGRAMME_VIEW",
    "REJECTIONS",
    "AccountForwarded",
    "AccountNews",
    "AccountOpened",
    "AccountState",
    "AccountStateChanged",
    "AccountView",
    "Activated",
    "Adjust",
    "Adjusted",
    "Adjustment",
    "BalanceResult",
    "BalanceView",
    "BookDue",
    "CancelHeld",
    "CancelOrder",
    "CatalogueView",
    "CloseReversal",
    "CloseTransaction",
    "DatedAmount",
    "Deactivated",
    "Dropped",
    "Expired",
    "ExpiringSoon",
    "FulfilOrder",
    "GivenBack",
    "Held",
    "Loaded",
    "LotPart",
    "Movement",
    "Notice",
    "NumberAdded",
    "Pended",
    "PinTier",
    "PlaceOrder",
    "PointsChanged",
    "PointsEvent",
    "PointsRefusal",
    "PointsRejected",
    "PostTransaction",
    "ProgrammeApplied",
    "ProgrammeView",
    "Purchased",
    "PutProgramme",
    "PutTierSet",
    "Redeemed",
    "Released",
    "ReplaceNumber",
    "ReportOrder",
    "ReturnOrder",
    "ReversalEvent",
    "Reverse",
    "Reversed",
    "ReversedAmount",
    "ReversedOperation",
    "Revoked",
    "Scheduled",
    "SetAccountState",
    "Source",
    "SpendCounted",
    "TierSetApplied",
    "TransactionResult",
    "Unscheduled",
]

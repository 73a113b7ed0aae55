"""One instance of every wire type of transactions with vouchers and gift cards, as the points service knows them."""

from typing import Any

from schemas import holds, movements, reversals
from schemas.points import CancelHeld, CloseReversal, CloseTransaction
from schemas.replies import SnapshotPart
from schemas.voucher_events import VoucherState
from schemas.voucher_saga import Decision, IssuedVoucher, VoucherDone
from tests.contract.card_saga_examples import PAID
from tests.contract.more_examples import ACCOUNT, COMMAND, LATER, NOW, NUMBER

_DONE: dict[str, Any] = {"serial_id": "6299000000000000033", "voucher_id": "COFFEE"}
_ISSUED = IssuedVoucher(
    **_DONE, operation=2, programme="LOY", valid_from=NOW, expires_at=LATER, state=VoucherState.REDEEMED
)
_OF_TRANSACTION: dict[str, Any] = {"transaction_id": COMMAND, "account": ACCOUNT, "booked_at": NOW}
_OF_ACCOUNT = {**_OF_TRANSACTION, "account_number": NUMBER}
_OF_REVERSAL = {**_OF_TRANSACTION, "reversal_id": "0199d2a5-7c00-7000-8000-0000000000aa"}
_PART = movements.LotPart(lot=1, amount=50, expires_at=LATER)

INPUTS: dict[str, tuple[Any, ...]] = {
    "points.cancel_held.v1": (CancelHeld(transaction_id=COMMAND),),
    "points.close_reversal.v1": (
        CloseReversal(
            transaction_id=COMMAND,
            reversal_id="0199d2a5-7c00-7000-8000-0000000000aa",
            account=ACCOUNT,
            decision=Decision.EXECUTED,
            restored=(VoucherDone(operation=3, serial_id="6299000000000000041", voucher_id="TEA"),),
            voided=(VoucherDone(**_DONE, operation=2, programme="LOY"),),
        ),
    ),
    "points.close_transaction.v1": (
        CloseTransaction(
            transaction_id=COMMAND,
            account=ACCOUNT,
            decision=Decision.EXECUTED,
            issued=(_ISSUED,),
            redeemed=(VoucherDone(**_DONE, operation=2, programme="LOY"),),
            voided=(VoucherDone(operation=3, serial_id="6299000000000000041", voucher_id="TEA"),),
            snapshots=(SnapshotPart(stream="voucher/default/6299000000000000033", version=2, type="t", value={}),),
        ),
        CloseTransaction(
            transaction_id=COMMAND,
            account=ACCOUNT,
            decision=Decision.REFUSED,
            code="voucher_redeemed",
            detail="it was used before",
            pointer="/voucherRedemptions/0",
        ),
    ),
}


def events(booking: dict[str, Any], movement: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """The events, from the fields that every booking and every movement has."""
    return {
        "points.held.v1": (movements.Held(**booking, amount=50),),
        "points.released.v1": (movements.Released(**booking, amount=50, debt_delta=-5),),
        "points.purchased.v1": (movements.Purchased(**movement),),
        "points.threshold_reached.v1": (movements.ThresholdReached(**movement),),
        "points.hold_placed.v1": (holds.HoldPlaced(**_OF_ACCOUNT),),
        "points.hold_ended.v1": (holds.HoldEnded(**_OF_ACCOUNT),),
        "points.transaction_held.v1": (
            holds.TransactionHeld(
                **_OF_ACCOUNT,
                programmes=("LOY",),
                credits=(holds.HeldCredit(operation=0, programme="LOY", amount=10, expires_at=LATER),),
                debits=(
                    holds.HeldDebit(operation=1, kind="redeem", programme="LOY", amount=5),
                    holds.HeldDebit(operation=2, kind="purchase", programme="LOY", amount=50, lots=(_PART,)),
                ),
                cards=(PAID,),
                card_decides=True,
                deadline=LATER,
                occurred_at=NOW,
            ),
        ),
        "points.cancel_requested.v1": (holds.CancelRequested(**_OF_TRANSACTION, again_at=LATER),),
        "points.transaction_closed.v1": (
            holds.TransactionClosed(**_OF_TRANSACTION, decision="refused", code="voucher_redeemed"),
            holds.TransactionClosed(
                **_OF_TRANSACTION,
                decision="executed",
                issued=(VoucherDone(**_DONE, operation=2, programme="LOY"),),
                redeemed=(VoucherDone(operation=3, serial_id="6299000000000000041", voucher_id="TEA"),),
                voided=(VoucherDone(operation=4, serial_id="6299000000000000058", voucher_id="TEA"),),
                cards=(PAID,),
            ),
        ),
        "points.reversal_held.v1": (
            reversals.ReversalHeld(
                **_OF_REVERSAL,
                account_number=NUMBER,
                operations=(reversals.ReversedAmount(operation=2, programme="LOY", amount=50),),
                cards=(PAID,),
                reason="wrong card",
                source=movements.Source(receipt="R-1"),
                occurred_at=NOW,
            ),
        ),
        "points.reversal_released.v1": (reversals.ReversalReleased(**_OF_REVERSAL, code="voucher_used"),),
    }

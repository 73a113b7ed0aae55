"""What a command would come to, asked of its service: the value is the command's, a reply says it, nothing is done."""

from schemas.base import Wire
from schemas.giftcard_saga import HOLD_CARD, HoldCard
from schemas.points import PostTransaction
from schemas.vouchers import ExecuteVouchers

PREVIEW_TRANSACTION = "points.preview_transaction.v1"
PREVIEW_EXECUTION = "voucher.preview_execution.v1"
PREVIEW_HOLD = "giftcard.preview_hold.v1"

PREVIEWS: dict[str, tuple[str, type[Wire]]] = {
    PREVIEW_TRANSACTION: ("points.post_transaction.v1", PostTransaction),
    PREVIEW_EXECUTION: ("voucher.execute.v1", ExecuteVouchers),
    PREVIEW_HOLD: (HOLD_CARD, HoldCard),
}
"""By type: the command that is decided, and its model."""

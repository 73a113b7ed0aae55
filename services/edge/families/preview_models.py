"""Response models of previews, for the OpenAPI document."""

from typing import Annotated

from pydantic import Field

from schemas.base import Published
from schemas.voucher_benefit import Worth
from services.edge.families.models import BalanceAnswer
from services.edge.http.models import InstantText, Number


class PreviewedBalance(BalanceAnswer):
    """What may be spent in one programme before the transaction, and after it."""

    points_balance_before: Annotated[
        Number, Field(description="What may be spent now, what is due included.", examples=[3700])
    ]


class PreviewedVoucher(Published):
    """A voucher that the transaction would issue, redeem or void."""

    operation: Annotated[int, Field(description="The operation that would do it, in the order of processing.")]
    serial_id: Annotated[
        str | None, Field(description="Its serial; null of one that is issued: that is drawn when it is posted.")
    ]
    voucher_id: Annotated[str, Field(description="The code of its definition.", examples=["VOUCHER-5"])]
    programme: Annotated[str | None, Field(description="The programme that it belongs to; null for none.")]
    valid_from: Annotated[
        InstantText | None, Field(description="From when on a voucher that is bought is valid; of others null.")
    ]
    expires_at: Annotated[
        InstantText | None, Field(description="When a voucher that is bought is gone; null for never, and of others.")
    ]
    state: Annotated[
        str | None, Field(description="Of a voucher that is bought: `redeemed` if it is used at once; null of others.")
    ]
    benefit: Worth


class PreviewedTier(Published):
    """A level that would change."""

    tier_set: Annotated[str, Field(description="The tier set.", examples=["LEVELS"])]
    before: Annotated[str | None, Field(description="The level now; null for none.", examples=["BASIC"])]
    after: Annotated[str | None, Field(description="The level after it; null for none.", examples=["SILVER"])]


class PreviewAnswer(Published):
    """What a transaction would come to if it were posted now. Nothing of it is done."""

    balances: Annotated[
        tuple[PreviewedBalance, ...], Field(description="The programmes that it names, thresholds deducted.")
    ]
    issued_vouchers: Annotated[tuple[PreviewedVoucher, ...], Field(description="Bought, or issued by a threshold.")]
    redeemed_vouchers: Annotated[tuple[PreviewedVoucher, ...], Field(description="Redeemed.")]
    voided_vouchers: Annotated[tuple[PreviewedVoucher, ...], Field(description="Voided.")]
    tiers: Annotated[tuple[PreviewedTier, ...], Field(description="The levels that change, what is due included.")]

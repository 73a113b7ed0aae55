"""The life of a voucher as events of the voucher service, and its snapshot (rules 4.3.1, 4.3.2).

Times are UTC instants; a cost is an integer in the smallest unit of the programme that was paid in. The journal stores
events in exactly this shape, members that are null left out.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Instant, Published
from schemas.movements import Source, Unit
from schemas.programme import Language
from schemas.voucher_benefit import Worth
from schemas.voucher_definition import KnownDescriptions, KnownTitles

KINDS = ["issue", "redeem", "void", "expire", "restore"]


class VoucherState(StrEnum):
    """Usable, or used, voided or expired; a reversal makes a redeemed one usable again."""

    ISSUED = "issued"
    REDEEMED = "redeemed"
    VOID = "void"
    EXPIRED = "expired"


class VoucherBooked(Published):
    """What every event of a voucher says. `account` is its owner; none owns one that was issued to bearer.

    `transaction_id` is the transaction, reversal or command that did it, `operation` its index there in processing
    order. What was due has operation -1 and an empty source, and occurred when it was due. `reason` is that of what
    was done by hand or by a reversal. `sequence` counts what happened to this voucher: 1, 2, 3, …
    """

    serial_id: str
    sequence: int | None = None
    voucher_id: str
    programme: str | None = None
    account: str | None = None
    account_number: str | None = None
    transaction_id: str
    operation: int
    source: Source = Source()
    reason: str | None = None
    occurred_at: Instant
    booked_at: Instant


class VoucherIssued(VoucherBooked):
    """`voucher.issued.v1`: with all of the definition that it will ever need; usable from `valid_from`.

    `expires_at` is the first instant at which it is gone. `cost` is what was paid, in the smallest unit of programme
    `paid_in` (`scale` digits after the point). The version is that of the declared definition; 0 when the definition
    came with the command, or when there was none.
    """

    type: Literal["voucher.issued.v1"] = "voucher.issued.v1"
    definition_version: int
    titles: KnownTitles
    descriptions: KnownDescriptions
    default_language: Language
    zone: str
    valid_from: Instant
    expires_at: Instant | None = None
    cost: int = 0
    scale: int = 0
    unit: Unit | None = None
    paid_in: str | None = None
    benefit: Worth = None


class VoucherRedeemed(VoucherBooked):
    """`voucher.redeemed.v1`: used by the account `redeemed_by`, which owns it or had the bearer's serial."""

    type: Literal["voucher.redeemed.v1"] = "voucher.redeemed.v1"
    redeemed_by: str


class VoucherVoided(VoucherBooked):
    """`voucher.voided.v1`: it can never be used; nothing is given for it."""

    type: Literal["voucher.voided.v1"] = "voucher.voided.v1"


class VoucherExpired(VoucherBooked):
    """`voucher.expired.v1`: its time was over before it was used."""

    type: Literal["voucher.expired.v1"] = "voucher.expired.v1"


class VoucherRestored(VoucherBooked):
    """`voucher.restored.v1`: its redemption was reversed; it is usable again, until `expires_at`."""

    type: Literal["voucher.restored.v1"] = "voucher.restored.v1"
    expires_at: Instant | None = None


class VoucherChanged(Published):
    """`voucher.changed.v1` on `voucher.changes`: one step of a voucher's life, for ever.

    A public contract: fields are added, never renamed; kinds (issue, redeem, void, expire, restore) are an open list.
    `sequence` runs 1, 2, 3, … over the voucher. `valid_from`, `cost`, `scale` and `paid_in` are given when it is
    issued, `valid_until` (null: for ever) when it is issued or restored, `redeemed_by` when it is redeemed. The `unit`
    of the cost is there when a voucher is issued for a price, and in no step from before it was recorded.
    """

    serial_id: str
    voucher_id: str
    programme: str | None
    account: str | None
    account_number: str | None
    sequence: int
    kind: Annotated[str, Field(json_schema_extra={"examples": KINDS, "x-extensible-enum": KINDS})]
    from_: Annotated[VoucherState | None, Field(alias="from")]
    to: VoucherState
    valid_from: Instant | None
    valid_until: Instant | None
    cost: int | None
    scale: int | None
    unit: Unit | None = None
    paid_in: str | None
    redeemed_by: str | None
    transaction_id: str
    operation: int
    source: Source
    reason: str | None
    occurred_at: Instant
    booked_at: Instant


class VoucherView(Published):
    """`voucher.snapshot.v1` on `voucher.snapshots`: a voucher as it is now.

    Usable while it is `issued`, from `valid_from` to before `valid_until` (null: for ever). `transaction_id` issued it;
    `redeemed_in` and `redeemed_by` are the transaction and the account that used it, while it is redeemed.
    `changed_at` is when it came into its state.
    """

    serial_id: str
    voucher_id: str
    programme: str | None
    account: str | None
    account_number: str | None
    state: VoucherState
    titles: KnownTitles
    descriptions: KnownDescriptions
    default_language: Language
    valid_from: Instant
    valid_until: Instant | None
    cost: int
    scale: int
    unit: Unit | None = None
    paid_in: str | None
    transaction_id: str
    redeemed_in: str | None
    redeemed_by: str | None
    issued_at: Instant
    changed_at: Instant
    benefit: Worth = None

"""One instance of every wire type of the voucher service; the first of each is the fullest."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from schemas import vouchers
from schemas.movements import Source
from schemas.programme import ExpiryRule
from schemas.replies import SnapshotPart
from schemas.transaction import Context
from schemas.voucher_benefit import AmountBenefit, PercentageBenefit

ACCOUNT = "0b9c7a52-3f0e-5d1c-9a70-1d6b0c1e7a11"
NUMBER = "6299000000000000017"
SERIAL = "6666270046419031265"
TRANSACTION = "019ab2c4-7c1e-7d3a-8f00-3b5d1e9a7c42"
REVERSAL = "019ab2c4-7c1e-7d3a-8f00-3b5d1e9a7c43"
NOW = datetime(2026, 11, 22, 10, 0, 1, 123_000, UTC)
LATER = datetime(2027, 11, 22, 23, 0, tzinfo=UTC)
SOURCE = Source(receipt="R-1001", shop="Webshop")
CONTEXT = Context(shop_id="Shop 7", comment="complaint 17")

BENEFIT = AmountBenefit(type="amount", value=Decimal(10), currency="EUR")
DEFINITION = vouchers.VoucherDefinition(
    code="VOUCHER-10",
    titles={"en": "10 euros off", "nl-BE": "10 euro korting"},
    descriptions={"en": "For one purchase"},
    default_language="en",
    programme="LOY22-BuyVouchers",
    validity=ExpiryRule(months=6, end_of="month"),
    zone="Europe/Amsterdam",
    bearer=True,
    benefit=BENEFIT,
)
DATED = vouchers.VoucherDefinition(
    code="XMAS",
    titles={"en": "Christmas"},
    default_language="en",
    validity=ExpiryRule(on=date(2026, 12, 31)),
    benefit=PercentageBenefit(type="percentage", value=Decimal("12.5"), max=Decimal(25), currency="EUR"),
    state=vouchers.DefinitionState.RETIRED,
)
_ABOUT: dict[str, Any] = {"account": ACCOUNT, "account_number": NUMBER}
_SAID: dict[str, Any] = {**_ABOUT, "source": SOURCE, "occurred_at": NOW}
_PRICE: dict[str, Any] = {"programme": "LOY22-BuyVouchers", "cost": 95_000, "scale": 2, "unit": "EUR"}
_BOUGHT = vouchers.BoughtVoucher(
    operation=2,
    pointer="/loyaltyPrograms/0/purchases/0",
    voucher_id="VOUCHER-10",
    serial_id=SERIAL,
    use=True,
    valid_from=NOW,
    expires_at=LATER,
    **_PRICE,
)
_USED = vouchers.UsedVoucher(
    operation=3,
    pointer="/loyaltyPrograms/0/voucherRedemptions/0",
    programme="LOY22-BuyVouchers",
    serial_id=SERIAL,
    void=True,
)
_BOOKED: dict[str, Any] = {
    **_SAID,
    "serial_id": SERIAL,
    "sequence": 2,
    "voucher_id": "VOUCHER-10",
    "programme": "LOY22-BuyVouchers",
    "transaction_id": TRANSACTION,
    "operation": 2,
    "reason": "complaint",
    "booked_at": NOW,
}
_DONE = vouchers.VoucherDone(
    operation=3, serial_id=SERIAL, voucher_id="VOUCHER-10", programme="LOY22-BuyVouchers", benefit=BENEFIT
)
_ISSUED = vouchers.IssuedVoucher(
    **_DONE.model_dump(), valid_from=NOW, expires_at=LATER, state=vouchers.VoucherState.REDEEMED
)
_DECIDED: dict[str, Any] = {"transaction_id": TRANSACTION, "account": ACCOUNT, "booked_at": NOW}
_WHY: dict[str, Any] = {"code": "voucher_redeemed", "detail": "it was redeemed", "pointer": _USED.pointer}
REFUSED = vouchers.VoucherRejected(
    command="voucher.issue.v1",
    code=vouchers.VoucherRefusal.DEFINITION_UNKNOWN,
    detail="there is no voucher definition X",
    pointer="/voucherId",
)
VIEW = vouchers.VoucherView(
    serial_id=SERIAL,
    voucher_id="VOUCHER-10",
    programme="LOY22-BuyVouchers",
    account=ACCOUNT,
    account_number=NUMBER,
    state=vouchers.VoucherState.REDEEMED,
    titles=DEFINITION.titles,
    descriptions=DEFINITION.descriptions,
    default_language="en",
    valid_from=NOW,
    valid_until=LATER,
    cost=95_000,
    scale=2,
    unit="EUR",
    paid_in="LOY22-BuyVouchers",
    transaction_id=TRANSACTION,
    redeemed_in=TRANSACTION,
    redeemed_by=ACCOUNT,
    issued_at=NOW,
    changed_at=NOW,
    benefit=BENEFIT,
)
CHANGED = vouchers.VoucherChanged.model_validate(
    {
        **_BOOKED,
        "kind": "redeem",
        "from": "issued",
        "to": "redeemed",
        "redeemed_by": ACCOUNT,
        **dict.fromkeys(("valid_from", "valid_until", "cost", "scale", "paid_in")),
    },
    by_name=True,
)
SNAPSHOT = SnapshotPart(
    stream=f"voucher/default/{SERIAL}",
    version=2,
    type=vouchers.VOUCHER_VIEW,
    value={"version": 2, **VIEW.model_dump(mode="json", by_alias=True)},
)

CLOSINGS: tuple[Any, ...] = (
    vouchers.CloseTransaction(
        transaction_id=TRANSACTION,
        account=ACCOUNT,
        decision=vouchers.Decision.EXECUTED,
        issued=(_ISSUED,),
        redeemed=(_DONE,),
        voided=(_DONE,),
        snapshots=(SNAPSHOT,),
    ),
    vouchers.CloseTransaction(transaction_id=TRANSACTION, account=ACCOUNT, decision=vouchers.Decision.REFUSED, **_WHY),
    vouchers.CloseReversal(
        reversal_id=REVERSAL,
        transaction_id=TRANSACTION,
        account=ACCOUNT,
        decision=vouchers.Decision.EXECUTED,
        restored=(_DONE,),
        voided=(_DONE,),
    ),
)
"""What the voucher service sends to the points service, whose commands these are."""

EXAMPLES: dict[str, tuple[Any, ...]] = {
    "voucher.execute.v1": (
        vouchers.ExecuteVouchers(
            transaction_id=TRANSACTION, deadline=LATER, purchases=(_BOUGHT,), redemptions=(_USED,), **_SAID
        ),
        vouchers.ExecuteVouchers(transaction_id=TRANSACTION, deadline=LATER, **_ABOUT),
    ),
    "voucher.preview_execution.v1": (
        vouchers.ExecuteVouchers(transaction_id=TRANSACTION, deadline=LATER, redemptions=(_USED,), **_SAID),
    ),
    "voucher.cancel.v1": (vouchers.CancelVouchers(transaction_id=TRANSACTION, account=ACCOUNT),),
    "voucher.reverse.v1": (
        vouchers.ReverseVouchers(
            reversal_id=REVERSAL,
            transaction_id=TRANSACTION,
            redemptions=(
                vouchers.ReturnedVoucher(operation=3, pointer="/operations/0", serial_id=SERIAL, grace_days=14),
            ),
            purchases=(vouchers.TakenBackVoucher(operation=2, pointer="/operations/1", serial_id=SERIAL),),
            reason="wrong card",
            **_SAID,
        ),
    ),
    "voucher.issue_threshold.v1": (
        vouchers.IssueThresholdVouchers(
            transaction_id=TRANSACTION,
            vouchers=(vouchers.ThresholdVoucher(operation=1, voucher_id="VOUCHER-10", serial_id=SERIAL, **_PRICE),),
            definitions=(DEFINITION,),
            **_SAID,
        ),
    ),
    "voucher.issue.v1": (
        vouchers.IssueVoucher(
            voucher_id="VOUCHER-10",
            serial_id=SERIAL,
            valid_from=NOW,
            expires_at=LATER,
            reason="complaint",
            context=CONTEXT,
            **_ABOUT,
        ),
        vouchers.IssueVoucher(voucher_id="WELCOME", serial_id=SERIAL, reason="campaign"),
    ),
    "voucher.void.v1": (vouchers.VoidVoucher(serial_id=SERIAL, reason="stolen", context=CONTEXT),),
    "voucher.book_due.v1": (vouchers.BookVoucherDue(serial_id=SERIAL),),
    "voucher.put_definition.v1": tuple(vouchers.PutDefinition(definition=each) for each in (DEFINITION, DATED)),
    "voucher.definition_put.v1": tuple(
        vouchers.DefinitionPut(definition=each, version=3, booked_at=NOW) for each in (DEFINITION, DATED)
    ),
    "voucher.issued.v1": (
        vouchers.VoucherIssued(
            **_BOOKED,
            definition_version=3,
            titles=DEFINITION.titles,
            descriptions=DEFINITION.descriptions,
            default_language="en",
            zone="Europe/Amsterdam",
            valid_from=NOW,
            expires_at=LATER,
            cost=95_000,
            scale=2,
            unit="EUR",
            paid_in="LOY22-BuyVouchers",
            benefit=BENEFIT,
        ),
    ),
    "voucher.redeemed.v1": (vouchers.VoucherRedeemed(**_BOOKED, redeemed_by=ACCOUNT),),
    "voucher.voided.v1": (vouchers.VoucherVoided(**_BOOKED),),
    "voucher.expired.v1": (vouchers.VoucherExpired(**_BOOKED),),
    "voucher.restored.v1": (vouchers.VoucherRestored(**_BOOKED, expires_at=LATER),),
    "voucher.transaction_executed.v1": (
        vouchers.TransactionExecuted(**_DECIDED, issued=(_ISSUED,), redeemed=(_DONE,), voided=(_DONE,)),
    ),
    "voucher.transaction_refused.v1": (vouchers.TransactionRefused(**_DECIDED, **_WHY),),
    "voucher.transaction_cancelled.v1": (vouchers.TransactionCancelled(**_DECIDED),),
    "voucher.reversal_executed.v1": (
        vouchers.ReversalExecuted(**_DECIDED, reversal_id=REVERSAL, restored=(_DONE,), voided=(_DONE,)),
    ),
    "voucher.reversal_refused.v1": (vouchers.ReversalRefused(**_DECIDED, reversal_id=REVERSAL, **_WHY),),
    **dict.fromkeys(sorted(set(vouchers.REJECTIONS.values())), (REFUSED,)),
    vouchers.CHANGED: (CHANGED,),
    vouchers.VOUCHER_VIEW: (VIEW,),
    vouchers.DEFINITION_VIEW: (
        vouchers.DefinitionView(definition=DEFINITION, version=3, state=vouchers.DefinitionState.ACTIVE),
    ),
}

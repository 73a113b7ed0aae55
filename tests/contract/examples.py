"""One instance of every wire type, built from the models: what the contract tests hold against the documents."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from schemas import points, replies
from schemas._registry import DEAD_LETTERED, DeadLettered, GetOutcome, Tick
from schemas.accounts import AccountState
from schemas.programme import (
    EarningRule,
    ExpiryRule,
    LoadLimits,
    Programme,
    ProgrammeState,
    PurchaseOffer,
    Threshold,
)
from schemas.transaction import (
    Context,
    Load,
    ProgrammePart,
    Purchase,
    Redemption,
    Transaction,
    VoucherRedemption,
)
from tests.contract import (
    batch_examples,
    customer_examples,
    giftcard_examples,
    hold_examples,
    more_examples,
    voucher_examples,
)
from tests.contract.card_saga_examples import PAYMENT

ACCOUNT = "0b9c7a52-3f0e-5d1c-9a70-1d6b0c1e7a11"
NUMBER = "6299000000000000017"
COMMAND = "019ab2c4-7c1e-7d3a-8f00-3b5d1e9a7c42"
NOW = datetime(2026, 11, 22, 10, 0, 1, 123_000, UTC)
LATER = datetime(2027, 11, 22, 23, 0, tzinfo=UTC)

CONTEXT = Context(receipt_nr="R-1001", shop_id="Webshop", operator_id="17", comment="gift", occurred_at=NOW)
PART = ProgrammePart(
    loyalty_point_definition_id="LOY22-BuyVouchers",
    loads=(Load(value=Decimal(1000), balance_expires_at=LATER), Load(value=Decimal("2.5"))),
    redemptions=(Redemption(value=Decimal(250)),),
    purchases=(Purchase(voucher_id="V-10", use=True, valid_from=NOW),),
    voucher_redemptions=(VoucherRedemption(serial_id="6299000000000000025", void=True),),
)
PROGRAMME = Programme(
    id="LOY22-BuyVouchers",
    descriptions={"en": "Points", "nl-BE": "Punten"},
    scale=2,
    zone="Europe/Amsterdam",
    expiry=ExpiryRule(months=12, end_of="month"),
    account_expiry_months=24,
    earn_from="orders",
    earn=(EarningRule(on="order", points=Decimal(1), per=Decimal("2.5"), currency="EUR"),),
    issue_immediate_threshold=Threshold(value=Decimal(500), voucher_id="V-10"),
    purchases=(PurchaseOffer(voucher_id="V-10", price=Decimal(500), from_=NOW, until=LATER),),
    load_limits=LoadLimits(per_load=Decimal(10_000)),
    expiring_soon_days=14,
)
DATED = Programme(id="DATED", descriptions={"en": "Until a date"}, expiry=ExpiryRule(on=date(2027, 1, 31)))
SOURCE = points.Source(order="12345", shop="Webshop")
REFUSED = points.PointsRejected(
    command="points.post_transaction.v1",
    code=points.PointsRefusal.INSUFFICIENT_POINTS,
    detail="250 points are asked for and 100 are there",
    pointer="/loyaltyPrograms/0/redemptions/0/value",
)


def _booking(**more: Any) -> dict[str, Any]:
    """The fields of every booking."""
    return {
        "account": ACCOUNT,
        "account_number": NUMBER,
        "programme": PROGRAMME.id,
        "programme_version": 3,
        "scale": 0,
        "unit": "points",
        "transaction_id": COMMAND,
        "operation": 0,
        "source": SOURCE,
        "reason": "earned",
        "occurred_at": NOW,
        "booked_at": NOW,
        "lots": (points.LotPart(lot=1, amount=1000, active_from=NOW, expires_at=LATER, campaign="C-1"),),
        "account_expires_at": LATER,
        "notice_days": 14,
        **more,
    }


def _movement(sequence: int, delta: int, pending_delta: int = 0) -> dict[str, Any]:
    """The fields of a booking that moves the balance."""
    return _booking(sequence=sequence, delta=delta, pending_delta=pending_delta, booked=4200, pending=0)


CHANGED = points.PointsChanged.model_validate(
    {**_movement(17, 1000, -1000), "kind": "activate", "reason": None}, by_name=True
)

EXAMPLES: dict[str, tuple[Any, ...]] = {
    **more_examples.INPUTS,
    **more_examples.events(_booking(), _movement(6, 1000, -1000)),
    **hold_examples.INPUTS,
    **hold_examples.events(_booking(), _movement(6, -50)),
    **more_examples.refusals(REFUSED),
    **voucher_examples.EXAMPLES,
    **giftcard_examples.EXAMPLES,
    **batch_examples.EXAMPLES,
    **customer_examples.EXAMPLES,
    "points.catalogue.v1": (more_examples.CATALOGUE,),
    "loyalty.transaction.v1": (
        Transaction(loyalty_programs=(PART,), voucher_redemptions=PART.voucher_redemptions, context=CONTEXT),
        Transaction(),
    ),
    "points.post_transaction.v1": (
        points.PostTransaction(account_number=NUMBER, loyalty_programs=(PART,), giftcards=(PAYMENT,), context=CONTEXT),
        points.PostTransaction(account_number=NUMBER),
    ),
    "points.adjust.v1": (
        points.Adjust(
            account_number=NUMBER, programme=PROGRAMME.id, value=Decimal("-12.5"), reason="by hand", expires_at=LATER
        ),
    ),
    "points.put_programme.v1": (points.PutProgramme(programme=PROGRAMME), points.PutProgramme(programme=DATED)),
    "points.transaction_rejected.v1": (REFUSED,),
    "points.adjustment_rejected.v1": (REFUSED.model_copy(update={"command": "points.adjust.v1"}),),
    "points.programme_rejected.v1": (
        REFUSED.model_copy(update={"command": "points.put_programme.v1", "pointer": None}),
    ),
    "points.account_opened.v1": (points.AccountOpened(account=ACCOUNT, account_number=NUMBER, booked_at=NOW),),
    "points.programme_applied.v1": tuple(
        points.ProgrammeApplied(programme=programme, version=1, booked_at=NOW) for programme in (PROGRAMME, DATED)
    ),
    "points.scheduled.v1": (points.Scheduled(**_booking(amount=1000)),),
    "points.loaded.v1": (points.Loaded(**_movement(1, 1000)),),
    "points.redeemed.v1": (points.Redeemed(**_movement(2, -250)),),
    "points.adjusted.v1": (points.Adjusted(**_movement(3, -10)),),
    "points.activated.v1": (points.Activated(**_movement(4, 1000, -1000)),),
    "points.expired.v1": (points.Expired(**_movement(5, -40)),),
    "points.changed.v1": (CHANGED,),
    "points.account.v1": (
        points.AccountView(
            account=ACCOUNT,
            account_number=NUMBER,
            state=AccountState.SPENDING_BLOCKED,
            numbers=("6299000000000000025",),
            forwards_to=None,
            sequence=17,
            balances=(
                points.BalanceView(
                    programme=PROGRAMME.id,
                    scale=0,
                    balance=4200,
                    booked=4200,
                    pending=0,
                    debt=0,
                    held=50,
                    earned=5000,
                    redeemed=800,
                    expired=0,
                    adjusted_up=0,
                    adjusted_down=0,
                    revoked=0,
                    given_back=0,
                    expiring=(points.DatedAmount(at=LATER, amount=4200),),
                    scheduled=(points.DatedAmount(at=None, amount=5),),
                    account_expires_at=LATER,
                ),
            ),
            tiers=(more_examples.STANDING,),
            booked_at=NOW,
        ),
    ),
    "points.programme.v1": (points.ProgrammeView(programme=PROGRAMME, version=3, state=ProgrammeState.ACTIVE),),
    "fealty.reply.v1": (
        replies.Reply(
            command_id=COMMAND,
            status=replies.Status.ACCEPTED,
            result={"transactionId": COMMAND, "balances": []},
            snapshots=(replies.SnapshotPart(stream=f"default/account/{ACCOUNT}", version=4, type="t", value={}),),
        ),
        *(replies.Reply(command_id=COMMAND, status=status, code="c", detail="d") for status in replies.Status),
    ),
    "points.preview_transaction.v1": (points.PostTransaction(account_number=NUMBER),),
    "fealty.get_outcome.v1": (GetOutcome(),),
    "fealty.tick.v1": (Tick(),),
    DEAD_LETTERED: (
        DeadLettered(
            topic="points.commands",
            partition=3,
            offset=17,
            reason="bad_payload",
            detail="/value: Field required",
            attempts=1,
            command_id=None,
        ),
    ),
}
"""The first of each is the fullest."""

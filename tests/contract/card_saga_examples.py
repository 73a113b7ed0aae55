"""One instance of every wire type of transactions that gift cards pay."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from schemas import giftcard_saga as saga
from schemas.movements import Source
from schemas.voucher_saga import Decision
from tests.contract import voucher_examples

CARD, ACCOUNT = "9900000000000000017", "0b9c7d2e-3f4a-5b6c-8d7e-9f0a1b2c3d4e"
TRANSACTION, REVERSAL = "019ab2c4-7c1e-7d3a-8f00-3b5d1e9a7c42", "019ab2c4-7c1e-7d3a-8f00-3b5d1e9a7c43"
NOW = datetime(2026, 11, 22, 10, 0, 1, 123_000, UTC)
SOURCE = Source(receipt="R-1001", shop="Shop 7", till="3", operator="17")
PAID = saga.PaidCard(operation=3, card_id=CARD, amount=Decimal("9.95"), currency="EUR")
PAYMENT = saga.CardPayment(card_id=CARD, amount=Decimal("9.95"), currency="EUR")
_HELD = saga.HeldCard(operation=3, pointer="/giftcards/0", card_id=CARD, amount=Decimal("9.95"), currency="EUR")
_OF_CARD: dict[str, Any] = {"transaction_id": TRANSACTION, "operation": 3, "account": ACCOUNT, "card_id": CARD}
_ON_CARD: dict[str, Any] = {"card_id": CARD, "transaction_id": TRANSACTION, "operation": 3, "booked_at": NOW}
_BOOKED = {**_OF_CARD, "booked_at": NOW}
_FROM: dict[str, Any] = {"source": SOURCE, "comment": "a birthday", "occurred_at": NOW}
HOLD = saga.HoldCard(
    transaction_id=TRANSACTION,
    account=ACCOUNT,
    cards=(_HELD,),
    deadline=NOW,
    execute=voucher_examples.EXAMPLES["voucher.execute.v1"][0],
    **_FROM,
)
GIVE_BACK = saga.HoldCard(
    transaction_id=REVERSAL,
    reverses=TRANSACTION,
    account=ACCOUNT,
    cards=(_HELD, _HELD),
    at=1,
    undo=voucher_examples.EXAMPLES["voucher.reverse.v1"][0],
    reason="sent back",
)

EXAMPLES: dict[str, tuple[Any, ...]] = {
    saga.HOLD_CARD: (HOLD, GIVE_BACK),
    "giftcard.preview_hold.v1": (HOLD,),
    saga.CANCEL_HOLD: (saga.CancelHold(**_OF_CARD),),
    saga.SETTLE_CARD: (saga.SettleCard(**_OF_CARD, decision=Decision.EXECUTED),),
    "giftcard.hold_placed.v1": (saga.CardHoldPlaced(**_ON_CARD, amount=995, gives_back=True),),
    "giftcard.hold_ended.v1": (saga.CardHoldEnded(**_ON_CARD),),
    "giftcard.payment_held.v1": (
        saga.PaymentHeld(
            **{**_BOOKED, **_FROM, "transaction_id": REVERSAL},
            amount=995,
            currency="EUR",
            scale=2,
            reverses=TRANSACTION,
            decides=True,
            reason="sent back",
        ),
    ),
    "giftcard.payment_refused.v1": (
        saga.PaymentRefused(
            **{**_BOOKED, "transaction_id": REVERSAL},
            reverses=TRANSACTION,
            code="gift_card_void",
            detail="the gift card is void",
            pointer="/transactionId",
        ),
    ),
    "giftcard.payment_cancelled.v1": (saga.PaymentCancelled(**_BOOKED),),
    "giftcard.payment_settled.v1": (saga.PaymentSettled(**_BOOKED, executed=True),),
}

"""One instance of every wire type of the gift card service; the first of each is the fullest."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from schemas import giftcards
from schemas.giftcards import CardStatus, CodeSource, ScratchCode
from schemas.movements import Source
from schemas.programme import ExpiryRule
from schemas.transaction import Context
from tests.contract import card_saga_examples

CARD, SERIAL = "9900000000000000017", "100200300"
TRANSACTION = "019ab2c4-7c1e-7d3a-8f00-3b5d1e9a7c42"
NOW = datetime(2026, 11, 22, 10, 0, 1, 123_000, UTC)
LATER = datetime(2027, 11, 22, 23, 0, tzinfo=UTC)
SOURCE = Source(receipt="R-1001", shop="Shop 7", till="3", operator="17")
CONTEXT = Context(receipt_nr="R-1001", shop_id="Shop 7", pos_id="3", operator_id="17", comment="a birthday")
CODE = ScratchCode(key="1")

TYPE = giftcards.CardType(
    code="EUR-GIFT",
    currency="EUR",
    reload=True,
    min_load=Decimal(5),
    max_load=Decimal(150),
    max_balance=Decimal(500),
    validity=ExpiryRule(years=3),
    zone="Europe/Amsterdam",
    article_set_code="BOOKS",
    switch_id="TREAZURE",
)
PLAIN = giftcards.CardType(code="JPY-GIFT", currency="JPY", state=giftcards.CardTypeState.RETIRED)
_BOOKED: dict[str, Any] = {
    "card_id": CARD,
    "serial_number": SERIAL,
    "card_type": "EUR-GIFT",
    "currency": "EUR",
    "scale": 2,
    "sequence": 2,
    "old_status": CardStatus.ACTIVE,
    "new_status": CardStatus.ACTIVE,
    "delta": -1000,
    "balance": 1500,
    "expires_at": LATER,
    "transaction_id": TRANSACTION,
    "source": SOURCE,
    "comment": "a birthday",
    "reason": "sent back",
    "occurred_at": NOW,
    "booked_at": NOW,
}
CHANGED = giftcards.CardChanged(**_BOOKED, kind="redeem", cancels=None, operation=3)
_NEW = {**_BOOKED, "batch": "summer-2026", "old_status": None, "rules": TYPE, "code": CodeSource(key="1")}
VIEW = giftcards.CardView(
    card_id=CARD,
    serial_number=SERIAL,
    card_type="EUR-GIFT",
    currency="EUR",
    scale=2,
    status=CardStatus.ACTIVE,
    balance=1500,
    held=500,
    expires_at=LATER,
    article_set_code="BOOKS",
    switch_id="TREAZURE",
    code=CodeSource(key="1", hash="0" * 64),
    batch="summer-2026",
    sequence=2,
    changed_at=NOW,
)
REFUSED = giftcards.CardRejected(
    command="giftcard.redeem.v1", code="insufficient_balance", detail="the gift card has 15.00 EUR", pointer="/amount"
)
_CARD: dict[str, Any] = {"card_id": CARD, "transaction_id": TRANSACTION, "context": CONTEXT}

EXAMPLES: dict[str, tuple[Any, ...]] = {
    "giftcard.create.v1": (
        giftcards.CreateCard(
            card_id=CARD,
            serial_number=SERIAL,
            card_type="EUR-GIFT",
            code=ScratchCode(key="1", hash="0" * 64),
            context=CONTEXT,
        ),
    ),
    "giftcard.import.v1": (
        giftcards.ImportCard(
            card_id=CARD,
            serial_number=SERIAL,
            card_type="EUR-GIFT",
            status=CardStatus.ACTIVE,
            balance=Decimal("25.50"),
            expires_at=LATER,
            code=ScratchCode(key="1", hash="0" * 64),
            batch="old-system",
            context=CONTEXT,
        ),
    ),
    "giftcard.issue.v1": (
        giftcards.IssueCard(**_CARD, serial_number=SERIAL, card_type="EUR-GIFT", code=CODE, amount=Decimal("25.50")),
    ),
    "giftcard.activate.v1": (giftcards.ActivateCard(**_CARD, amount=Decimal(25), currency="EUR"),),
    "giftcard.redeem.v1": (
        giftcards.RedeemCard(**_CARD, amount=Decimal("9.95"), currency="EUR", allow_partial=True),
        giftcards.RedeemCard(card_id=CARD, amount=Decimal(1)),
    ),
    "giftcard.cancel.v1": (giftcards.CancelMutation(**_CARD, mutation="redeem"),),
    "giftcard.void.v1": (giftcards.VoidCard(card_id=CARD, reason="stolen", context=CONTEXT),),
    "giftcard.refund.v1": (giftcards.RefundCard(card_id=CARD, reason="sent back", context=CONTEXT),),
    "giftcard.book_due.v1": (giftcards.BookCardDue(card_id=CARD),),
    "giftcard.put_type.v1": tuple(giftcards.PutCardType(card_type=each) for each in (TYPE, PLAIN)),
    "giftcard.type_put.v1": tuple(
        giftcards.CardTypePut(card_type=each, version=3, booked_at=NOW) for each in (TYPE, PLAIN)
    ),
    "giftcard.created.v1": (giftcards.CardCreated(**_NEW),),
    "giftcard.imported.v1": (giftcards.CardImported(**_NEW),),
    "giftcard.issued.v1": (giftcards.CardIssued(**_NEW),),
    "giftcard.activated.v1": (giftcards.CardActivated(**_BOOKED),),
    "giftcard.redeemed.v1": (giftcards.CardRedeemed(**_BOOKED, asked=1200, operation=3),),
    "giftcard.given_back.v1": (giftcards.CardGivenBack(**_BOOKED, reverses="019ab2c4-7c1e", operation=3),),
    "giftcard.cancelled.v1": (giftcards.CardCancelled(**_BOOKED, cancels="till-3-R-1000"),),
    "giftcard.voided.v1": (giftcards.CardVoided(**_BOOKED),),
    "giftcard.refunded.v1": (giftcards.CardRefunded(**_BOOKED),),
    "giftcard.expired.v1": (giftcards.CardExpired(**_BOOKED),),
    "giftcard.serial_number_taken.v1": (
        giftcards.SerialNumberTaken(card_id=CARD, serial_number=SERIAL, booked_at=NOW),
    ),
    "giftcard.cancel_recorded.v1": (
        giftcards.CancelRecorded(card_id=CARD, transaction_id=TRANSACTION, source=SOURCE, booked_at=NOW),
    ),
    **card_saga_examples.EXAMPLES,
    **dict.fromkeys(sorted(set(giftcards.REJECTIONS.values())), (REFUSED,)),
    giftcards.CHANGED: (CHANGED,),
    giftcards.CARD_VIEW: (VIEW,),
    giftcards.CARD_TYPE_VIEW: (
        giftcards.CardTypeView(card_type=TYPE, version=3, state=giftcards.CardTypeState.ACTIVE),
    ),
}

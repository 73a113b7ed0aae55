"""What a reversal asks of gift cards: to promise that they take their money back (rules 4.1.13)."""

from typing import Any

import pytest

from schemas.giftcard_saga import HoldCard
from tests.unit.giftcard.events import (
    ACCOUNT,
    ACTIVE,
    REVERSAL,
    TRANSACTION,
    expired,
    held,
    hold_ended,
    issued,
    paid,
    payment_refused,
    placed,
    redeemed,
    settled,
    voided,
)
from tests.unit.giftcard.test_holding import HELD, SOURCE, THIS
from tests.unit.giftcard.world import T0, Booked, given


def giving_back(**more: Any) -> HoldCard:
    card = {**THIS, "pointer": "/transactionId"}
    body = {
        "transactionId": REVERSAL,
        "reverses": TRANSACTION,
        "account": ACCOUNT,
        "cards": (card,),
        "reason": "sent back",
    }
    return HoldCard.model_validate({**body, "source": SOURCE, **more})


PAID = (
    issued(2500),
    placed(1000),
    held(1000, decides=True),
    hold_ended(),
    redeemed(2, 1000, 1500, operation=3),
    settled(True),
)
USED_UP = (
    issued(1000),
    placed(1000),
    held(1000, decides=True),
    hold_ended(),
    redeemed(2, 1000, 0, operation=3),
    settled(True),
)
EXPIRED_SINCE = (
    issued(2500, expires_at=T0),
    *PAID[1:4],
    redeemed(2, 1000, 1500, operation=3, expires_at=T0),
    PAID[-1],
    expired(3, ACTIVE, -1500, expires_at=T0),
)
OF_REVERSAL: dict[str, Any] = {"transaction_id": REVERSAL}


@pytest.mark.parametrize("before", [PAID, USED_UP, EXPIRED_SINCE])
def test_a_reversal_holds_what_the_card_will_get_back(before: tuple[Booked, ...]) -> None:
    when = given(*before).when(giving_back())
    promised = held(1000, decides=True, reverses=TRANSACTION, reason="sent back", **OF_REVERSAL)
    when.then(placed(1000, gives_back=True, **OF_REVERSAL), promised)
    said = {"reversalId": REVERSAL, "transactionId": TRANSACTION, "account": ACCOUNT, "decision": "executed"}
    when.sends(("points.close_reversal.v1", ACCOUNT, said))
    assert when.card().held == 0


def test_after_the_last_card_the_vouchers_decide_on_a_reversal() -> None:
    undo = {
        "reversalId": REVERSAL,
        "transactionId": TRANSACTION,
        "account": ACCOUNT,
        "accountNumber": "62",
        "reason": "x",
    }
    when = given(*PAID).when(giving_back(undo=undo))
    sent = {**undo, "purchases": [], "redemptions": [], "source": {}}
    when.then(
        placed(1000, gives_back=True, **OF_REVERSAL),
        held(1000, reverses=TRANSACTION, reason="sent back", **OF_REVERSAL),
    ).sends(("voucher.reverse.v1", ACCOUNT, sent))


@pytest.mark.parametrize(
    ("before", "code", "detail"),
    [
        ((*PAID, voided(3, ACTIVE, -1500)), "gift_card_void", "the gift card is void"),
        ((issued(2500),), "transaction_unknown", "the gift card has not paid in this transaction"),
        (
            (issued(2500), placed(1000), *paid(1000, card_id="ANOTHER")),
            "transaction_unknown",
            "the gift card has not paid in this transaction",
        ),
        ((issued(2500), *HELD[1:]), "transaction_unknown", "the gift card has not paid in this transaction"),
    ],
)
def test_what_a_card_cannot_get_back_is_refused(before: tuple[Booked, ...], code: str, detail: str) -> None:
    when = given(*before).when(giving_back())
    when.then(payment_refused(code, "/transactionId", detail, reverses=TRANSACTION, **OF_REVERSAL))
    said = {"reversalId": REVERSAL, "transactionId": TRANSACTION, "account": ACCOUNT, "decision": "refused"}
    why = {"code": code, "detail": detail, "pointer": "/transactionId"}
    when.sends(("points.close_reversal.v1", ACCOUNT, {**said, **why}))

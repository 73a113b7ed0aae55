"""A gift card's part of a transaction until it closes: held, refused, or cancelled (rules 4.2.2, 4.2.3)."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.giftcard_saga import CancelHold, HoldCard
from schemas.giftcards import ActivateCard, BookCardDue, CancelMutation, RefundCard, VoidCard
from schemas.movements import Source
from services.giftcard.decider import DECIDER
from services.giftcard.state import HOLDS_MAX
from services.giftcard.views import views
from shared.ids import closing_id
from tests.unit.giftcard.events import (
    ACCOUNT,
    ACTIVE,
    TRANSACTION,
    activated,
    awaited,
    created,
    expired,
    held,
    hold_ended,
    issued,
    payment_cancelled,
    payment_refused,
    placed,
    redeemed,
    settled,
)
from tests.unit.giftcard.test_loading import CONTEXT, ENDED, answered
from tests.unit.giftcard.test_redeeming import redeeming
from tests.unit.giftcard.world import CARD, COMMAND_ID, DAY, RELOAD, T0, Booked, given

DEADLINE = T0 + timedelta(seconds=30)
SOURCE = {"shop": "12", "till": "3", "receipt": "R-1"}
THIS = {"operation": 3, "pointer": "/giftcards/0", "cardId": CARD, "amount": 10}
OTHER = {"operation": 4, "pointer": "/giftcards/1", "cardId": "OTHER", "amount": 2.5, "currency": "EUR"}
EXECUTE = {
    "transactionId": TRANSACTION,
    "account": ACCOUNT,
    "accountNumber": "62",
    "deadline": "2026-11-22T10:00:31.123Z",
}
CLOSE = "points.close_transaction.v1"
CANCEL = CancelHold.model_validate({"transactionId": TRANSACTION, "operation": 3, "account": ACCOUNT, "cardId": CARD})


def holding(*cards: dict[str, Any], **more: Any) -> HoldCard:
    body = {
        "transactionId": TRANSACTION,
        "account": ACCOUNT,
        "cards": cards or (THIS,),
        "deadline": DEADLINE.isoformat(),
    }
    return HoldCard.model_validate({**body, "source": SOURCE, **more})


def closing(decision: str, **more: Any) -> tuple[str, str, dict[str, Any]]:
    return CLOSE, ACCOUNT, {"transactionId": TRANSACTION, "account": ACCOUNT, "decision": decision, **more}


# ── holding ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_hold_of_the_only_card_decides_the_transaction() -> None:
    when = given(issued(2500)).when(holding(comment="a gift"))
    when.then(placed(1000), held(1000, decides=True, comment="a gift")).sends(closing("executed"))
    (told,) = when.accepted.follow_ups
    assert (told.topic, told.id, told.snapshots) == ("points.commands", closing_id(TRANSACTION), True)
    assert (when.card().balance, when.card().spendable, when.card().sequence) == (2500, 1500, 1)


def test_a_hold_goes_on_to_the_next_card() -> None:
    when = given(issued(2500)).when(holding(THIS, OTHER))
    further = {
        "transactionId": TRANSACTION,
        "account": ACCOUNT,
        "cards": [THIS, OTHER],
        "at": 1,
        "deadline": "2026-11-22T10:00:31.123Z",
        "source": SOURCE,
    }
    when.then(placed(1000), held(1000)).sends(("giftcard.hold.v1", "OTHER", further))
    assert HoldCard.model_validate(when.accepted.follow_ups[0].payload) == holding(THIS, OTHER, at=1)


def test_after_the_last_card_the_vouchers_decide() -> None:
    when = given(issued(2500)).when(holding(execute=EXECUTE))
    sent = {**EXECUTE, "purchases": [], "redemptions": [], "aliases": [], "source": {}}
    when.then(placed(1000), held(1000)).sends(("voucher.execute.v1", ACCOUNT, sent))


def test_all_of_a_card_can_be_held_by_several_transactions() -> None:
    other: dict[str, Any] = {"transaction_id": "T-0"}
    when = given(issued(2500), placed(1500, **other), held(1500, **other)).when(holding())
    when.then(placed(1000), held(1000, decides=True))
    assert when.card().spendable == 0


@pytest.mark.parametrize(
    ("before", "more", "code", "part", "detail"),
    [
        ((issued(999),), {}, "insufficient_balance", "/amount", "the gift card has 9.99 EUR"),
        (
            (issued(2500), placed(1501, transaction_id="T-0")),
            {},
            "insufficient_balance",
            "/amount",
            "the gift card has 9.99 EUR",
        ),
        ((created(),), {}, "gift_card_not_active", "/cardId", "the gift card has not been activated"),
        ((issued(2500),), {"currency": "SEK"}, "currency_mismatch", "/currency", "the gift card is in EUR"),
        ((issued(2500),), {"amount": 1.005}, "too_many_decimals", "/amount", "EUR has 2 decimals"),
        (
            (issued(2500), *(placed(1, operation=number) for number in range(10, 10 + HOLDS_MAX))),
            {},
            "too_many_open_transactions",
            "/cardId",
            "a gift card takes part in at most 20 open transactions",
        ),
        *((before, {}, *refusal) for before, refusal in [(before, (it[0], *it[1:])) for before, it in ENDED]),
    ],
)
def test_a_card_that_does_not_pay_ends_the_transaction(
    before: tuple[Booked, ...], more: dict[str, Any], code: str, part: str, detail: str
) -> None:
    when = given(*before).when(holding({**THIS, **more}, OTHER, execute=EXECUTE))
    when.then(payment_refused(code, f"/giftcards/0{part}", detail))
    when.sends(closing("refused", code=code, detail=detail, pointer=f"/giftcards/0{part}"))


def test_a_card_that_is_asked_too_late_refuses() -> None:
    detail = "the transaction's time was over before its gift card was looked at"
    late = DEADLINE + timedelta(milliseconds=1)
    when = given(issued(2500)).when(holding(), DEADLINE)
    when.then(placed(1000, DEADLINE), held(1000, DEADLINE, decides=True))
    when = given(issued(2500)).when(holding(), late)
    when.then(payment_refused("too_late", "/giftcards/0", detail, late))


# ── cancelling ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_transaction_that_is_cancelled_before_its_last_card_is_held_comes_to_nothing() -> None:
    when = given(issued(2500)).when(CANCEL)
    when.then(payment_cancelled()).sends(closing("cancelled"))
    when.when(holding()).then().sends(closing("cancelled"))
    when.when(CANCEL).then().sends(closing("cancelled"))


def test_what_the_last_card_has_decided_stands() -> None:
    given(issued(2500), placed(1000), held(1000, decides=True)).when(CANCEL).then().sends(closing("executed"))
    given(issued(2500), placed(1000), held(1000, decides=True)).when(holding()).then().sends(closing("executed"))
    refused = payment_refused("insufficient_balance", "/giftcards/0/amount", "too little")
    told = closing("refused", code="insufficient_balance", pointer="/giftcards/0/amount", detail="too little")
    given(issued(1), refused).when(CANCEL).then().sends(told)


def test_a_hold_that_was_let_go_before_it_came_holds_nothing() -> None:
    given(issued(2500), settled(False)).when(holding()).then().sends()


# ── while something is held ─────────────────────────────────────────────────────────────────────────────────────────

HELD = (issued(2500), placed(1000), held(1000, decides=True))
OPEN = (
    "transaction_open",
    "/cardId",
    "the gift card takes part in a transaction that is still open; try again when it has ended",
)


def test_what_is_held_cannot_be_redeemed() -> None:
    given(*HELD).when(redeeming(15.01)).refused("insufficient_balance", "/amount", "the gift card has 15.00 EUR")
    when = given(*HELD).when(redeeming(15))
    when.then(redeemed(2, 1500, 1000, transaction_id=COMMAND_ID)).answers(**answered("active", 0, 1500))
    when = given(*HELD).when(redeeming(25, allowPartial=True))
    when.then(redeemed(2, 1500, 1000, transaction_id=COMMAND_ID, asked=2500))


@pytest.mark.parametrize("payload", [VoidCard(card_id=CARD, reason="x"), RefundCard(card_id=CARD, reason="x")])
def test_a_card_with_an_open_transaction_is_not_ended(payload: VoidCard | RefundCard) -> None:
    given(*HELD).when(payload).refused(*OPEN)


@pytest.mark.parametrize("more", [{}, {"transactionId": "T-0"}])
def test_a_card_with_an_open_transaction_has_nothing_cancelled(more: dict[str, Any]) -> None:
    before = (issued(2500, transaction_id="T-0"), placed(1000), held(1000, decides=True))
    cancel = CancelMutation.model_validate({"cardId": CARD, "mutation": "issue", "context": CONTEXT, **more})
    given(*before).when(cancel).refused(*OPEN)
    other = CancelMutation.model_validate({"cardId": CARD, "mutation": "redeem", "transactionId": "later"})
    given(*before).when(other).then(awaited("later", source=Source()))


def test_a_card_with_an_open_transaction_can_be_loaded() -> None:
    before = (issued(2500, RELOAD, expires_at=None), placed(1000), held(1000, decides=True))
    load = ActivateCard.model_validate({"cardId": CARD, "amount": 10, "context": CONTEXT})
    given(*before).when(load).then(activated(2, ACTIVE, 1000, 3500, of=RELOAD, transaction_id=COMMAND_ID))


def test_an_expiry_waits_for_open_transactions() -> None:
    before = (issued(2500, expires_at=T0 + DAY), placed(1000), held(1000, decides=True))
    due = BookCardDue(card_id=CARD)
    when = given(*before).when(due, T0 + DAY)
    when.then()
    assert DECIDER.dump_state(when.card())["due_at"] is None
    when.when(redeeming(1), T0 + DAY).refused("gift_card_expired", "/cardId", "the gift card has expired")
    when = given(*before, hold_ended(), settled(False)).when(due, T0 + DAY)
    gone = expired(2, ACTIVE, -2500, expires_at=T0 + DAY, at=T0 + DAY, transaction_id=COMMAND_ID)
    when.then(gone)


def test_a_snapshot_says_what_is_held() -> None:
    view = views(given(*HELD).card())
    assert view is not None
    assert view.value is not None
    assert (view.value["balance"], view.value["held"]) == (2500, 1000)

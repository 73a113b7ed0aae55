"""Gift cards in transactions and reversals, as the points service knows them (rules 4.2.2, 4.2.3, 4.1.13)."""

from typing import Any

import pytest

from schemas.giftcard_saga import CardPayment, PaidCard
from schemas.giftcards import CardRefusal
from schemas.holds import CancelHeld, CancelRequested, HeldDebit, HoldEnded, HoldPlaced, TransactionHeld
from schemas.movements import Held, Released
from schemas.points import CloseReversal, PointsRefusal, PostTransaction, Reverse
from schemas.reversals import ReversalHeld, ReversalReleased, Reversed
from schemas.voucher_saga import Decision
from services.points.holding import WAIT
from shared.decider import FollowUp, Rejected
from shared.ids import closing_id
from tests.unit.points.holding_world import IN_SELLS, SERIAL, SOON, TRANSACTION, closed, ended, placed, rich
from tests.unit.points.world import ACCOUNT, COMMAND_ID, NUMBER, STORE, T0, Given, When, booked, does, lot, transaction

REVERSAL = "01936f2e-7c00-7000-8000-0000000000aa"
ONE, TWO = {"cardId": "ONE", "amount": 10}, {"cardId": "TWO", "amount": 2.5, "currency": "EUR"}
PAID = tuple(PaidCard.model_validate({"operation": at, **each}) for at, each in [(1, ONE), (2, TWO)])
SOURCE: dict[str, Any] = {"shop": "Webshop"}


def paying(*cards: dict[str, Any], **more: Any) -> PostTransaction:
    """20 points of a programme, then cards."""
    part = does("SELLS", redemptions=[20])
    return transaction(part, giftcards=cards or (ONE, TWO), context={"shopId": "Webshop", "comment": "hi"}, **more)


def held_card(at: int, pointer: str, card: dict[str, Any]) -> dict[str, Any]:
    return {"operation": at, "pointer": pointer, **card}


def settling(decision: str, id_: str = COMMAND_ID) -> tuple[FollowUp, ...]:
    common = {"transactionId": id_, "account": ACCOUNT, "decision": decision}
    return tuple(
        FollowUp(
            "giftcard.commands",
            "giftcard.settle.v1",
            each.card_id,
            {**common, "operation": each.operation, "cardId": each.card_id},
        )
        for each in PAID
    )


def test_cards_are_the_last_operations_and_the_first_to_be_asked() -> None:
    when = rich().when(paying())
    soon = lot(1, 20, SOON)
    held = TransactionHeld.model_validate(
        {
            "transactionId": COMMAND_ID,
            "account": ACCOUNT,
            "accountNumber": NUMBER,
            "programmes": ["SELLS"],
            "debits": [HeldDebit(operation=0, kind="redeem", programme="SELLS", amount=20, lots=(soon,))],
            "cards": PAID,
            "cardDecides": True,
            "source": SOURCE,
            "deadline": T0 + WAIT,
            "bookedAt": T0,
        }
    )
    set_aside = booked(Held, soon, amount=20, source=held.source, **IN_SELLS)
    when.then(placed(HoldPlaced), set_aside, (TRANSACTION, held))
    cards = [held_card(1, "/giftcards/0", ONE), held_card(2, "/giftcards/1", TWO)]
    body = {"transactionId": COMMAND_ID, "account": ACCOUNT, "cards": cards, "at": 0, "source": SOURCE, "comment": "hi"}
    body["deadline"] = "2026-11-22T10:00:31.123Z"
    assert when.accepted.follow_ups == (FollowUp("giftcard.commands", "giftcard.hold.v1", "ONE", body),)
    assert when.accepted.held


def test_vouchers_are_executed_after_the_cards() -> None:
    when = rich().when(paying(voucherRedemptions=[SERIAL]))
    (told,) = when.accepted.follow_ups
    assert told.type == "giftcard.hold.v1"
    assert [each["serialId"] for each in told.payload["execute"]["redemptions"]] == [SERIAL["serialId"]]
    assert [each["operation"] for each in told.payload["cards"]] == [2, 3]


def test_cards_alone_are_a_transaction_of_an_account() -> None:
    (told,) = rich().when(transaction(giftcards=(ONE,))).accepted.follow_ups
    assert told.payload["cards"] == [held_card(0, "/giftcards/0", ONE)]


def test_what_was_executed_is_booked_on_each_card() -> None:
    when = closed(rich().when(paying()), "executed")
    assert when.accepted.follow_ups == settling("executed")
    assert when.accepted.events[-1] == (TRANSACTION, ended("executed", cards=PAID))
    assert when.accepted.closing is not None
    assert when.accepted.closing.result["giftcards"] == [
        {"operation": 1, "cardId": "ONE", "amount": 10.0},
        {"operation": 2, "cardId": "TWO", "amount": 2.5, "currency": "EUR"},
    ]


def test_what_a_card_refuses_is_released_everywhere_and_told_in_its_words() -> None:
    refused: dict[str, Any] = {"code": "insufficient_balance", "detail": "too little", "pointer": "/giftcards/1/amount"}
    when = closed(rich().when(paying()), "refused", **refused)
    assert when.accepted.follow_ups == settling("refused")
    released = booked(Released, lot(1, 20, SOON), amount=20, source=when.accepted.events[0][1].source, **IN_SELLS)  # type: ignore[union-attr]
    when.then(released, placed(HoldEnded), (TRANSACTION, ended("refused", "insufficient_balance")))
    assert when.accepted.closing is not None
    assert when.accepted.closing.refusal == Rejected(
        CardRefusal.INSUFFICIENT_BALANCE, "too little", "/giftcards/1/amount"
    )


@pytest.mark.parametrize(("decision", "code"), [("cancelled", None), ("refused", "too_late")])
def test_what_came_to_nothing_in_time_has_timed_out(decision: str, code: str | None) -> None:
    more: dict[str, Any] = {} if code is None else {"code": code, "detail": "late"}
    when = closed(rich().when(paying()), decision, **more)
    assert when.accepted.closing is not None
    assert when.accepted.closing.refusal is not None
    assert when.accepted.closing.refusal.code is PointsRefusal.TRANSACTION_TIMED_OUT
    assert when.accepted.follow_ups == settling(decision)


def test_whoever_decides_is_asked_to_cancel_what_is_late() -> None:
    late = T0 + WAIT
    last = {"transactionId": COMMAND_ID, "operation": 2, "account": ACCOUNT, "cardId": "TWO"}
    asked = FollowUp("giftcard.commands", "giftcard.cancel_hold.v1", "TWO", last)
    when = rich().when(paying()).world.when(CancelHeld(transaction_id=COMMAND_ID), late)
    requested = CancelRequested.model_validate(
        {"transactionId": COMMAND_ID, "account": ACCOUNT, "againAt": "2026-11-22T11:00:31.123Z", "bookedAt": late}
    )
    when.then((TRANSACTION, requested))
    assert when.accepted.follow_ups == (asked,)
    both = rich().when(paying(voucherRedemptions=[SERIAL])).world.when(CancelHeld(transaction_id=COMMAND_ID), late)
    assert [each.type for each in both.accepted.follow_ups] == ["voucher.cancel.v1"]


def test_a_hundred_operations_count_cards() -> None:
    part = does("SELLS", loads=[1] * 91)
    with pytest.raises(ValueError, match="at most 100 operations"):
        transaction(part, giftcards=[ONE] * 10)
    with pytest.raises(ValueError, match="at most 10 elements"):
        transaction(giftcards=[ONE] * 11)
    assert transaction(giftcards=[ONE]).giftcards == (CardPayment.model_validate(ONE),)


# ── reversals ───────────────────────────────────────────────────────────────────────────────────────────────────────

BACK = [held_card(1, "/transactionId", ONE), held_card(2, "/transactionId", TWO)]


def executed(**more: Any) -> Given:
    return closed(rich().when(paying(**more)), "executed").world


def asking(world: Given, *operations: dict[str, Any]) -> When:
    body = {"accountNumber": NUMBER, "transactionId": COMMAND_ID, "operations": operations, "reason": "sent back"}
    return world.when(Reverse.model_validate(body), command_id=REVERSAL)


def answered(held: When, decision: str, **more: Any) -> When:
    body = {"reversalId": REVERSAL, "transactionId": COMMAND_ID, "account": ACCOUNT, "decision": decision, **more}
    return held.world.when(CloseReversal.model_validate(body), command_id=closing_id(REVERSAL))


def test_a_reversal_asks_the_cards_and_books_when_all_can_be_given_back() -> None:
    held = asking(executed())
    (told,) = held.accepted.follow_ups
    body = {"transactionId": REVERSAL, "reverses": COMMAND_ID, "account": ACCOUNT, "cards": BACK, "at": 0}
    assert told == FollowUp(
        "giftcard.commands", "giftcard.hold.v1", "ONE", {**body, "reason": "sent back", "source": {}}
    )
    stream, event = held.accepted.events[-1]
    assert isinstance(event, ReversalHeld)
    assert event.cards == PAID

    when = answered(held, "executed")
    assert when.accepted.follow_ups == settling("executed", REVERSAL)
    (done,) = [event for _, event in when.accepted.events if isinstance(event, Reversed)]
    assert (done.cards, [each.amount for each in done.operations]) == (PAID, [20])
    assert stream == f"reversals/{STORE}/{COMMAND_ID}"
    assert when.accepted.closing is not None
    assert len(when.accepted.closing.result["giftcards"]) == 2


def test_what_a_card_cannot_get_back_undoes_nothing() -> None:
    why = {"code": "gift_card_void", "detail": "the gift card is void", "pointer": "/transactionId"}
    when = answered(asking(executed()), "refused", **why)
    assert when.accepted.follow_ups == settling("refused", REVERSAL)
    assert any(isinstance(event, ReversalReleased) for _, event in when.accepted.events)
    assert when.accepted.closing is not None
    assert when.accepted.closing.refusal == Rejected(
        CardRefusal.GIFT_CARD_VOID, "the gift card is void", "/transactionId"
    )


def test_a_card_gets_its_money_back_once_and_wholly() -> None:
    world = executed()
    asking(world, {"operation": 1, "value": 5}).refused(PointsRefusal.NOT_REVERSIBLE, "/operations/0/value")
    held = asking(world, {"operation": 2})
    (told,) = held.accepted.follow_ups
    assert told.payload["cards"] == [held_card(2, "/operations/0", TWO)]
    again = {"accountNumber": NUMBER, "transactionId": COMMAND_ID, "reason": "again"}
    done = answered(held, "executed").world
    named = Reverse.model_validate({**again, "operations": [{"operation": 2}]})
    done.when(named, command_id="again").refused(PointsRefusal.ALREADY_REVERSED, "/operations/0/operation")
    (rest,) = done.when(Reverse.model_validate(again), command_id="rest").accepted.follow_ups
    assert rest.payload["cards"] == [held_card(1, "/transactionId", ONE)]


def test_vouchers_decide_on_a_reversal_after_the_cards() -> None:
    paid = paying(voucherRedemptions=[SERIAL])
    used = {"operation": 1, "voucherId": "V", **SERIAL}
    world = closed(rich().when(paid), Decision.EXECUTED.value, redeemed=[used]).world
    (told,) = asking(world).accepted.follow_ups
    assert told.type == "giftcard.hold.v1"
    assert [each["serialId"] for each in told.payload["undo"]["redemptions"]] == [SERIAL["serialId"]]

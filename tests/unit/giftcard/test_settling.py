"""What a card does when a transaction, or a reversal, that it takes part in has closed (rules 4.2.2, 4.1.13)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.giftcard_saga import SettleCard
from schemas.giftcards import CancelMutation
from services.giftcard.decider import DECIDER
from services.giftcard.state import Payment
from tests.unit.giftcard.events import (
    ACCOUNT,
    ACTIVE,
    EXPIRED,
    REDEEMED,
    REVERSAL,
    TRANSACTION,
    expired,
    given_back,
    held,
    hold_ended,
    issued,
    payment_cancelled,
    payment_refused,
    placed,
    redeemed,
    settled,
)
from tests.unit.giftcard.test_holding import HELD
from tests.unit.giftcard.test_loading import CONTEXT
from tests.unit.giftcard.test_promising import OF_REVERSAL, PAID, USED_UP
from tests.unit.giftcard.world import CARD, COMMAND_ID, DAY, STORE, T0, Booked, given

BOOKED: dict[str, Any] = {"transaction_id": TRANSACTION, "operation": 3}
PROMISED = (
    placed(1000, gives_back=True, **OF_REVERSAL),
    held(1000, reverses=TRANSACTION, reason="sent back", **OF_REVERSAL),
)
BACK = (hold_ended(**OF_REVERSAL), given_back(3, ACTIVE, 1000, 2500), settled(True, **OF_REVERSAL))


def settling(decision: str, transaction: str = TRANSACTION) -> SettleCard:
    body = {"transactionId": transaction, "operation": 3, "account": ACCOUNT, "cardId": CARD, "decision": decision}
    return SettleCard.model_validate(body)


@pytest.mark.parametrize(("loaded", "left"), [(2500, 1500), (1000, 0)])
def test_what_was_held_is_booked_once(loaded: int, left: int) -> None:
    before = (issued(loaded), placed(1000), held(1000, decides=True, comment="a gift"))
    when = given(*before).when(settling("executed"))
    when.then(hold_ended(), redeemed(2, 1000, left, comment="a gift", **BOOKED), settled(True))
    assert (when.card().balance, when.card().holds) == (left, ())
    when.when(settling("executed")).then()
    when.when(settling("cancelled")).then()


@pytest.mark.parametrize("decision", ["refused", "cancelled"])
def test_what_was_held_is_let_go_once(decision: str) -> None:
    when = given(*HELD).when(settling(decision))
    when.then(hold_ended(), settled(False))
    assert (when.card().spendable, when.card().sequence) == (2500, 1)
    when.when(settling("executed")).then()


def test_what_was_not_held_yet_never_will_be() -> None:
    given(issued(2500)).when(settling("refused")).then(settled(False))


@pytest.mark.parametrize("before", [payment_refused("insufficient_balance", None, "too little"), payment_cancelled()])
def test_what_was_refused_or_cancelled_has_nothing_to_settle(before: Booked) -> None:
    given(issued(2500), before).when(settling("refused")).then()


def test_what_was_never_held_is_not_booked() -> None:
    detail = "nothing of the gift card is held for this transaction"
    given(issued(2500)).when(settling("executed")).refused("transaction_unknown", "/transactionId", detail)


def test_what_was_held_in_time_is_booked_after_the_card_has_expired() -> None:
    due = T0 + DAY
    before = (issued(2500, expires_at=due), placed(1000), held(1000, decides=True))
    when = given(*before).when(settling("executed"), due)
    booked = redeemed(2, 1000, 1500, expires_at=due, at=due, **BOOKED)
    when.then(hold_ended(due), booked, settled(True, due))
    assert DECIDER.dump_state(when.card())["due_at"] == due, "the sweep books the expiry of what is left"


def test_the_time_of_the_fact_is_kept() -> None:
    fact = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    when = given(issued(2500), placed(1000), held(1000, decides=True, occurred_at=fact)).when(settling("executed"))
    when.then(hold_ended(), redeemed(2, 1000, 1500, occurred_at=fact, **BOOKED), settled(True))


@pytest.mark.parametrize("more", [{}, {"transactionId": TRANSACTION}])
def test_a_payment_of_a_transaction_is_not_cancelled_alone(more: dict[str, Any]) -> None:
    cancel = CancelMutation.model_validate({"cardId": CARD, "mutation": "redeem", "context": CONTEXT, **more})
    before = (*PAID[:4], redeemed(2, 1000, 1500, **BOOKED))
    detail = f"it belongs to the transaction {TRANSACTION}, which can be reversed as a whole"
    given(*before).when(cancel).refused("not_cancellable", "/mutation", detail)


# ── giving back ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_card_gets_its_money_back_once() -> None:
    when = given(*PAID, *PROMISED).when(settling("executed", REVERSAL))
    when.then(*BACK)
    when.when(settling("executed", REVERSAL)).then()


def test_a_card_that_was_used_up_is_active_again() -> None:
    when = given(*USED_UP, *PROMISED).when(settling("executed", REVERSAL))
    when.then(BACK[0], given_back(3, REDEEMED, 1000, 1000), BACK[2])


def test_a_reversal_that_came_to_nothing_gives_nothing_back() -> None:
    given(*PAID, *PROMISED).when(settling("refused", REVERSAL)).then(BACK[0], settled(False, **OF_REVERSAL))


def test_a_card_that_has_expired_comes_back_for_thirty_days() -> None:
    due, now = T0 + DAY, T0 + 9 * DAY
    until = datetime(2027, 1, 1, tzinfo=UTC)
    paid = (issued(2500, expires_at=due), *HELD[1:], hold_ended(), redeemed(2, 1000, 1500, expires_at=due, **BOOKED))
    gone = expired(3, ACTIVE, -1500, expires_at=due, at=due)
    back = given_back(4, EXPIRED, 1000, 1000, expires_at=until, at=now)
    ends = hold_ended(now, **OF_REVERSAL)
    when = given(*paid, settled(True), gone, *PROMISED).when(settling("executed", REVERSAL), now)
    when.then(ends, back, settled(True, now, **OF_REVERSAL))

    due_now = expired(3, ACTIVE, -1500, expires_at=due, booked_at=now, occurred_at=due, transaction_id=COMMAND_ID)
    when = given(*paid, settled(True), *PROMISED).when(settling("executed", REVERSAL), now)
    when.then(ends, due_now, back, settled(True, now, **OF_REVERSAL))


def test_a_card_that_expires_later_keeps_its_expiry() -> None:
    later = T0 + 90 * DAY
    paid = (
        issued(2500, expires_at=later),
        *HELD[1:],
        hold_ended(),
        redeemed(2, 1000, 1500, expires_at=later, **BOOKED),
    )
    when = given(*paid, settled(True), *PROMISED).when(settling("executed", REVERSAL))
    when.then(BACK[0], given_back(3, ACTIVE, 1000, 2500, expires_at=later), BACK[2])


def test_what_has_ended_leaves_the_snapshots() -> None:
    world = given(*HELD)
    stream = f"payment/{STORE}/{TRANSACTION}/3"
    assert not DECIDER.closed(world.states[stream])
    for each in (settled(True)[1], settled(False)[1]):
        assert DECIDER.closed(DECIDER.evolve(world.states[stream], each))
    for each in (payment_cancelled()[1], payment_refused("too_late", None, "late")[1]):
        assert DECIDER.closed(DECIDER.evolve(Payment("x"), each))

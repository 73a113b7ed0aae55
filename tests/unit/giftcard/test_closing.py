"""Voiding, refunding and expiry of gift cards (rules 4.4.3, 4.4.6)."""

import pytest

from schemas.giftcards import BookCardDue, CardStatus, RefundCard, VoidCard
from services.giftcard.decider import DECIDER
from services.giftcard.waking import wake
from tests.unit.giftcard.events import (
    ACTIVE,
    CREATED,
    REDEEMED,
    STREAM,
    created,
    expired,
    issued,
    redeemed,
    refunded,
    taken,
    voided,
)
from tests.unit.giftcard.test_loading import CONTEXT, ENDED, answered
from tests.unit.giftcard.world import CARD, COMMAND_ID, DAY, T0, Booked, World, given

VOIDING = VoidCard.model_validate({"cardId": CARD, "reason": "stolen", "context": CONTEXT})
REFUNDING = RefundCard.model_validate({"cardId": CARD, "reason": "sent back", "context": CONTEXT})
DUE = BookCardDue(card_id=CARD)
LATER = T0 + 3 * DAY

OPEN = [
    ((created(),), 2, CREATED, 0),
    ((issued(2500),), 2, ACTIVE, -2500),
    ((issued(2500), redeemed(2, 2500, 0)), 3, REDEEMED, 0),
]


@pytest.mark.parametrize(("before", "sequence", "old", "delta"), OPEN)
def test_a_card_is_voided_with_its_balance(
    before: tuple[Booked, ...], sequence: int, old: CardStatus, delta: int
) -> None:
    when = given(*before).when(VOIDING)
    when.then(voided(sequence, old, delta, reason="stolen", transaction_id=COMMAND_ID))
    when.answers(**answered("void", 0, -delta))


@pytest.mark.parametrize(("before", "sequence", "old", "delta"), OPEN)
def test_a_card_is_refunded_and_final(before: tuple[Booked, ...], sequence: int, old: CardStatus, delta: int) -> None:
    when = given(*before).when(REFUNDING)
    when.then(refunded(sequence, old, delta, reason="sent back", transaction_id=COMMAND_ID))
    when.answers(**answered("refunded", 0, -delta))
    when.when(REFUNDING).refused("gift_card_refunded", "/cardId", "the gift card was refunded")


@pytest.mark.parametrize(("before", "refusal"), ENDED)
def test_a_card_that_has_ended_is_not_ended_again(before: tuple[Booked, ...], refusal: tuple[str, str, str]) -> None:
    given(*before).when(VOIDING).refused(*refusal)
    given(*before).when(REFUNDING).refused(*refusal)


@pytest.mark.parametrize(("left", "old"), [(2500, ACTIVE), (0, REDEEMED)])
def test_an_expiry_takes_what_is_left_and_occurred_when_it_was_due(left: int, old: CardStatus) -> None:
    paid = () if left else (redeemed(2, 2500, 0, expires_at=T0 + DAY),)
    when = given(issued(2500, expires_at=T0 + DAY), *paid).when(DUE, LATER)
    at = {"at": LATER, "occurred_at": T0 + DAY, "expires_at": T0 + DAY, "transaction_id": COMMAND_ID}
    when.then(expired(2 + len(paid), old, -left, **at)).answers(**answered("expired", 0, left))


@pytest.mark.parametrize(
    "before",
    [
        (),
        (issued(2500),),
        (issued(2500, expires_at=LATER + DAY),),
        (issued(2500, expires_at=T0), expired(2, ACTIVE, -2500, expires_at=T0)),
        (issued(2500, expires_at=T0 + DAY), voided(2, ACTIVE, -2500, expires_at=T0 + DAY, reason="x")),
    ],
)
def test_what_is_not_due_is_not_booked(before: tuple[Booked, ...]) -> None:
    given(*before).when(DUE, LATER).then()


def test_an_expiry_is_due_from_its_very_instant() -> None:
    world = given(issued(2500, expires_at=LATER))
    assert world.card().status_at(LATER) == "expired"
    assert [event.new_status for _, event in world.when(DUE, LATER).accepted.events] == ["expired"]  # type: ignore[union-attr]


def test_the_sweep_wakes_cards_and_nothing_else() -> None:
    world = given(issued(2500, expires_at=LATER), taken())
    dumped = DECIDER.dump_state(world.card())
    assert dumped["due_at"] == LATER
    found = wake(STREAM, dumped)
    assert found is not None
    assert (found.type, found.subject, found.payload) == ("giftcard.book_due.v1", CARD, {"cardId": CARD})
    assert wake("serial/main/S-1", {}) is None
    assert DECIDER.dump_state(World().card())["due_at"] is None

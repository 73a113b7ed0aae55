"""Paying with gift cards (rules 4.4.4)."""

from typing import Any

import pytest

from schemas.giftcards import RedeemCard
from tests.unit.giftcard.events import awaited, created, issued, redeemed
from tests.unit.giftcard.test_loading import CONTEXT, ENDED, NO_CARD, answered
from tests.unit.giftcard.world import CARD, COMMAND_ID, RELOAD, Booked, given


def redeeming(amount: float, **more: Any) -> RedeemCard:
    return RedeemCard.model_validate({"cardId": CARD, "amount": amount, "context": CONTEXT, **more})


def test_a_part_of_the_balance_is_redeemed() -> None:
    when = given(issued(2500)).when(redeeming(10, transactionId="T", currency="EUR"))
    when.then(redeemed(2, 1000, 1500, transaction_id="T")).answers(**answered("active", 1500, 1000, "T"))


def test_a_card_that_is_used_up_is_redeemed() -> None:
    when = given(issued(2500)).when(redeeming(25))
    when.then(redeemed(2, 2500, 0, transaction_id=COMMAND_ID)).answers(**answered("redeemed", 0, 2500))


@pytest.mark.parametrize("before", [(issued(2500),), (issued(5000), redeemed(2, 2500, 2500))])
def test_what_the_balance_does_not_cover_is_declined(before: tuple[Booked, ...]) -> None:
    given(*before).when(redeeming(25.01)).refused("insufficient_balance", "/amount", "the gift card has 25.00 EUR")


def test_partial_approval_takes_what_there_is() -> None:
    when = given(issued(2500)).when(redeeming(40, allowPartial=True))
    when.then(redeemed(2, 2500, 0, transaction_id=COMMAND_ID, asked=4000)).answers(**answered("redeemed", 0, 2500))


def test_partial_approval_of_less_than_the_balance_is_a_whole_one() -> None:
    given(issued(2500)).when(redeeming(10, allowPartial=True)).then(redeemed(2, 1000, 1500, transaction_id=COMMAND_ID))


@pytest.mark.parametrize("partial", [False, True])
def test_nothing_is_taken_from_a_card_that_is_used_up(partial: bool) -> None:
    given(issued(2500), redeemed(2, 2500, 0)).when(redeeming(1, allowPartial=partial)).refused(
        "insufficient_balance", "/amount", "the gift card has 0.00 EUR"
    )


@pytest.mark.parametrize(
    ("before", "more", "refusal"),
    [
        ((created(),), {}, ("gift_card_not_active", "/cardId", "the gift card has not been activated")),
        ((issued(2500),), {"currency": "SEK"}, ("currency_mismatch", "/currency", "the gift card is in EUR")),
        ((issued(2500),), {"switchId": "OTHER"}, NO_CARD),
        ((issued(2500, of=RELOAD),), {"switchId": "OTHER"}, NO_CARD),
        ((issued(2500),), {"amount": 1.005}, ("too_many_decimals", "/amount", "EUR has 2 decimals")),
        (
            (issued(2500), awaited("T")),
            {"transactionId": "T"},
            ("transaction_cancelled", "/transactionId", "the transaction was cancelled before it arrived"),
        ),
        *((before, {}, refusal) for before, refusal in ENDED),
    ],
)
def test_what_cannot_be_redeemed(
    before: tuple[Booked, ...], more: dict[str, Any], refusal: tuple[str, str, str]
) -> None:
    given(*before).when(redeeming(**{"amount": 1, **more})).refused(*refusal)

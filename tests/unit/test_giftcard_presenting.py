"""How a gift card is shown by both families: in whole units, as it counts now, and never how its code is checked."""

from typing import Any

import pytest

from services.edge.families.gift_cards import as_of
from services.edge.families.giftcard.presenting import card_of
from services.edge.families.v1.presenting import giftcard_of
from tests.contract.giftcard_examples import VIEW

CARD: dict[str, Any] = {**VIEW.model_dump(mode="json", by_alias=True), "version": 2}
DUE = "2027-11-22T23:00:00.000Z"
BEFORE = "2027-11-22T22:59:59.999Z"


@pytest.mark.parametrize(
    ("status", "at", "shown"),
    [
        ("active", BEFORE, ("active", 1500)),
        ("active", DUE, ("expired", 0)),
        ("redeemed", DUE, ("expired", 0)),
        ("created", DUE, ("created", 1500)),
        ("void", DUE, ("void", 1500)),
    ],
)
def test_a_card_whose_time_is_over_has_expired_whether_that_is_booked_or_not(
    status: str, at: str, shown: tuple[str, int]
) -> None:
    card = as_of({**CARD, "status": status, "expiresAt": DUE}, at)
    assert (card["status"], card["balance"]) == shown
    forever = as_of({**CARD, "status": status, "expiresAt": None}, at)
    assert forever["status"] == status


def test_amounts_are_in_whole_units_and_status_words_as_in_the_document() -> None:
    shown = card_of({**CARD, "held": 0}, None, BEFORE, {"transactionId": "T", "amount": 1000})
    assert (shown["status"], str(shown["balance"]), str(shown["amount"])) == ("Active", "15.00", "10.00")
    assert str(card_of({**CARD, "scale": 0, "held": 0}, None, BEFORE, None)["balance"]) == "1500"


def test_the_balance_that_is_shown_is_what_can_be_spent() -> None:
    assert str(card_of({**CARD, "held": 500}, None, BEFORE, None)["balance"]) == "10.00"


def test_how_a_code_is_checked_is_shown_nowhere() -> None:
    for shown in (card_of(CARD, [], BEFORE, None), giftcard_of(CARD)):
        assert "code" not in shown
        assert "0" * 64 not in str(shown)

"""Declaring card types (rules 4.1.1, 4.4)."""

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.giftcards import CardType, PutCardType
from tests.unit.giftcard.events import put
from tests.unit.giftcard.world import ONCE, RELOAD, World, card_type, given


def test_a_card_type_is_declared() -> None:
    World().when(PutCardType(card_type=ONCE)).then(put()).answers(cardType="EUR10", version=1)


def test_an_equal_declaration_changes_nothing() -> None:
    given(put()).when(PutCardType(card_type=ONCE)).then().answers(cardType="EUR10", version=1)


def test_another_declaration_is_another_version() -> None:
    changed = card_type(reload=True)
    given(put()).when(PutCardType(card_type=changed)).then(put(changed, 2)).answers(cardType="EUR10", version=2)


def test_a_command_declares_the_type_that_it_is_addressed_to() -> None:
    detail = "the command is addressed to another card type than it declares"
    World().when(PutCardType(card_type=RELOAD), subject="OTHER").refused("card_type_mismatch", "/cardType/code", detail)


@pytest.mark.parametrize("name", ["minLoad", "maxLoad", "maxBalance"])
def test_limits_are_amounts_that_the_currency_has(name: str) -> None:
    limits: dict[str, Any] = {"minLoad": None, "maxLoad": None, "maxBalance": None, name: 5.005}
    odd = card_type(**limits)
    World().when(PutCardType(card_type=odd)).refused("too_many_decimals", f"/cardType/{name}", "EUR has 2 decimals")


@pytest.mark.parametrize("limits", [{"minLoad": 101}, {"maxLoad": 151}, {"maxLoad": None, "minLoad": 151}])
def test_limits_leave_something(limits: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="minLoad is at most maxLoad"):
        card_type(**limits)


def test_a_zone_that_nobody_has_is_refused() -> None:
    odd = CardType.model_construct(**{**ONCE.model_dump(), "zone": "Europe/Atlantis"})
    with pytest.raises(ValidationError):
        PutCardType.model_validate({"cardType": odd.model_dump(by_alias=True)})

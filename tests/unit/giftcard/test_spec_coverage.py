"""Every command of the gift card service has its specs: accepted, refused with each of its codes, and repeated."""

import pytest

from schemas.base import Wire
from schemas.giftcard_batches import OpenBatch
from schemas.giftcards import (
    COMMANDS,
    ActivateCard,
    CardRefusal,
    CreateCard,
    ImportCard,
    IssueCard,
    RedeemCard,
    RefundCard,
    VoidCard,
)
from tests.unit.giftcard import (
    test_batches,
    test_cancelling,
    test_closing,
    test_holding,
    test_importing,
    test_loading,
    test_promising,
    test_redeeming,
    test_settling,
    test_types,
)
from tests.unit.spec_coverage import QUIET, Shown, lacking, refusals_in_source, shown_by

SPECS = (
    *(test_batches, test_cancelling, test_closing, test_holding, test_importing, test_loading, test_redeeming),
    *(test_promising, test_settling, test_types),
)

NEVER: dict[tuple[type[Wire], str], str] = {
    (CreateCard, QUIET): "a repeat with another id is `gift_card_exists`",
    (ImportCard, QUIET): "a repeat with another id is `gift_card_exists`",
    (OpenBatch, QUIET): "a repeat with another id is `batch_exists`",
    (IssueCard, QUIET): "a repeat with another id is `gift_card_exists`",
    (ActivateCard, QUIET): "a repeat with another id loads again, or is refused",
    (RedeemCard, QUIET): "a repeat with another id redeems again",
    (VoidCard, QUIET): "a repeat with another id is `gift_card_void`",
    (RefundCard, QUIET): "a repeat with another id is `gift_card_refunded`",
}
CODES = refusals_in_source("giftcard", CardRefusal)


@pytest.fixture(scope="module")
def shown() -> frozenset[Shown]:
    return shown_by(*SPECS)


def test_every_command_and_every_refusal_has_a_spec(shown: frozenset[Shown]) -> None:
    assert lacking(COMMANDS.values(), CODES, NEVER, shown) == set()


def test_every_code_can_come_about() -> None:
    assert {code for codes in CODES.values() for code in codes} == {*CardRefusal}
    assert CODES.keys() == {command.__name__ for command in COMMANDS.values()}


@pytest.mark.parametrize("absent", SPECS)
def test_specs_that_are_missing_are_found(absent: object) -> None:
    kept = shown_by(*(module for module in SPECS if module is not absent))
    assert lacking(COMMANDS.values(), CODES, NEVER, kept)

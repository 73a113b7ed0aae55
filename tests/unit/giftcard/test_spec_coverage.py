"""Every command of the gift card service has its specs: accepted, refused with each of its codes, and repeated."""

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
from tests.unit.spec_coverage import QUIET, SpecCoverage

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


class TestSpecsOfTheGiftCardService(SpecCoverage):
    service, commands, refusal = "giftcard", COMMANDS, CardRefusal
    specs, never = SPECS, NEVER

"""Every command of the voucher service has its specs: accepted, refused with each of its codes, and repeated."""

import pytest

from schemas.base import Wire
from schemas.vouchers import COMMANDS, IssueVoucher, VoidVoucher, VoucherRefusal
from tests.unit.spec_coverage import QUIET, Shown, lacking, refusals_in_source, shown_by
from tests.unit.voucher import test_definitions, test_issuing, test_lives, test_reversal, test_transaction
from tests.unit.voucher import test_transaction_refusals as test_refusals

SPECS = (test_definitions, test_issuing, test_lives, test_reversal, test_transaction, test_refusals)

NEVER: dict[tuple[type[Wire], str], str] = {
    (IssueVoucher, QUIET): "a repeat with another id is `serial_in_use`",
    (VoidVoucher, QUIET): "a repeat with another id is `voucher_void`",
    (IssueVoucher, VoucherRefusal.PROGRAMME_MISMATCH): "nothing is paid for it, so in no programme",
    (VoidVoucher, VoucherRefusal.VOUCHER_FOREIGN): "whoever owns it",
}
CODES = refusals_in_source("voucher", VoucherRefusal)


@pytest.fixture(scope="module")
def shown() -> frozenset[Shown]:
    return shown_by(*SPECS)


def test_every_command_and_every_refusal_has_a_spec(shown: frozenset[Shown]) -> None:
    assert lacking(COMMANDS.values(), CODES, NEVER, shown) == set()


def test_every_code_can_come_about() -> None:
    assert {code for codes in CODES.values() for code in codes} == {*VoucherRefusal}
    assert CODES.keys() == {command.__name__ for command in COMMANDS.values()}


@pytest.mark.parametrize("absent", SPECS)
def test_specs_that_are_missing_are_found(absent: object) -> None:
    kept = shown_by(*(module for module in SPECS if module is not absent))
    assert lacking(COMMANDS.values(), CODES, NEVER, kept)

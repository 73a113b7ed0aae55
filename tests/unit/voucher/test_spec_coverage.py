"""Every command of the voucher service has its specs: accepted, refused with each of its codes, and repeated."""

from schemas.base import Wire
from schemas.vouchers import COMMANDS, IssueVoucher, VoidVoucher, VoucherRefusal
from tests.unit.spec_coverage import QUIET, SpecCoverage
from tests.unit.voucher import test_definitions, test_issuing, test_lives, test_reversal, test_transaction
from tests.unit.voucher import test_transaction_refusals as test_refusals

SPECS = (test_definitions, test_issuing, test_lives, test_reversal, test_transaction, test_refusals)

NEVER: dict[tuple[type[Wire], str], str] = {
    (IssueVoucher, QUIET): "a repeat with another id is `serial_in_use`",
    (VoidVoucher, QUIET): "a repeat with another id is `voucher_void`",
    (IssueVoucher, VoucherRefusal.PROGRAMME_MISMATCH): "nothing is paid for it, so in no programme",
    (VoidVoucher, VoucherRefusal.VOUCHER_FOREIGN): "whoever owns it",
}


class TestSpecsOfTheVoucherService(SpecCoverage):
    service, commands, refusal = "voucher", COMMANDS, VoucherRefusal
    specs, never = SPECS, NEVER

"""What HTTP operations document of their commands' refusals is what the services' sources can refuse them with."""

from collections.abc import Mapping
from enum import StrEnum

import pytest

from schemas import customers, vouchers
from schemas._registry import TOO_LARGE
from schemas.base import Wire
from schemas.customers import CustomerRefusal
from schemas.refusal_codes import EXECUTING, REFUSAL_CODES, REVERSING
from schemas.refusals import VoucherRefusal
from tests.unit.customer import test_spec_coverage as customer_specs
from tests.unit.spec_coverage import refusals_in_source
from tests.unit.voucher import test_spec_coverage as voucher_specs

Never = Mapping[tuple[type[Wire], str], str]


def reachable(command: type[Wire], codes: Mapping[str, set[str]], never: Never) -> set[str]:
    """The codes that the source reaches from a command, without those that cannot come about."""
    return codes[command.__name__] - {str(outcome) for named, outcome in never if named is command}


@pytest.mark.parametrize(
    ("service", "refusal", "commands", "never"),
    [
        ("voucher", VoucherRefusal, vouchers.COMMANDS, voucher_specs.NEVER),
        ("customer", CustomerRefusal, customers.COMMANDS, customer_specs.NEVER),
    ],
)
def test_documented_refusals_are_those_of_the_source(
    service: str, refusal: type[StrEnum], commands: Mapping[str, type[Wire]], never: Never
) -> None:
    codes = refusals_in_source(service, refusal)
    documented = [name for name in commands if name in REFUSAL_CODES]
    assert documented
    for name in documented:
        assert {*REFUSAL_CODES[name]} - {TOO_LARGE} == reachable(commands[name], codes, never), name


def test_a_transactions_vouchers_are_refused_as_the_voucher_service_does() -> None:
    codes = refusals_in_source("voucher", VoucherRefusal)
    never = voucher_specs.NEVER
    executing = reachable(vouchers.ExecuteVouchers, codes, never) - {
        VoucherRefusal.TOO_LATE
    }  # A problem of any command.
    assert {*EXECUTING} == executing
    assert {*REVERSING} == reachable(vouchers.ReverseVouchers, codes, never)
    assert {*EXECUTING} < {*REFUSAL_CODES["points.post_transaction.v1"]}
    assert {*REVERSING} < {*REFUSAL_CODES["points.reverse.v1"]}

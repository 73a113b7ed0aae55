"""What HTTP operations document of their commands' refusals is what the services' sources can refuse them with."""

from collections.abc import Mapping
from enum import StrEnum

import pytest

from schemas import customers, giftcard_saga, giftcards, points, vouchers
from schemas._registry import TOO_LARGE
from schemas.base import Wire
from schemas.customers import CustomerRefusal
from schemas.giftcards import CardRefusal
from schemas.refusal_codes import EXECUTING, GIVING_BACK, PAYING, REFUSAL_CODES, REVERSING
from schemas.refusals import PointsRefusal, VoucherRefusal
from tests.unit.customer import test_spec_coverage as customer_specs
from tests.unit.giftcard import test_spec_coverage as giftcard_specs
from tests.unit.points import test_spec_coverage as points_specs
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
        ("giftcard", CardRefusal, giftcards.COMMANDS, giftcard_specs.NEVER),
        ("points", PointsRefusal, points.COMMANDS, points_specs.NEVER),
    ],
)
def test_documented_refusals_are_those_of_the_source(
    service: str, refusal: type[StrEnum], commands: Mapping[str, type[Wire]], never: Never
) -> None:
    codes = refusals_in_source(service, refusal)
    documented = [name for name in commands if name in REFUSAL_CODES]
    assert documented
    for name in documented:
        found = reachable(commands[name], codes, never) - NOT_OVER_HTTP
        assert {*REFUSAL_CODES[name]} - {TOO_LARGE} == found | WITH_OTHERS.get(name, set()), name


NOT_OVER_HTTP = {PointsRefusal.ACCOUNT_MISMATCH, PointsRefusal.TOO_MANY_INPUTS_WAIT}
"""The edge takes a command's account from its number; only messages from topics wait for a number."""

WITH_OTHERS: dict[str, set[str]] = {
    "points.post_transaction.v1": {*EXECUTING},
    "points.reverse.v1": {*REVERSING, *GIVING_BACK},
    "voucher.issue.v1": {VoucherRefusal.ACCOUNT_MISMATCH},
}
"""What vouchers and gift cards add, and what the voucher service alone means by a code of the same name."""


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


def test_a_transactions_gift_cards_are_refused_as_their_service_does() -> None:
    codes = refusals_in_source("giftcard", CardRefusal)
    holding = reachable(giftcard_saga.HoldCard, codes, giftcard_specs.NEVER) - {CardRefusal.TOO_LATE}
    assert {*PAYING, *GIVING_BACK} == holding
    assert {*GIVING_BACK} < {*REFUSAL_CODES["points.reverse.v1"]}

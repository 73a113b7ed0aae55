"""Every command of the points service has its specs: accepted, refused and repeated; and so has every refusal.

The facts of an order are decided by the same rules: each code has its spec with one of them.
"""

import pytest

from schemas.accounts import CloseAccount
from schemas.base import Wire
from schemas.joining import JoinAccount, ReplaceCard, TakeOver
from schemas.points import (
    COMMANDS,
    Adjust,
    BookDue,
    CloseReversal,
    CloseTransaction,
    PointsRefusal,
    Reverse,
)
from schemas.receipts import FreeReceipt
from tests.unit.points import (
    test_accounts,
    test_adjust,
    test_announcing,
    test_closing,
    test_debt,
    test_declaring,
    test_due,
    test_follow_ups,
    test_gift_cards,
    test_giving_back,
    test_holding,
    test_holding_refusals,
    test_order_facts,
    test_order_rest,
    test_orders,
    test_programme,
    test_reverse,
    test_reverse_bounds,
    test_reverse_vouchers,
    test_shop_orders,
    test_thresholds,
    test_tier_sets,
    test_tiers,
    test_transaction,
    test_waiting_inputs,
)
from tests.unit.spec_coverage import QUIET, Shown, lacking, refusals_in_source, shown_by

SPECS = (
    *(test_accounts, test_adjust, test_announcing, test_closing, test_debt, test_declaring, test_due, test_follow_ups),
    *(
        test_gift_cards,
        test_giving_back,
        test_holding,
        test_holding_refusals,
        test_order_facts,
        test_order_rest,
        test_orders,
    ),
    *(test_programme, test_reverse, test_reverse_bounds, test_reverse_vouchers, test_shop_orders, test_thresholds),
    *(test_tier_sets, test_tiers, test_transaction, test_waiting_inputs),
)

NEVER: dict[tuple[type[Wire], str], str] = {
    (Adjust, QUIET): "a value of nothing is `value_zero`, and a repeat with another id adjusts again",
    (Reverse, QUIET): "a repeat with another id is `already_reversed`",
    (CloseReversal, QUIET): "a repeat with another id is `transaction_unknown`",
    (CloseTransaction, QUIET): "a repeat with another id is `transaction_unknown`",
}
NEVER_REFUSED = {
    BookDue: "what is due is booked in every state of the account",
    CloseAccount: "an account can always be closed",
    JoinAccount: "it gives nothing when it leads elsewhere",
    TakeOver: "what was given must arrive",
    FreeReceipt: "what it frees stays free",
}
NO_REFUSAL = {PointsRefusal.RECEIPT_ALREADY_LOADED: "an event says it of a programme; the order itself is accepted"}

CODES = refusals_in_source("points", PointsRefusal)
CODES[ReplaceCard.__name__] = CODES["ReplaceNumber"]


@pytest.fixture(scope="module")
def shown() -> frozenset[Shown]:
    return shown_by(*SPECS)


def without_specs(shown: frozenset[Shown]) -> set[Shown]:
    """What no spec shows: accepted and quiet for each command, and for each that can be refused any of its codes."""
    refused = {command for command, outcome in shown if outcome in {*PointsRefusal}}
    refusable = {name for name, codes in CODES.items() if codes} - {command.__name__ for command in NEVER_REFUSED}
    codes = {*PointsRefusal} - NO_REFUSAL.keys() - {outcome for _, outcome in shown}
    return (
        lacking(COMMANDS.values(), {}, NEVER, shown)
        | {(name, "any refusal") for name in refusable - refused}
        | {("any command", code) for code in codes}
    )


def test_every_command_and_every_refusal_has_a_spec(shown: frozenset[Shown]) -> None:
    assert without_specs(shown) == set()


def test_every_code_can_come_about() -> None:
    assert {code for codes in CODES.values() for code in codes} == {*PointsRefusal}
    assert CODES.keys() == {command.__name__ for command in COMMANDS.values()}


def test_what_is_never_refused_never_is(shown: frozenset[Shown]) -> None:
    never = {command.__name__ for command in NEVER_REFUSED}
    assert not {(command, outcome) for command, outcome in shown if command in never and outcome in {*PointsRefusal}}
    assert not {outcome for _, outcome in shown} & NO_REFUSAL.keys()


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.__name__)
def test_specs_of_a_command_that_are_missing_are_found(command: type[Wire], shown: frozenset[Shown]) -> None:
    assert without_specs(frozenset(each for each in shown if each[0] != command.__name__))


@pytest.mark.parametrize("code", sorted({*PointsRefusal} - NO_REFUSAL.keys()))
def test_specs_of_a_refusal_that_are_missing_are_found(code: str, shown: frozenset[Shown]) -> None:
    kept = frozenset(each for each in shown if each[1] != code)
    assert ("any command", code) in without_specs(kept)

"""Every command of the points service has its specs: accepted, refused and repeated; and so has every refusal.

The facts of an order are decided by the same rules: each code has its spec with one of them.
"""

from collections.abc import Iterable

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
from tests.unit.spec_coverage import QUIET, Shown, SpecCoverage, lacking, shown_by

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


class TestSpecsOfThePointsService(SpecCoverage):
    """A code needs one spec, of any command; and each command that can be refused, one of any of its codes."""

    service, commands, refusal = "points", COMMANDS, PointsRefusal
    specs, never = SPECS, NEVER

    @classmethod
    def codes(cls) -> dict[str, set[str]]:
        found = super().codes()
        return {**found, ReplaceCard.__name__: found["ReplaceNumber"]}

    @classmethod
    def without_specs(cls, shown: Iterable[Shown]) -> set[Shown]:
        shown = {*shown}
        refused = {command for command, outcome in shown if outcome in {*PointsRefusal}}
        refusable = {name for name, codes in cls.codes().items() if codes}
        refusable -= {command.__name__ for command in NEVER_REFUSED}
        codes = {*PointsRefusal} - NO_REFUSAL.keys() - {outcome for _, outcome in shown}
        return (
            lacking(COMMANDS.values(), {}, NEVER, shown)
            | {(name, "any refusal") for name in refusable - refused}
            | {("any command", code) for code in codes}
        )

    def test_specs_that_are_missing_are_found(self) -> None:
        """Of any command, and of any code; several modules may have the same."""
        shown = shown_by(*SPECS)
        for command in COMMANDS.values():
            assert self.without_specs({each for each in shown if each[0] != command.__name__}), command
        for code in {*PointsRefusal} - NO_REFUSAL.keys():
            kept = {each for each in shown if each[1] != code}
            assert ("any command", code) in self.without_specs(kept)

    def test_what_is_never_refused_never_is(self) -> None:
        never, shown = {command.__name__ for command in NEVER_REFUSED}, shown_by(*SPECS)
        assert not {each for each in shown if each[0] in never and each[1] in {*PointsRefusal}}
        assert not {outcome for _, outcome in shown} & NO_REFUSAL.keys()

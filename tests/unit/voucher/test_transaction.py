"""Transactions: order, all or nothing, every refusal and their order, and the pivot (rules 4.2.1, 4.2.2, 4.3.3)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.vouchers import VoucherRefusal, VoucherState
from shared.ids import new_id
from tests.unit.voucher.world import (
    ACCOUNT,
    ANY,
    DAY,
    OTHER,
    OWN,
    T0,
    World,
    bought,
    cancelling,
    definition,
    executing,
    given,
    issuing,
    reversing,
    used,
)

LATER = T0 + 10 * DAY


def test_everything_in_order_in_one_step() -> None:
    before = given().when(issuing("mine")).when(issuing("theirs", "ANY", account=None)).when(issuing("old"))
    world = before.when(
        executing(
            bought("a", operation=0),
            bought("b", operation=1, use=True),
            used("mine", operation=2),
            used("theirs", None, operation=3),
            used("old", operation=4, void=True),
        )
    )
    world.then("issued", "issued", "redeemed", "redeemed", "redeemed", "voided", "transaction_executed")
    world.decided("executed")
    assert [event.operation for event in world.life()] == [0, 1, 1, 2, 3, 4]
    assert {event.source.shop for event in world.life()} == {"Webshop"}
    told = world.told.payload
    assert [(each["serialId"], each["state"]) for each in told["issued"]] == [("a", "issued"), ("b", "redeemed")]
    assert [(each["serialId"], each["operation"]) for each in told["redeemed"]] == [
        ("b", 1),
        ("mine", 2),
        ("theirs", 3),
    ]
    assert [each["serialId"] for each in told["voided"]] == ["old"]
    assert world.told.snapshots
    issued = world.voucher("a").issued
    assert issued is not None
    assert (issued.cost, issued.unit, issued.paid_in) == (500, "EUR", "LOY")
    assert (issued.account, issued.programme) == (ACCOUNT, "LOY")
    assert world.voucher("theirs").redeemed_by == ACCOUNT


def test_nothing_at_all_is_executed() -> None:
    world = given().when(executing()).then("transaction_executed").decided("executed")
    assert not world.told.snapshots


@pytest.mark.parametrize(
    ("operations", "pointer"),
    [
        ((bought("a"), used("none", operation=7)), "/used/7"),
        ((bought("a"), bought("a", operation=1), used("none", operation=7)), "/bought/1"),
        ((used("mine", operation=0), used("none", operation=1), used("none", operation=2)), "/used/1"),
    ],
)
def test_the_first_that_fails_refuses_all(operations: tuple[Any, ...], pointer: str) -> None:
    before = given().when(issuing("mine"))
    world = before.when(executing(*operations)).then("transaction_refused")
    assert world.told.payload["pointer"] == pointer
    assert {name: world.states[name] for name in before.states} == before.states
    world.is_("mine", VoucherState.ISSUED)
    assert world.voucher("a").issued is None
    assert not world.told.snapshots


def test_a_deadline_is_the_last_instant() -> None:
    given().when(executing(bought("a"), deadline=T0)).decided("executed")
    late = given().when(executing(bought("a"), deadline=T0), T0 + timedelta(milliseconds=1))
    late.then("transaction_refused").decided("refused", "too_late")


# ── what can be bought ──────────────────────────────────────────────────────────────────────────────────────────────

SOLD = (
    OWN,
    ANY,
    definition("RETIRED", state="retired"),
    definition("OTHERS", programme="OTHER"),
    definition("PAST", validity={"on": "2026-11-21"}),
    definition("SHORT", validity={"days": 0}),
)


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        (bought("new", "NONE"), "definition_unknown"),
        (bought("new", "RETIRED"), "definition_retired"),
        (bought("new", "OTHERS"), "programme_mismatch"),
        (bought("there"), "serial_in_use"),
        (bought("new", "PAST"), "expiry_in_past"),
        (bought("new", expiresAt=T0), "expiry_in_past"),
        (bought("new", expiresAt=T0 + DAY, validFrom=T0 + DAY), "expiry_before_activation"),
        (bought("new", "SHORT", validFrom=T0 + DAY), "expiry_before_activation"),
        (bought("new", use=True, validFrom=T0 + DAY), "voucher_not_yet_valid"),
    ],
)
def test_what_cannot_be_bought(operation: Any, code: str) -> None:
    world = given(*SOLD).when(issuing("there")).when(executing(operation))
    world.decided("refused", code, "/bought/0")


@pytest.mark.parametrize(
    "operation",
    [
        bought("new", "ANY"),
        bought("new", use=True, validFrom=T0),
        bought("new", expiresAt=T0 + DAY, validFrom=T0),
        bought("new", validFrom=T0 - DAY, expiresAt=T0 + DAY),
    ],
)
def test_what_can_be_bought(operation: Any) -> None:
    given(*SOLD).when(executing(operation)).decided("executed")


# ── what can be used, in the order in which it is checked ───────────────────────────────────────────────────────────


def facing(*faults: str) -> World:
    """A world in which voucher `v` has several faults at once for the account, a redemption in LOY, and now."""
    code = "ANY" if "mismatch" in faults else "OWN"
    owner = OTHER if "foreign" in faults else ACCOUNT
    fields: dict[str, datetime] = {}
    if "expired" in faults:
        fields["expiresAt"] = T0 + DAY
    if "not yet" in faults:
        fields["validFrom"] = LATER + DAY
    world = given().when(issuing("v", code, account=owner, **fields))
    if "void" in faults:
        world = world.when(executing(used("v", None if code == "ANY" else "LOY", void=True), account=owner))
    return world


UNKNOWN = ("", ("unknown",))
CASES = [
    (("foreign", "void", "not yet", "mismatch"), "voucher_foreign"),
    (("void", "not yet", "mismatch"), "voucher_void"),
    (("expired", "mismatch"), "voucher_expired"),
    (("not yet", "mismatch"), "voucher_not_yet_valid"),
    (("mismatch",), "programme_mismatch"),
]


@pytest.mark.parametrize(("faults", "code"), CASES)
def test_faults_are_told_in_the_order_of_the_rules(faults: tuple[str, ...], code: str) -> None:
    transaction = new_id()
    world = facing(*faults).when(executing(used("v"), transaction=transaction, deadline=LATER), LATER)
    world.decided("refused", code, "/used/0")


def test_a_redeemed_voucher_stays_so_after_its_time_and_before_the_programme_is_looked_at() -> None:
    world = facing("expired").when(executing(used("v")))
    again = executing(used("v", "ELSE"), transaction=new_id(), deadline=LATER)
    world.when(again, LATER).decided("refused", "voucher_redeemed", "/used/0")


def test_an_unknown_voucher() -> None:
    given().when(executing(used("v"))).decided("refused", "voucher_unknown", "/used/0")


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [({}, {}, "voucher_redeemed"), ({"void": True}, {}, "voucher_void"), ({}, {"void": True}, "voucher_redeemed")],
)
def test_the_same_serial_twice(first: Any, second: Any, code: str) -> None:
    world = given().when(issuing("v")).when(executing(used("v", **first), used("v", operation=1, **second)))
    world.decided("refused", code, "/used/1").is_("v", VoucherState.ISSUED)


def test_who_may_use_it() -> None:
    world = given().when(issuing("theirs", account=OTHER)).when(issuing("anyones", "ANY", account=None))
    world.when(executing(used("theirs"))).decided("refused", "voucher_foreign", "/used/0")
    world.when(executing(used("theirs", void=True))).decided("refused", "voucher_foreign", "/used/0")
    taken = world.when(executing(used("anyones", None), account=OTHER)).decided("executed")
    assert taken.voucher("anyones").redeemed_by == OTHER
    late = executing(used("anyones", None), transaction=new_id())
    taken.when(late).decided("refused", "voucher_redeemed", "/used/0")


def test_what_was_given_to_a_number_that_leads_to_the_account_is_the_accounts() -> None:
    world = given().when(issuing("theirs", account=OTHER))
    taken = world.when(executing(used("theirs"), aliases=("else", OTHER))).decided("executed")
    assert taken.voucher("theirs").redeemed_by == ACCOUNT
    world.when(executing(used("theirs"), aliases=("else",))).decided("refused", "voucher_foreign", "/used/0")


def test_where_it_is_used() -> None:
    world = given().when(issuing("of programme")).when(issuing("of none", "ANY"))
    world.when(executing(used("of programme", None))).decided("refused", "programme_mismatch", "/used/0")
    world.when(executing(used("of none", "LOY"))).decided("refused", "programme_mismatch", "/used/0")
    world.when(executing(used("of programme", "ELSE"))).decided("refused", "programme_mismatch", "/used/0")
    world.when(executing(used("of programme"), used("of none", None))).decided("executed")


def test_when_it_is_used() -> None:
    world = given().when(issuing("v", validFrom=T0 + DAY, expiresAt=T0 + 2 * DAY))
    instant = timedelta(milliseconds=1)
    redeem, late = executing(used("v"), deadline=LATER), T0 + 2 * DAY
    world.when(redeem, T0 + DAY - instant).decided("refused", "voucher_not_yet_valid", "/used/0")
    world.when(redeem, T0 + DAY).decided("executed")
    world.when(redeem, late - instant).decided("executed")
    world.when(redeem, late).decided("refused", "voucher_expired", "/used/0")


def test_what_is_not_valid_yet_can_be_voided_and_what_is_over_cannot() -> None:
    world = given().when(issuing("v", validFrom=T0 + DAY, expiresAt=T0 + 2 * DAY))
    void = executing(used("v", void=True), deadline=LATER)
    world.when(void).decided("executed").is_("v", VoucherState.VOID)
    world.when(void, LATER).decided("refused", "voucher_expired", "/used/0").is_("v", VoucherState.ISSUED)


# ── the pivot ───────────────────────────────────────────────────────────────────────────────────────────────────────

FIRST = [(executing(bought("a")), "executed"), (executing(used("v")), "refused"), (cancelling(), "cancelled")]


@pytest.mark.parametrize(("first", "decision"), FIRST)
@pytest.mark.parametrize("later", [executing(bought("b")), executing(used("v")), cancelling()])
def test_the_first_decision_is_final_and_told_again(first: Any, decision: str, later: Any) -> None:
    world = given().when(first)
    told = world.told
    again = world.when(later, LATER, new_id()).then()
    assert again.states == world.states
    assert again.told.payload == told.payload
    assert (again.told.type, again.told.subject, again.told.id) == (told.type, told.subject, told.id)
    assert told.payload["decision"] == decision
    assert world.accepted.result == again.accepted.result


def test_a_reversal_has_a_decision_of_its_own() -> None:
    world = given().when(executing(bought("a")))
    reversed_ = world.when(reversing(purchased=("a",), reversal="R")).decided("executed")
    assert reversed_.decision() == world.decision()
    again = reversed_.when(reversing(redeemed=("a",), reversal="R"), command_id=new_id()).then()
    assert again.told.payload == reversed_.told.payload
    assert reversed_.told.type == "points.close_reversal.v1"


def test_every_refusal_is_listed() -> None:
    told = {"voucher_unknown", "too_late", *(code for _, code in CASES), "voucher_redeemed"}
    assert told <= {str(code) for code in VoucherRefusal}

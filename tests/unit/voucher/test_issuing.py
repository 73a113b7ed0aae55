"""Issuing by hand and for a threshold (rules 4.1.11, 4.3.1, 4.3.2)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.movements import Source
from schemas.vouchers import IssueVoucher, VoucherDefinition, VoucherIssued
from tests.unit.voucher.commands import issuing, threshold
from tests.unit.voucher.events import (
    DECLARED,
    FOR_THRESHOLD,
    TO_BEARER,
    issued,
    put,
    there,
    voided,
)
from tests.unit.voucher.world import (
    ACCOUNT,
    ANY,
    COMMAND_ID,
    DAY,
    LATER_ID,
    NUMBER,
    OTHER,
    OTHER_NUMBER,
    T0,
    Booked,
    definition,
    given,
)

RETIRED = definition("RETIRED", state="retired")
PAST = definition("PAST", validity={"on": "2026-11-21"})
TODAY = definition("TODAY", validity={"days": 0})


# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_voucher_by_hand_has_all_of_its_definition_and_says_who_issued_it() -> None:
    declared = VoucherDefinition.model_validate(
        {
            "code": "FIVE",
            "titles": {"nl": "Vijf euro", "en": "Five euros"},
            "descriptions": {"nl": "Op alles"},
            "defaultLanguage": "nl",
            "programme": "LOY",
            "validity": {"days": 30},
            "zone": "Europe/Amsterdam",
            "benefit": {"type": "amount", "value": 5, "currency": "EUR"},
        }
    )
    context = {
        "receiptNr": "R-1",
        "shopId": "12",
        "posId": "3",
        "operatorId": "7",
        "comment": "sorry for the wait",
        "occurredAt": "2026-11-20T09:00:00+01:00",
    }
    when = given(put(declared, 7)).when(issuing("Spring-1", "FIVE", context=context))
    event = VoucherIssued(
        serial_id="Spring-1",
        sequence=1,
        voucher_id="FIVE",
        programme="LOY",
        account=ACCOUNT,
        account_number=NUMBER,
        transaction_id=COMMAND_ID,
        operation=0,
        source=Source(receipt="R-1", shop="12", till="3", operator="7"),
        reason="hand",
        occurred_at=datetime(2026, 11, 20, 8, tzinfo=UTC),
        booked_at=T0,
        definition_version=7,
        titles={"nl": "Vijf euro", "en": "Five euros"},
        descriptions={"nl": "Op alles"},
        default_language="nl",
        zone="Europe/Amsterdam",
        valid_from=T0,
        expires_at=datetime(2026, 12, 22, 23, tzinfo=UTC),
        cost=0,
        scale=0,
        paid_in=None,
        benefit=declared.benefit,
    )
    when.then(("voucher/main/SPRING-1", event))
    when.answers(
        serialId="Spring-1",
        voucherId="FIVE",
        validFrom="2026-11-22T10:00:01.123Z",
        expiresAt="2026-12-22T23:00:00.000Z",
    )
    assert when.accepted.memo == "sorry for the wait"


def test_times_that_are_given_override_the_definition() -> None:
    when = given(put(TODAY)).when(issuing("v", "TODAY", validFrom=T0 + DAY, expiresAt=T0 + 9 * DAY))
    when.then(issued("v", TODAY, valid_from=T0 + DAY, expires_at=T0 + 9 * DAY))
    when.answers(
        serialId="v",
        voucherId="TODAY",
        validFrom="2026-11-23T10:00:01.123Z",
        expiresAt="2026-12-01T10:00:01.123Z",
    )


def test_a_voucher_to_bearer_belongs_to_no_account() -> None:
    when = given(*DECLARED).when(issuing("v", "ANY", account=None))
    when.then(issued("v", ANY, **TO_BEARER))
    when.answers(serialId="v", voucherId="ANY", validFrom="2026-11-22T10:00:01.123Z", expiresAt=None)


WHOSE = "the command names an account with its number, and is addressed to it; or neither, and to the serial"
REFUSED: list[tuple[IssueVoucher, str | None, str, str, str]] = [
    (issuing("v", account=None), None, "bearer_not_allowed", "/account", "OWN is not issued to bearer"),
    (issuing("v", accountNumber=None), None, "account_mismatch", "/account", WHOSE),
    (issuing("v", account=None, accountNumber="1"), None, "account_mismatch", "/account", WHOSE),
    (issuing("v"), OTHER, "account_mismatch", "/account", WHOSE),
    (issuing("v", "ANY", account=None), "w", "account_mismatch", "/account", WHOSE),
    (issuing("v", "NONE"), None, "definition_unknown", "/voucherId", "there is no voucher definition NONE"),
    (issuing("v", "RETIRED"), None, "definition_retired", "/voucherId", "RETIRED is retired"),
    (issuing("there"), None, "serial_in_use", "/serialId", "there is a voucher with this serial already"),
    (issuing("void"), None, "serial_in_use", "/serialId", "there is a voucher with this serial already"),
    (
        issuing("v", "PAST"),
        None,
        "expiry_in_past",
        "/expiresAt",
        "it would have expired at 2026-11-22T00:00:00.000Z",
    ),
    (
        issuing("v", expiresAt=T0),
        None,
        "expiry_in_past",
        "/expiresAt",
        "it would have expired at 2026-11-22T10:00:01.123Z",
    ),
    (
        issuing("v", validFrom=T0 + DAY, expiresAt=T0 + DAY),
        None,
        "expiry_before_activation",
        "/expiresAt",
        "it would expire at 2026-11-23T10:00:01.123Z, before it is valid",
    ),
]


@pytest.mark.parametrize(("payload", "subject", "code", "pointer", "detail"), REFUSED)
def test_a_voucher_by_hand_is_refused(
    payload: IssueVoucher, subject: str | None, code: str, pointer: str, detail: str
) -> None:
    vouchers = (there("there"), there("void"), voided("void"))
    world = given(*DECLARED, put(RETIRED), put(PAST), *vouchers)
    world.when(payload, subject=subject).refused(code, pointer, detail)


# ── for a threshold ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_threshold_issues_by_the_definition_in_the_command_then_the_declared_one_then_the_code_alone() -> None:
    mine = definition("MINE", programme=None, validity={"days": 0})
    bare = VoucherDefinition.model_validate(
        {"code": "NEVER", "titles": {"und": "NEVER"}, "defaultLanguage": "und", "programme": "LOY"}
    )
    when = given(*DECLARED).when(threshold(("a", "MINE"), ("b", "OWN"), ("c", "NEVER"), definitions=(mine,)))
    midnight = datetime(2026, 11, 23, tzinfo=UTC)
    when.then(
        issued("a", mine, **FOR_THRESHOLD, definition_version=0, expires_at=midnight, operation=0),
        issued("b", **FOR_THRESHOLD, operation=1),
        issued("c", bare, **FOR_THRESHOLD, definition_version=0, operation=2),
    )
    when.answers(issued=["a", "b", "c"])


@pytest.mark.parametrize("rules", [{"state": "retired"}, {"validity": {"on": "2026-01-31"}}])
def test_a_threshold_is_issued_though_the_definition_is_retired_or_over(rules: Any) -> None:
    own = definition(**rules)
    given(put(own)).when(threshold(("a", "OWN"))).then(issued("a", own, **FOR_THRESHOLD))


def test_a_threshold_is_issued_once() -> None:
    mine = issued("a", **FOR_THRESHOLD)
    given(*DECLARED, mine).when(threshold(("a", "OWN")), command_id=LATER_ID).then().answers(issued=[])


@pytest.mark.parametrize("taken", [there("a", account=OTHER, account_number=OTHER_NUMBER), there("a")])
def test_of_a_threshold_what_others_have_is_left_out_and_remarked(taken: Booked) -> None:
    when = given(*DECLARED, taken).when(threshold(("a", "OWN"), ("b", "OWN")))
    when.then(issued("b", **FOR_THRESHOLD, operation=1)).answers(issued=["b"])
    assert when.accepted.memo == "other vouchers have these serials: a"

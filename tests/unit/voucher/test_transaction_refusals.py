"""Why a transaction's vouchers cannot be bought or used, and in which order it is looked at (rules 4.2.4, 4.3.3)."""

from typing import Any

import pytest

from tests.unit.voucher.commands import bought, executing, used
from tests.unit.voucher.events import DECLARED, at, expired, put, redeemed, refused, there, voided
from tests.unit.voucher.world import ANY, DAY, OTHER, OTHER_NUMBER, OWN, T0, Booked, definition, given

LATER = T0 + 10 * DAY
SOLD = (
    *DECLARED,
    put(definition("RETIRED", state="retired")),
    put(definition("OTHERS", programme="OTHER")),
    put(definition("PAST", validity={"on": "2026-11-21"})),
    put(definition("SHORT", validity={"days": 0})),
    put(definition("NOTHING", state="retired", programme="OTHER", validity={"on": "2026-11-21"})),
    put(definition("OTHERS_PAST", programme="OTHER", validity={"on": "2026-11-21"})),
)
EXISTS = "there is a voucher with this serial already"
BEFORE_VALID = "it would expire at 2026-11-23T10:00:01.123Z, before it is valid"
PAST_END = "it would have expired at 2026-11-22T00:00:00.000Z"


@pytest.mark.parametrize(
    ("operation", "code", "detail"),
    [
        (bought("v", "NONE"), "definition_unknown", "there is no voucher definition NONE"),
        (bought("there", "NONE"), "definition_unknown", "there is no voucher definition NONE"),
        (bought("v", "RETIRED"), "definition_retired", "RETIRED is retired"),
        (bought("there", "NOTHING"), "definition_retired", "NOTHING is retired"),
        (bought("v", "OTHERS"), "programme_mismatch", "OTHERS belongs to the programme OTHER"),
        (bought("there", "OTHERS_PAST"), "programme_mismatch", "OTHERS_PAST belongs to the programme OTHER"),
        (bought("there"), "serial_in_use", EXISTS),
        (bought("there", "PAST"), "serial_in_use", EXISTS),
        (bought("v", "PAST"), "expiry_in_past", PAST_END),
        (bought("v", "PAST", validFrom=T0 + DAY), "expiry_in_past", PAST_END),
        (bought("v", expiresAt=T0), "expiry_in_past", "it would have expired at 2026-11-22T10:00:01.123Z"),
        (bought("v", expiresAt=T0 + DAY, validFrom=T0 + DAY), "expiry_before_activation", BEFORE_VALID),
        (
            bought("v", "SHORT", validFrom=T0 + DAY),
            "expiry_before_activation",
            "it would expire at 2026-11-23T00:00:00.000Z, before it is valid",
        ),
        (
            bought("v", use=True, validFrom=T0 + DAY),
            "voucher_not_yet_valid",
            "the voucher is valid from 2026-11-23T10:00:01.123Z",
        ),
    ],
)
def test_what_cannot_be_bought_is_refused_in_this_order(operation: Any, code: str, detail: str) -> None:
    given(*SOLD, there("there")).when(executing(operation)).then(refused(code, "/bought/0", detail))


THEIRS = {"account": OTHER, "account_number": OTHER_NUMBER}
FOREIGN = ("voucher_foreign", "the voucher belongs to another account")
VOID = ("voucher_void", "the voucher was made void")
REDEEMED = ("voucher_redeemed", "the voucher has been redeemed already")
EXPIRED = ("voucher_expired", "the voucher has expired")
NOT_YET = ("voucher_not_yet_valid", "the voucher is valid from 2026-12-03T10:00:01.123Z")
OF_NONE = ("programme_mismatch", "the voucher belongs to no programme")
OF_LOY = ("programme_mismatch", "the voucher belongs to the programme LOY")
UNTIL = {"expires_at": T0 + DAY}
FROM = {"valid_from": LATER + DAY}


@pytest.mark.parametrize(
    ("vouchers", "why"),
    [
        ((), ("voucher_unknown", "there is no voucher with this serial")),
        ((there("v", ANY, **THEIRS, **FROM), voided("v", 2, ANY, **THEIRS)), FOREIGN),
        ((there("v", ANY, **THEIRS, **UNTIL),), FOREIGN),
        ((there("v", ANY, **FROM), voided("v", 2, ANY)), VOID),
        ((there("v", ANY, **UNTIL), redeemed("v", 2, ANY)), REDEEMED),
        ((there("v", ANY, **UNTIL),), EXPIRED),
        ((there("v", ANY, **UNTIL), expired("v", 2, ANY, occurred_at=T0 + DAY, booked_at=T0 + DAY)), EXPIRED),
        ((there("v", ANY, **FROM),), NOT_YET),
        ((there("v", ANY),), OF_NONE),
    ],
)
@pytest.mark.parametrize("void", [False, True])
def test_of_several_faults_the_first_in_the_order_of_the_rules_is_told(
    void: bool, vouchers: tuple[Booked, ...], why: tuple[str, str]
) -> None:
    code, detail = OF_NONE if void and why is NOT_YET else why
    payload = executing(used("v", void=void), deadline=LATER)
    given(*DECLARED, *vouchers).when(payload, LATER).then(*at(LATER, refused(code, "/used/0", detail)))


@pytest.mark.parametrize(
    ("of", "programme", "why"), [(OWN, None, OF_LOY), (OWN, "ELSE", OF_LOY), (ANY, "LOY", OF_NONE)]
)
def test_a_voucher_is_used_in_its_own_programme_alone(of: Any, programme: str | None, why: tuple[str, str]) -> None:
    when = given(*DECLARED, there("v", of)).when(executing(used("v", programme)))
    when.then(refused(why[0], "/used/0", why[1]))


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [({}, {}, REDEEMED), ({"void": True}, {}, VOID), ({}, {"void": True}, REDEEMED)],
)
def test_the_same_serial_twice_in_a_transaction_is_refused(first: Any, second: Any, why: tuple[str, str]) -> None:
    payload = executing(used("v", **first), used("v", operation=1, **second))
    given(*DECLARED, there("v")).when(payload).then(refused(why[0], "/used/1", why[1]))

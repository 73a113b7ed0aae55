"""A voucher's life: issued, for a threshold or by hand, voided, expired, usable again (rules 4.1.11, 4.1.13, 4.3)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.vouchers import (
    BookVoucherDue,
    DefinitionPut,
    PutDefinition,
    VoidVoucher,
    VoucherExpired,
    VoucherIssued,
    VoucherRefusal,
    VoucherState,
)
from services.voucher.decider import DECIDER
from services.voucher.state import voucher_stream
from services.voucher.waking import wake
from shared.ids import new_id
from tests.unit.voucher.world import (
    ACCOUNT,
    DAY,
    NUMBER,
    OTHER,
    OWN,
    STORE,
    T0,
    TRANSACTION,
    World,
    bought,
    definition,
    executing,
    given,
    issuing,
    reversing,
    threshold,
    used,
)

LATER = T0 + 100 * DAY
ISSUED, REDEEMED, VOID, EXPIRED = VoucherState.ISSUED, VoucherState.REDEEMED, VoucherState.VOID, VoucherState.EXPIRED
due = BookVoucherDue(serial_id="v")
void = VoidVoucher(serial_id="v", reason="stolen")


# ── definitions ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_definition_has_versions_and_an_equal_one_changes_nothing() -> None:
    world = World().when(PutDefinition(definition=OWN)).then("definition_put")
    assert world.accepted.result == {"voucher": "OWN", "version": 1}
    world.when(PutDefinition(definition=OWN)).then()
    other = definition(programme=None, titles={"en": "new"})
    event = world.when(PutDefinition(definition=other)).event(0)
    assert event == DefinitionPut(definition=other, version=2, booked_at=T0)


def test_a_definition_is_addressed_by_its_code() -> None:
    world = World().when(PutDefinition(definition=OWN), subject="ELSE")
    world.refused(VoucherRefusal.DEFINITION_MISMATCH, "/definition/code")


def test_vouchers_keep_what_they_were_issued_with() -> None:
    world = given(definition(validity={"days": 10})).when(issuing("v"))
    before = world.voucher("v")
    changed = definition(titles={"nl": "anders"}, defaultLanguage="nl", programme=None, state="retired")
    after = world.when(PutDefinition(definition=changed))
    assert after.voucher("v") == before
    after.when(executing(used("v"))).decided("executed")


# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_by_hand_to_an_account() -> None:
    world = given().when(issuing("v", validFrom=T0 + DAY, expiresAt=T0 + 9 * DAY)).then("issued")
    event = world.event(0)
    assert isinstance(event, VoucherIssued)
    assert (event.account, event.account_number, event.transaction_id, event.reason) == (
        ACCOUNT,
        NUMBER,
        "01936f2e-7c00-7000-8000-000000000001",
        "hand",
    )
    assert world.accepted.result == {
        "serialId": "v",
        "voucherId": "OWN",
        "validFrom": "2026-11-23T10:00:01.123Z",
        "expiresAt": "2026-12-01T10:00:01.123Z",
    }


@pytest.mark.parametrize(
    ("payload", "subject", "code", "pointer"),
    [
        (issuing("v", account=None), None, "bearer_not_allowed", "/account"),
        (issuing("v", accountNumber=None), None, "account_mismatch", "/account"),
        (issuing("v", account=None, accountNumber="1"), None, "account_mismatch", "/account"),
        (issuing("v"), OTHER, "account_mismatch", "/account"),
        (issuing("v", "ANY", account=None), "w", "account_mismatch", "/account"),
        (issuing("v", "NONE"), None, "definition_unknown", "/voucherId"),
        (issuing("v", "RETIRED"), None, "definition_retired", "/voucherId"),
        (issuing("there"), None, "serial_in_use", "/serialId"),
        (issuing("v", expiresAt=T0), None, "expiry_in_past", "/expiresAt"),
        (issuing("v", validFrom=T0 + DAY, expiresAt=T0 + DAY), None, "expiry_before_activation", "/expiresAt"),
    ],
)
def test_by_hand_refused(payload: Any, subject: str | None, code: str, pointer: str) -> None:
    world = given(OWN, definition("ANY", programme=None, bearer=True), definition("RETIRED", state="retired"))
    world.when(issuing("there")).when(payload, subject=subject).refused(VoucherRefusal(code), pointer)


def test_a_serial_is_never_used_again() -> None:
    world = given().when(issuing("v")).when(void)
    world.when(issuing("v")).refused(VoucherRefusal.SERIAL_IN_USE, "/serialId")


def test_only_what_is_issued_can_be_voided() -> None:
    world = given().when(issuing("v", expiresAt=LATER))
    world.when(void).then("voided").is_("v", VOID).when(void).refused(VoucherRefusal.VOUCHER_VOID, "/serialId")
    world.when(void, LATER).refused(VoucherRefusal.VOUCHER_EXPIRED, "/serialId")
    world.when(executing(used("v"))).when(void).refused(VoucherRefusal.VOUCHER_REDEEMED, "/serialId")
    given().when(void).refused(VoucherRefusal.VOUCHER_UNKNOWN, "/serialId")


# ── thresholds ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_threshold_issues_by_what_is_pinned_then_declared_then_the_code() -> None:
    mine = definition("PINNED", programme=None, validity={"days": 0})
    world = given().when(threshold(("a", "PINNED"), ("b", "OWN"), ("c", "NEVER"), definitions=(mine,)))
    world.then("issued", "issued", "issued")
    pinned, declared, bare = (event for event in world.life() if isinstance(event, VoucherIssued))
    assert (pinned.definition_version, pinned.programme, pinned.expires_at) == (
        0,
        None,
        datetime(2026, 11, 23, tzinfo=UTC),
    )
    assert (declared.definition_version, declared.programme, declared.expires_at) == (1, "LOY", None)
    assert (bare.definition_version, bare.programme, bare.titles, bare.expires_at) == (0, "LOY", {"und": "NEVER"}, None)
    assert {(event.cost, event.unit, event.paid_in) for event in (pinned, declared, bare)} == {(2500, "points", "LOY")}


def test_a_threshold_is_never_refused() -> None:
    world = given(definition(state="retired", validity={"on": "2026-01-31"})).when(threshold(("a", "OWN")))
    assert world.voucher("a").expires_at is None
    assert world.when(threshold(("a", "OWN")), command_id=new_id()).then().accepted.memo is None
    taken = given().when(issuing("a", account=OTHER)).when(threshold(("a", "OWN"), ("b", "OWN"))).then("issued")
    assert taken.accepted.memo == "other vouchers have these serials: a"


# ── expiry ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_expiry_is_booked_once_at_the_first_instant_after() -> None:
    world = given().when(issuing("v", expiresAt=T0 + DAY))
    world.when(due, T0 + DAY - timedelta(milliseconds=1)).then()
    late = world.when(due, T0 + 3 * DAY, "c").then("expired").is_("v", EXPIRED)
    event = late.event(0)
    assert isinstance(event, VoucherExpired)
    assert (event.operation, event.occurred_at, event.booked_at) == (-1, T0 + DAY, T0 + 3 * DAY)
    assert (event.transaction_id, event.reason) == ("c", None)
    late.when(due, T0 + 4 * DAY).then()


def test_what_is_used_or_unknown_does_not_expire() -> None:
    world = given().when(issuing("v", expiresAt=T0 + DAY)).when(executing(used("v")))
    world.when(due, LATER).then()
    World().when(due, LATER).then()


@pytest.mark.parametrize(("account", "subject"), [(ACCOUNT, ACCOUNT), (None, "V")])
def test_the_sweep_wakes_what_can_expire(account: str | None, subject: str) -> None:
    world = given().when(issuing("v", "ANY", account=account, expiresAt=T0 + DAY))
    stream = voucher_stream(STORE, "v")
    document = DECIDER.dump_state(world.states[stream])
    assert document["due_at"] == T0 + DAY
    woken = wake(stream, document)
    assert woken is not None
    assert (woken.type, woken.subject, woken.payload) == ("voucher.book_due.v1", subject, {"serialId": "v"})
    after = world.when(due, LATER)
    assert DECIDER.dump_state(after.states[stream])["due_at"] is None


# ── reversal ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_redeemed_voucher_is_usable_again() -> None:
    world = given().when(issuing("v")).when(executing(used("v")))
    back = world.when(reversing(("v",)), LATER).then("restored", "reversal_executed").decided("executed")
    assert back.voucher("v").expires_at is None
    assert back.event(0).reason == "sent back"
    again = back.when(executing(used("v"), transaction=new_id(), deadline=LATER), LATER)
    again.decided("executed").is_("v", REDEEMED)


@pytest.mark.parametrize(
    ("expires_at", "grace_days", "until"),
    [
        (T0 + DAY, 30, datetime(2027, 4, 2, tzinfo=UTC)),
        (T0 + DAY, 0, datetime(2027, 3, 3, tzinfo=UTC)),
        (T0 + 300 * DAY, 30, T0 + 300 * DAY),
    ],
)
def test_it_is_usable_for_the_grace_at_least(expires_at: datetime, grace_days: int, until: datetime) -> None:
    world = given().when(issuing("v", expiresAt=expires_at)).when(executing(used("v")))
    back = world.when(reversing(("v",), grace_days=grace_days), LATER)
    assert back.voucher("v").expires_at == until
    back.when(due, until).then("expired").when(due, until + DAY).then()


def test_what_was_bought_and_not_used_is_voided() -> None:
    world = given().when(executing(bought("v")))
    world.when(reversing(purchased=("v",))).then("voided", "reversal_executed").is_("v", VOID)


def test_what_was_bought_and_used_at_once_is_voided() -> None:
    world = given().when(executing(bought("v", use=True)))
    world.when(reversing(purchased=("v",))).then("restored", "voided", "reversal_executed").is_("v", VOID)


def test_what_was_bought_and_used_otherwise_refuses_all() -> None:
    world = given().when(issuing("mine")).when(executing(bought("v"), used("mine")))
    used_ = world.when(executing(used("v"), transaction=new_id()))
    refused = used_.when(reversing(("mine",), ("v",))).then("reversal_refused")
    refused.decided("refused", "voucher_used", "/purchased/0").is_("v", REDEEMED).is_("mine", REDEEMED)


def test_what_was_bought_and_has_expired_or_was_voided_stays_so() -> None:
    world = given().when(executing(bought("v", expiresAt=T0 + DAY)))
    world.when(reversing(purchased=("v",)), LATER).then("expired", "reversal_executed").is_("v", EXPIRED)
    world.when(due, LATER).when(reversing(purchased=("v",)), LATER).then("reversal_executed").is_("v", EXPIRED)
    world.when(void).when(reversing(purchased=("v",)), LATER).then("reversal_executed").is_("v", VOID)


@pytest.mark.parametrize(
    ("payload", "code", "pointer"),
    [
        (reversing(("none",)), "voucher_unknown", "/redeemed/0"),
        (reversing(purchased=("none",)), "voucher_unknown", "/purchased/0"),
        (reversing(("v", "unused")), "voucher_used", "/redeemed/1"),
        (reversing(("v",), transaction="another"), "voucher_used", "/redeemed/0"),
        (reversing(("v", "v")), "voucher_used", "/redeemed/1"),
    ],
)
def test_reversals_refused(payload: Any, code: str, pointer: str) -> None:
    world = given().when(issuing("v")).when(issuing("unused")).when(executing(used("v")))
    world.when(payload).decided("refused", code, pointer).is_("v", REDEEMED)
    assert world.voucher("v").redeemed_in == TRANSACTION

"""Voiding by hand, expiry, and what the sweep asks for (rules 4.3.1)."""

from datetime import UTC, datetime

import pytest

from schemas.movements import Source
from schemas.vouchers import BookVoucherDue, VoidVoucher
from services.voucher.decider import DECIDER
from services.voucher.waking import wake
from shared.decider import Document
from tests.unit.voucher.events import BY_HAND, TO_BEARER, expired, redeemed, there, voided
from tests.unit.voucher.world import ACCOUNT, ANY, DAY, INSTANT, T0, Booked, given

DUE = BookVoucherDue(serial_id="v")
VOID = VoidVoucher(serial_id="v", reason="stolen")
LATER = T0 + 100 * DAY


# ── voiding ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("owner", [{}, TO_BEARER])
def test_a_usable_voucher_is_voided_whoever_owns_it(owner: Document) -> None:
    context = {"shopId": "12", "operatorId": "7", "comment": "seen in a forum", "occurredAt": "2026-11-22T09:00:00Z"}
    payload = VoidVoucher.model_validate({"serialId": "v", "reason": "stolen", "context": context})
    when = given(there("v", **owner)).when(payload)
    at = datetime(2026, 11, 22, 9, tzinfo=UTC)
    said = {"reason": "stolen", "source": Source(shop="12", operator="7"), "occurred_at": at}
    when.then(voided("v", **{**BY_HAND, **said}, **owner)).answers(serialId="v")
    assert when.accepted.memo == "seen in a forum"


def test_a_voucher_that_is_not_valid_yet_can_be_voided() -> None:
    given(there("v", valid_from=T0 + DAY)).when(VOID).then(voided("v", **{**BY_HAND, "reason": "stolen"}))


@pytest.mark.parametrize(
    ("before", "code", "detail"),
    [
        ((), "voucher_unknown", "there is no voucher with this serial"),
        ((there("v"), voided("v")), "voucher_void", "the voucher was made void"),
        ((there("v"), redeemed("v")), "voucher_redeemed", "the voucher has been redeemed already"),
        ((there("v", expires_at=T0),), "voucher_expired", "the voucher has expired"),
        ((there("v", expires_at=T0), expired("v", occurred_at=T0)), "voucher_expired", "the voucher has expired"),
    ],
)
def test_what_is_not_usable_cannot_be_voided(before: tuple[Booked, ...], code: str, detail: str) -> None:
    given(*before).when(VOID).refused(code, "/serialId", detail)


# ── expiry ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_expiry_is_booked_late_and_occurred_when_it_was_due() -> None:
    when = given(there("v", expires_at=T0 + DAY)).when(DUE, T0 + 3 * DAY)
    when.then(expired("v", occurred_at=T0 + DAY, booked_at=T0 + 3 * DAY)).answers(serialId="v")


def test_an_expiry_is_due_from_its_very_instant() -> None:
    world = given(there("v", expires_at=T0 + DAY))
    world.when(DUE, T0 + DAY - INSTANT).then()
    world.when(DUE, T0 + DAY).then(expired("v", occurred_at=T0 + DAY, booked_at=T0 + DAY))


@pytest.mark.parametrize(
    "before",
    [
        (),
        (there("v"),),
        (there("v", expires_at=T0), expired("v", occurred_at=T0)),
        (there("v", expires_at=T0 + DAY), redeemed("v")),
        (there("v", expires_at=T0 + DAY), voided("v")),
    ],
)
def test_what_has_expired_or_was_used_or_cannot_expire_is_not_booked_again(before: tuple[Booked, ...]) -> None:
    given(*before).when(DUE, LATER).then().answers(serialId="v")


@pytest.mark.parametrize(("owner", "subject"), [({}, ACCOUNT), (TO_BEARER, "V")])
def test_the_sweep_wakes_what_can_expire(owner: Document, subject: str) -> None:
    stream, event = there("v", ANY, **owner, expires_at=T0 + DAY)
    document = DECIDER.dump_state(given((stream, event)).states[stream])
    assert document["due_at"] == T0 + DAY
    woken = wake(stream, document)
    assert woken is not None
    assert (woken.type, woken.subject, woken.payload) == ("voucher.book_due.v1", subject, {"serialId": "v"})
    after = given((stream, event)).when(DUE, LATER)
    assert DECIDER.dump_state(after.states[stream])["due_at"] is None

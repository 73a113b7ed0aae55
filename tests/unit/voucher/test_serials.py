"""Serials compare without case; vouchers from before they did are found, used, given back and expired as they are."""

import pytest

from schemas.serials import stream_names
from schemas.vouchers import BookVoucherDue, VoidVoucher, VoucherRefusal, VoucherState
from services.voucher.decider import DECIDER
from services.voucher.state import Voucher, voucher_stream
from services.voucher.waking import wake
from tests.unit.voucher.world import DAY, STORE, T0, World, executing, given, issuing, reversing, used


def from_before(*serials: str) -> World:
    """Vouchers on streams that have their serials as they were written, as all had."""
    world = given()
    for serial in serials:
        issued = given().when(issuing(serial, expiresAt="2027-01-01T00:00:00Z"))
        world.states[f"voucher/{STORE}/{serial}"] = issued.states[voucher_stream(STORE, serial)]
    return world


def voucher_on(world: World, name: str) -> Voucher:
    found = world.states[f"voucher/{STORE}/{name}"]
    assert isinstance(found, Voucher)
    return found


def test_one_serial_is_one_voucher_whatever_its_case() -> None:
    world = given().when(issuing("Summer-26"))
    assert [*filter(lambda name: name.startswith("voucher/"), world.states)] == [f"voucher/{STORE}/SUMMER-26"]
    for serial in ("SUMMER-26", "summer-26", "Summer-26"):
        world.when(issuing(serial)).refused(VoucherRefusal.SERIAL_IN_USE, "/serialId")
    redeemed = world.when(executing(used("sUMMER-26"))).then("redeemed", "transaction_executed")
    assert {event.serial_id for event in redeemed.life()} == {"Summer-26"}
    (done,) = redeemed.told.payload["redeemed"]
    assert done["serialId"] == "Summer-26", "it is shown as it was issued"
    twice = world.when(executing(used("Summer-26"), used("SUMMER-26", operation=1)))
    twice.decided("refused", "voucher_redeemed", "/used/1")


@pytest.mark.parametrize("stored", ["abc-1", "ABC-1", "aBc-1"])
def test_a_voucher_from_before_is_found_as_it_was_written(stored: str) -> None:
    world = from_before(stored)
    redeemed = world.when(executing(used(stored), transaction="T2")).then("redeemed", "transaction_executed")
    assert voucher_on(redeemed, stored).state is VoucherState.REDEEMED
    back = redeemed.when(reversing((stored,), transaction="T2")).then("restored", "reversal_executed")
    wanted = wake(f"voucher/{STORE}/{stored}", DECIDER.dump_state(voucher_on(back, stored)))
    assert wanted is not None
    expired = back.when(BookVoucherDue.model_validate(wanted.payload), now=T0 + 400 * DAY).then("expired")
    assert voucher_on(expired, stored).state is VoucherState.EXPIRED


@pytest.mark.parametrize("stored", ["abc-1", "ABC-1"])
@pytest.mark.parametrize("written", ["abc-1", "ABC-1", "Abc-1"])
def test_a_voucher_from_before_in_one_case_is_found_in_any(stored: str, written: str) -> None:
    world = from_before(stored)
    world.when(issuing(written)).refused(VoucherRefusal.SERIAL_IN_USE, "/serialId")
    void = world.when(VoidVoucher(serial_id=written, reason="lost")).then("voided")
    assert void.accepted.result == {"serialId": stored}
    assert voucher_on(void, stored).state is VoucherState.VOID


def test_two_from_before_that_differ_in_case_stay_two() -> None:
    world = from_before("abc-1", "ABC-1")
    void = world.when(VoidVoucher(serial_id="abc-1", reason="lost")).then("voided")
    assert voucher_on(void, "abc-1").state is VoucherState.VOID
    assert voucher_on(void, "ABC-1").state is VoucherState.ISSUED
    void.when(executing(used("ABC-1"))).then("redeemed", "transaction_executed")


def test_digits_are_looked_for_once() -> None:
    assert stream_names("6666160395443995410") == ("6666160395443995410",)

"""Serials compare without case; vouchers from before they did are found, used, given back and expired as they are."""

import pytest

from schemas.serials import stream_names
from schemas.vouchers import BookVoucherDue, VoidVoucher
from services.voucher.decider import DECIDER
from services.voucher.waking import wake
from tests.unit.voucher.commands import executing, issuing, reversing, used
from tests.unit.voucher.events import (
    BY_HAND,
    DECLARED,
    at,
    done,
    executed,
    expired,
    redeemed,
    refused,
    restored,
    reversed_,
    there,
    voided,
)
from tests.unit.voucher.world import DAY, STORE, T0, Booked, given

IN_USE = ("serial_in_use", "/serialId", "there is a voucher with this serial already")
UNTIL = T0 + 40 * DAY


def as_written(booked: Booked) -> Booked:
    """On the stream that has the serial as it was written, as all had once."""
    event = booked[1]
    return f"voucher/{STORE}/{getattr(event, 'serial_id')}", event  # noqa: B009 - of a life event


@pytest.mark.parametrize("written", ["SUMMER-26", "summer-26", "Summer-26", "sUMMER-26"])
def test_one_serial_is_one_voucher_whatever_its_case(written: str) -> None:
    world = given(*DECLARED, there("Summer-26"))
    world.when(issuing(written)).refused(*IN_USE)
    when = world.when(executing(used(written)))
    when.then(
        ("voucher/main/SUMMER-26", redeemed("Summer-26")[1]),
        executed(redeemed=(done("Summer-26"),)),
    )
    twice = world.when(executing(used("Summer-26"), used(written, operation=1)))
    twice.then(refused("voucher_redeemed", "/used/1", "the voucher has been redeemed already"))


@pytest.mark.parametrize("stored", ["abc-1", "ABC-1", "aBc-1"])
def test_a_voucher_from_before_is_used_given_back_and_expired_on_its_own_stream(stored: str) -> None:
    stream = f"voucher/{STORE}/{stored}"
    world = given(*DECLARED, as_written(there(stored, expires_at=UNTIL)))
    used_ = world.when(executing(used(stored)))
    used_.then(as_written(redeemed(stored)), executed(redeemed=(done(stored),)))
    back = used_.when(reversing((stored,), grace_days=0))
    back.then(as_written(restored(stored, expires_at=UNTIL)), reversed_(restored=(done(stored),)))
    wanted = wake(stream, DECIDER.dump_state(back.states[stream]))
    assert wanted is not None
    when = back.when(BookVoucherDue.model_validate(wanted.payload), UNTIL)
    when.then(*at(UNTIL, as_written(expired(stored, 4))))


@pytest.mark.parametrize("stored", ["abc-1", "ABC-1"])
@pytest.mark.parametrize("written", ["abc-1", "ABC-1", "Abc-1"])
def test_a_voucher_from_before_in_one_case_is_found_in_any(stored: str, written: str) -> None:
    world = given(*DECLARED, as_written(there(stored)))
    world.when(issuing(written)).refused(*IN_USE)
    when = world.when(VoidVoucher(serial_id=written, reason="hand"))
    when.then(as_written(voided(stored, **BY_HAND))).answers(serialId=stored)


def test_two_from_before_that_differ_in_case_stay_two() -> None:
    world = given(*DECLARED, as_written(there("abc-1")), as_written(there("ABC-1")))
    void = world.when(VoidVoucher(serial_id="abc-1", reason="hand"))
    void.then(("voucher/main/abc-1", voided("abc-1", **BY_HAND)[1]))
    when = void.when(executing(used("ABC-1")))
    when.then(("voucher/main/ABC-1", redeemed("ABC-1")[1]), executed(redeemed=(done("ABC-1"),)))


def test_digits_are_looked_for_once() -> None:
    assert stream_names("6666160395443995410") == ("6666160395443995410",)

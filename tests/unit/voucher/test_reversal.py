"""Reversals: redeemed vouchers are usable again, bought ones are voided, all or nothing (rules 4.1.13)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.vouchers import BookVoucherDue
from tests.unit.voucher.commands import executing, reversing, used
from tests.unit.voucher.events import (
    BOUGHT,
    DECLARED,
    IN_REVERSAL,
    at,
    done,
    executed,
    expired,
    issued,
    not_reversed,
    redeemed,
    restored,
    reversed_,
    there,
    voided,
)
from tests.unit.voucher.world import (
    ACCOUNT,
    DAY,
    EARLIER_ID,
    LATER_ID,
    LATER_TRANSACTION,
    OWN,
    REVERSAL,
    T0,
    TRANSACTION,
    Booked,
    given,
)

LATER = T0 + 100 * DAY
CLOSES = "points.close_reversal.v1"
OWNED = {"voucherId": "OWN", "programme": "LOY"}
USED_ELSEWHERE = ("voucher_used", "the voucher is not redeemed by this transaction any more")
NO_SERIAL = ("voucher_unknown", "there is no voucher with this serial")


def test_redemptions_are_undone_then_purchases_in_one_step() -> None:
    world = given(*DECLARED, there("mine"), redeemed("mine"), issued("a", **BOUGHT), issued("b", **BOUGHT))
    when = world.when(reversing(("mine",), ("a", "b")))
    when.then(
        restored("mine", 3, operation=0),
        voided("a", 2, **IN_REVERSAL, operation=0),
        voided("b", 2, **IN_REVERSAL, operation=1),
        reversed_(restored=(done("mine"),), voided=(done("a"), done("b", 1))),
    )
    when.answers(transactionId=TRANSACTION, reversalId=REVERSAL, decision="executed")
    when.tells(
        CLOSES,
        REVERSAL,
        snapshots=True,
        reversalId=REVERSAL,
        transactionId=TRANSACTION,
        account=ACCOUNT,
        decision="executed",
        restored=[{"operation": 0, "serialId": "mine", **OWNED}],
        voided=[{"operation": 0, "serialId": "a", **OWNED}, {"operation": 1, "serialId": "b", **OWNED}],
    )


@pytest.mark.parametrize(
    ("expires_at", "grace_days", "until"),
    [
        (None, 30, None),
        (T0 + DAY, 30, datetime(2027, 4, 2, tzinfo=UTC)),
        (T0 + DAY, 0, datetime(2027, 3, 3, tzinfo=UTC)),
        (T0 + 300 * DAY, 30, T0 + 300 * DAY),
    ],
)
def test_a_redeemed_voucher_is_usable_again_for_the_grace_at_least(
    expires_at: datetime | None, grace_days: int, until: datetime | None
) -> None:
    world = given(*DECLARED, there("v", expires_at=expires_at), redeemed("v"))
    back = world.when(reversing(("v",), grace_days=grace_days), LATER)
    back.then(*at(LATER, restored("v", expires_at=until), reversed_(restored=(done("v"),))))
    if until is not None:
        due = back.when(BookVoucherDue(serial_id="v"), until)
        due.then(*at(until, expired("v", 4)))


def test_a_voucher_that_is_usable_again_can_be_redeemed_again() -> None:
    world = given(*DECLARED, there("v"), redeemed("v", transaction_id=EARLIER_ID), restored("v"))
    world.when(executing(used("v"))).then(redeemed("v", 4), executed(redeemed=(done("v"),)))


def test_a_voucher_that_was_bought_and_used_at_once_is_voided() -> None:
    when = given(*DECLARED, issued("v", **BOUGHT), redeemed("v")).when(reversing(purchased=("v",)))
    when.then(restored("v", 3), voided("v", 4, **IN_REVERSAL), reversed_(voided=(done("v"),)))


def test_a_voucher_that_was_bought_and_is_over_is_booked_as_expired() -> None:
    when = given(*DECLARED, issued("v", **BOUGHT, expires_at=T0 + DAY)).when(reversing(purchased=("v",)), LATER)
    over = expired("v", 2, transaction_id=REVERSAL, occurred_at=T0 + DAY, booked_at=LATER)
    when.then(over, *at(LATER, reversed_(voided=(done("v"),))))


@pytest.mark.parametrize("ended", [expired("v", 2, occurred_at=T0 + DAY, booked_at=T0 + DAY), voided("v")])
def test_a_voucher_that_was_bought_and_has_expired_or_was_voided_stays_so(ended: Booked) -> None:
    world = given(*DECLARED, issued("v", **BOUGHT, expires_at=T0 + DAY), ended)
    world.when(reversing(purchased=("v",)), LATER).then(*at(LATER, reversed_(voided=(done("v"),))))


@pytest.mark.parametrize(
    ("payload", "pointer", "why"),
    [
        (reversing(("none",)), "/redeemed/0", NO_SERIAL),
        (reversing(purchased=("none",)), "/purchased/0", NO_SERIAL),
        (reversing(("v", "unused")), "/redeemed/1", USED_ELSEWHERE),
        (reversing(("v",), transaction=LATER_TRANSACTION), "/redeemed/0", USED_ELSEWHERE),
        (reversing(("v", "v")), "/redeemed/1", USED_ELSEWHERE),
        (reversing(("v",), ("used later",)), "/purchased/0", ("voucher_used", "the voucher has been used")),
    ],
)
def test_what_cannot_be_undone_refuses_all(payload: Any, pointer: str, why: tuple[str, str]) -> None:
    later = redeemed("used later", 2, transaction_id=LATER_TRANSACTION)
    vouchers = (there("v"), redeemed("v"), there("unused"), issued("used later", **BOUGHT), later)
    when = given(*DECLARED, *vouchers).when(payload)
    transaction = payload.transaction_id
    when.then(not_reversed(why[0], pointer, why[1], transaction_id=transaction))
    when.answers(transactionId=transaction, reversalId=REVERSAL, decision="refused")
    when.tells(
        CLOSES,
        REVERSAL,
        snapshots=False,
        reversalId=REVERSAL,
        transactionId=transaction,
        account=ACCOUNT,
        decision="refused",
        code=why[0],
        detail=why[1],
        pointer=pointer,
        restored=[],
        voided=[],
    )


DECIDED = [reversed_(voided=(done("v"),)), not_reversed(NO_SERIAL[0], "/redeemed/0", NO_SERIAL[1])]


@pytest.mark.parametrize("decided", DECIDED)
@pytest.mark.parametrize("later", [reversing(purchased=("v",)), reversing(("v",)), reversing(("none",))])
def test_the_first_decision_on_a_reversal_is_final_and_a_repeat_is_told_it_again(decided: Booked, later: Any) -> None:
    when = given(*DECLARED, issued("v", **BOUGHT), redeemed("v"), decided).when(later, LATER, LATER_ID).then()
    event: Any = decided[1]
    executed_ = event.type == "voucher.reversal_executed.v1"
    decision = "executed" if executed_ else "refused"
    when.answers(transactionId=TRANSACTION, reversalId=REVERSAL, decision=decision)
    part = [{"operation": 0, "serialId": "v", **OWNED}]
    more: Any = {"voided": part} if executed_ else {"voided": [], "code": event.code, "detail": event.detail}
    more |= {} if executed_ else {"pointer": event.pointer}
    said: Any = {"reversalId": REVERSAL, "transactionId": TRANSACTION, "account": ACCOUNT, "decision": decision}
    when.tells(CLOSES, REVERSAL, False, **said, restored=[], **more)


def test_a_reversal_leaves_the_decision_on_the_transaction_as_it_was() -> None:
    booked = (issued("v", **BOUGHT), executed(issued=()))
    when = given(*DECLARED, *booked).when(reversing(purchased=("v",)))
    when.then(voided("v", **IN_REVERSAL), reversed_(voided=(done("v", of=OWN),)))
    assert when.decision() == booked[1][1]

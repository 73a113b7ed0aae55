"""Transactions: in order, all or nothing, and the first decision is final (rules 4.2.1, 4.2.2)."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from schemas.vouchers import VoucherDefinition, VoucherState
from services.voucher.pivot import SNAPSHOTS_MAX
from shared.decider import Document
from tests.unit.voucher.commands import bought, cancelling, executing, used
from tests.unit.voucher.events import (
    BOUGHT,
    DECLARED,
    TO_BEARER,
    at,
    cancelled,
    done,
    executed,
    issued,
    redeemed,
    refused,
    sold,
    there,
    voided,
)
from tests.unit.voucher.world import (
    ACCOUNT,
    ANY,
    DAY,
    INSTANT,
    LATER_ID,
    OTHER,
    OWN,
    T0,
    TRANSACTION,
    Booked,
    given,
)

LATER = T0 + 10 * DAY
NO_SERIAL = "there is no voucher with this serial"
CLOSES = "points.close_transaction.v1"


def test_purchases_then_redemptions_are_executed_in_order_in_one_step() -> None:
    world = given(*DECLARED, there("mine"), there("theirs", ANY, **TO_BEARER), there("old"))
    when = world.when(
        executing(
            bought("a", operation=0),
            bought("b", operation=1, use=True, expiresAt=LATER),
            used("mine", operation=2),
            used("theirs", None, operation=3),
            used("old", operation=4, void=True),
        )
    )
    when.then(
        issued("a", **BOUGHT, operation=0),
        issued("b", **BOUGHT, operation=1, expires_at=LATER),
        redeemed("b", 2, operation=1),
        redeemed("mine", 2, operation=2),
        redeemed("theirs", 2, ANY, operation=3, **TO_BEARER),
        voided("old", 2, operation=4),
        executed(
            issued=(sold("a"), sold("b", 1, expires_at=LATER, state=VoucherState.REDEEMED)),
            redeemed=(done("b", 1), done("mine", 2), done("theirs", 3, ANY)),
            voided=(done("old", 4),),
        ),
    )
    when.answers(transactionId=TRANSACTION, decision="executed")
    start, end = "2026-11-22T10:00:01.123Z", "2026-12-02T10:00:01.123Z"
    own = {"voucherId": "OWN", "programme": "LOY"}
    when.tells(
        CLOSES,
        TRANSACTION,
        snapshots=True,
        transactionId=TRANSACTION,
        account=ACCOUNT,
        decision="executed",
        issued=[
            {"operation": 0, "serialId": "a", **own, "validFrom": start, "state": "issued"},
            {"operation": 1, "serialId": "b", **own, "validFrom": start, "expiresAt": end, "state": "redeemed"},
        ],
        redeemed=[
            {"operation": 1, "serialId": "b", **own},
            {"operation": 2, "serialId": "mine", **own},
            {"operation": 3, "serialId": "theirs", "voucherId": "ANY"},
        ],
        voided=[{"operation": 4, "serialId": "old", **own}],
    )


def test_a_transaction_without_vouchers_is_executed() -> None:
    when = given(*DECLARED).when(executing()).then(executed())
    nothing: dict[str, Any] = {"issued": [], "redeemed": [], "voided": []}
    when.tells(CLOSES, TRANSACTION, False, transactionId=TRANSACTION, account=ACCOUNT, decision="executed", **nothing)


@pytest.mark.parametrize(("count", "snapshots"), [(SNAPSHOTS_MAX, True), (SNAPSHOTS_MAX + 1, False)])
def test_the_snapshots_of_a_large_transaction_come_by_their_topic_alone(count: int, snapshots: bool) -> None:
    when = given(*DECLARED).when(executing(*(bought(f"v{at}", operation=at) for at in range(count))))
    assert len(when.life()) == count
    assert when.told.snapshots is snapshots


@pytest.mark.parametrize(
    ("operations", "why"),
    [
        ((bought("a"), used("none", operation=7)), refused("voucher_unknown", "/used/7", NO_SERIAL)),
        (
            (bought("a"), bought("a", operation=1), used("none", operation=7)),
            refused("serial_in_use", "/bought/1", "there is a voucher with this serial already"),
        ),
        (
            (used("mine", operation=0), used("none", operation=1), used("other none", operation=2)),
            refused("voucher_unknown", "/used/1", NO_SERIAL),
        ),
    ],
)
def test_the_first_operation_that_fails_refuses_all(operations: tuple[Any, ...], why: Booked) -> None:
    when = given(*DECLARED, there("mine")).when(executing(*operations)).then(why)
    when.answers(transactionId=TRANSACTION, decision="refused")
    event: Any = why[1]
    when.tells(
        CLOSES,
        TRANSACTION,
        snapshots=False,
        transactionId=TRANSACTION,
        account=ACCOUNT,
        decision="refused",
        code=event.code,
        detail=event.detail,
        pointer=event.pointer,
        issued=[],
        redeemed=[],
        voided=[],
    )


def test_the_deadline_is_the_last_instant() -> None:
    world, payload = given(*DECLARED), executing(bought("a"), deadline=T0)
    world.when(payload, T0).then(issued("a", **BOUGHT), executed(issued=(sold("a"),)))
    late = refused("too_late", None, "the transaction's time was over before its vouchers were looked at")
    world.when(payload, T0 + INSTANT).then(*at(T0 + INSTANT, late))


def test_a_transaction_without_a_decision_is_cancelled() -> None:
    when = given(*DECLARED, there("v")).when(cancelling()).then(cancelled())
    when.answers(transactionId=TRANSACTION, decision="cancelled")
    nothing: dict[str, Any] = {"issued": [], "redeemed": [], "voided": []}
    when.tells(CLOSES, TRANSACTION, False, transactionId=TRANSACTION, account=ACCOUNT, decision="cancelled", **nothing)


FIRST = [
    (executing(bought("a")), (issued("a", **BOUGHT), executed(issued=(sold("a"),)))),
    (executing(used("v")), (refused("voucher_unknown", "/used/0", NO_SERIAL),)),
    (cancelling(), (cancelled(),)),
]


@pytest.mark.parametrize(("first", "decided"), FIRST)
@pytest.mark.parametrize("later", [executing(bought("b")), executing(used("v")), cancelling()])
def test_the_first_decision_is_final_and_a_repeat_is_told_it_again(
    first: Any, decided: tuple[Booked, ...], later: Any
) -> None:
    told = given(*DECLARED).when(first).accepted
    again = given(*DECLARED, *decided).when(later, LATER, LATER_ID).then().accepted
    assert again.result == told.result
    (repeat,), (original,) = again.follow_ups, told.follow_ups
    assert repeat == replace(original, snapshots=False)


# ── what is bought ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("of", "operation", "booked"),
    [
        (ANY, bought("v", "ANY"), issued("v", ANY, **BOUGHT)),
        (OWN, bought("v", expiresAt=T0 + DAY, validFrom=T0), issued("v", **BOUGHT, expires_at=T0 + DAY)),
        (
            OWN,
            bought("v", validFrom=T0 - DAY, expiresAt=T0 + DAY, cost=499, scale=2),
            issued("v", **{**BOUGHT, "cost": 499}, scale=2, valid_from=T0 - DAY, expires_at=T0 + DAY),
        ),
    ],
)
def test_a_purchase_issues_what_it_paid_for(of: VoucherDefinition, operation: Any, booked: Booked) -> None:
    event: Any = booked[1]
    part = sold("v", 0, of, valid_from=event.valid_from, expires_at=event.expires_at)
    given(*DECLARED).when(executing(operation)).then(booked, executed(issued=(part,)))


def test_a_purchase_that_is_used_at_once_may_be_valid_from_this_instant() -> None:
    when = given(*DECLARED).when(executing(bought("v", use=True, validFrom=T0)))
    part = sold("v", state=VoucherState.REDEEMED)
    when.then(issued("v", **BOUGHT), redeemed("v"), executed(issued=(part,), redeemed=(done("v"),)))


# ── who may use a voucher, and when ─────────────────────────────────────────────────────────────────────────────────


def test_a_voucher_of_a_number_that_leads_to_the_account_is_the_accounts() -> None:
    theirs: Document = {"account": OTHER, "account_number": "6300"}
    world = given(*DECLARED, there("v", **theirs))
    when = world.when(executing(used("v"), aliases=("else", OTHER)))
    when.then(redeemed("v", **theirs), executed(redeemed=(done("v"),)))
    foreign = refused("voucher_foreign", "/used/0", "the voucher belongs to another account")
    world.when(executing(used("v"), aliases=("else",))).then(foreign)


def test_a_bearer_voucher_is_used_by_whoever_comes_first() -> None:
    bearer = there("v", ANY, **TO_BEARER)
    when = given(*DECLARED, bearer).when(executing(used("v", None), account=OTHER))
    taken = redeemed("v", 2, ANY, redeemed_by=OTHER, **TO_BEARER)
    when.then(taken, executed(redeemed=(done("v", 0, ANY),), account=OTHER))
    late = given(*DECLARED, bearer, taken).when(executing(used("v", None)))
    late.then(refused("voucher_redeemed", "/used/0", "the voucher has been redeemed already"))


USED = (redeemed("v"), executed(redeemed=(done("v"),)))
EARLY = refused("voucher_not_yet_valid", "/used/0", "the voucher is valid from 2026-11-23T10:00:01.123Z")
OVER = refused("voucher_expired", "/used/0", "the voucher has expired")


@pytest.mark.parametrize(
    ("now", "booked"),
    [
        (T0 + DAY - INSTANT, (EARLY,)),
        (T0 + DAY, USED),
        (T0 + 2 * DAY - INSTANT, USED),
        (T0 + 2 * DAY, (OVER,)),
    ],
)
def test_a_voucher_is_usable_from_its_first_instant_to_before_its_end(
    now: datetime, booked: tuple[Booked, ...]
) -> None:
    world = given(*DECLARED, there("v", valid_from=T0 + DAY, expires_at=T0 + 2 * DAY))
    world.when(executing(used("v"), deadline=LATER), now).then(*at(now, *booked))


def test_a_voucher_that_is_not_valid_yet_can_be_voided_and_one_that_is_over_cannot() -> None:
    world = given(*DECLARED, there("v", valid_from=T0 + DAY, expires_at=T0 + 2 * DAY))
    void = executing(used("v", void=True), deadline=LATER)
    world.when(void).then(voided("v"), executed(voided=(done("v"),)))
    world.when(void, LATER).then(*at(LATER, OVER))

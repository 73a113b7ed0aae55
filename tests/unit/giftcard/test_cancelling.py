"""Cancelling the latest mutation of a gift card (rules 4.4.5)."""

from typing import Any

import pytest

from schemas.giftcards import CancelMutation, CardStatus
from tests.unit.giftcard.events import (
    ACTIVE,
    CREATED,
    REDEEMED,
    VOID,
    activated,
    awaited,
    cancelled,
    created,
    expired,
    issued,
    redeemed,
    refunded,
    voided,
)
from tests.unit.giftcard.test_loading import CONTEXT, activating, answered, issuing
from tests.unit.giftcard.test_redeeming import redeeming
from tests.unit.giftcard.world import CARD, COMMAND_ID, DAY, INSTANT, RELOAD, T0, Booked, World, given

OTHER_TILL = {**CONTEXT, "posId": "4"}
NOT_LATEST = (
    "not_latest_mutation",
    "/transactionId",
    "something else has happened to the gift card since, or the transaction was cancelled",
)
LATER = T0 + 3 * DAY


def cancelling(mutation: str, transaction: str | None = None, **more: Any) -> CancelMutation:
    named = {} if transaction is None else {"transactionId": transaction}
    return CancelMutation.model_validate({"cardId": CARD, "mutation": mutation, "context": CONTEXT, **named, **more})


LOADED = (created(), activated(2, CREATED, 2500, 2500, transaction_id="A"))
PAID = (issued(2500, transaction_id="I"), redeemed(2, 1000, 1500, transaction_id="R"))
USED_UP = (issued(2500, transaction_id="I"), redeemed(2, 2500, 0, transaction_id="R"))
RELOADED = (
    *(issued(2500, of=RELOAD, transaction_id="I"), redeemed(2, 2500, 0, of=RELOAD, transaction_id="R")),
    activated(3, REDEEMED, 1000, 1000, of=RELOAD, transaction_id="L"),
)


UNDONE: list[tuple[tuple[Booked, ...], str, str, int, CardStatus, CardStatus, int, int]] = [
    (LOADED, "activate", "A", 3, ACTIVE, CREATED, -2500, 0),
    (PAID, "redeem", "R", 3, ACTIVE, ACTIVE, 1000, 2500),
    (USED_UP, "redeem", "R", 3, REDEEMED, ACTIVE, 2500, 2500),
    ((issued(2500, transaction_id="I"),), "issue", "I", 2, ACTIVE, VOID, -2500, 0),
    (RELOADED, "activate", "L", 4, ACTIVE, REDEEMED, -1000, 0),
]


@pytest.mark.parametrize(("before", "kind", "named", "sequence", "old", "new", "delta", "balance"), UNDONE)
@pytest.mark.parametrize("by_name", [True, False])
def test_the_latest_mutation_is_undone_and_the_old_status_comes_back(
    before: tuple[Booked, ...],
    kind: str,
    named: str,
    sequence: int,
    old: CardStatus,
    new: CardStatus,
    delta: int,
    balance: int,
    by_name: bool,
) -> None:
    of = {"of": RELOAD} if before is RELOADED else {}
    when = given(*before).when(cancelling(kind, named if by_name else None), LATER)
    when.then(cancelled(sequence, old, new, delta, balance, named, at=LATER, transaction_id=COMMAND_ID, **of))
    when.answers(**answered(new.value, balance, abs(delta)))


def test_an_issue_is_cancelled_as_an_activation_too() -> None:
    given(issued(2500, transaction_id="I")).when(cancelling("activate", "I")).then(
        cancelled(2, ACTIVE, VOID, -2500, 0, "I", transaction_id=COMMAND_ID)
    )


def test_a_cancel_that_expects_another_provider_finds_no_card() -> None:
    unknown = ("gift_card_unknown", "/cardId", "there is no such gift card")
    given(*PAID).when(cancelling("redeem", "R", switchId="OTHER")).refused(*unknown)
    given(*PAID).when(cancelling("redeem", switchId="OTHER")).refused(*unknown)


def test_a_partial_approval_is_undone_by_what_it_took() -> None:
    before = (issued(2500), redeemed(2, 2500, 0, asked=4000, transaction_id="R"))
    given(*before).when(cancelling("redeem", "R")).then(
        cancelled(3, REDEEMED, ACTIVE, 2500, 2500, "R", transaction_id=COMMAND_ID)
    )


def test_the_first_load_is_undone_with_the_expiry_that_it_brought() -> None:
    world = given(created(of=RELOAD)).when(activating(transactionId="A"))
    assert world.card().expires_at is not None
    assert world.when(cancelling("activate", "A")).card().expires_at is None


def test_a_transaction_is_cancelled_once_and_again_changes_nothing() -> None:
    once = given(*PAID).when(cancelling("redeem", "R"))
    once.when(cancelling("redeem", "R")).then().answers(**answered("active", 2500, 0, "R"))
    once.when(cancelling("redeem")).refused(
        "not_latest_mutation", "/mutation", "the latest mutation of the gift card is not of the kind redeem"
    )


@pytest.mark.parametrize("named", ["I", "R"])
def test_what_lies_before_the_latest_mutation_cannot_be_cancelled(named: str) -> None:
    after = (*PAID, redeemed(3, 500, 1000, transaction_id="S"))
    given(*after).when(cancelling("issue" if named == "I" else "redeem", named)).refused(*NOT_LATEST)


def test_a_cancel_is_a_mutation_so_that_nothing_before_it_can_be_cancelled() -> None:
    world = given(*PAID).when(cancelling("redeem", "R"))
    world.when(cancelling("issue", "I")).refused(*NOT_LATEST)


def test_a_cancel_that_names_its_transaction_works_from_any_till() -> None:
    given(*PAID).when(cancelling("redeem", "R", context=OTHER_TILL)).then(
        cancelled(
            3,
            ACTIVE,
            ACTIVE,
            1000,
            2500,
            "R",
            transaction_id=COMMAND_ID,
            source={"shop": "12", "till": "4", "receipt": "R-1"},
        )
    )


@pytest.mark.parametrize(
    "context", [OTHER_TILL, {**CONTEXT, "receiptNr": "R-2"}, {**CONTEXT, "shopId": "13"}, {}, {"shopId": "12"}]
)
def test_a_cancel_that_names_nothing_works_for_the_same_shop_till_and_receipt_only(context: dict[str, str]) -> None:
    given(*PAID).when(cancelling("redeem", context=context)).refused(
        "mutation_foreign",
        "/context",
        "the latest mutation has another shop, till or receipt; name its transaction to cancel it",
    )


@pytest.mark.parametrize("kind", ["issue", "activate"])
def test_the_kind_of_the_mutation_has_to_be_right(kind: str) -> None:
    given(*PAID).when(cancelling(kind, "R")).refused(
        "not_cancellable", "/transactionId", "the transaction is of the kind redeem"
    )
    given(*PAID).when(cancelling(kind)).refused(
        "not_latest_mutation", "/mutation", f"the latest mutation of the gift card is not of the kind {kind}"
    )


# ── before its original ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_cancel_before_its_original_is_recorded_and_the_original_refused() -> None:
    world = given(issued(2500)).when(cancelling("redeem", "T"))
    world.then(awaited("T")).answers(**answered("active", 2500, 0, "T"))
    world.when(redeeming(10, transactionId="T")).refused(
        "transaction_cancelled", "/transactionId", "the transaction was cancelled before it arrived"
    )


def test_it_is_recorded_once() -> None:
    given(issued(2500), awaited("T")).when(cancelling("redeem", "T")).then().answers(**answered("active", 2500, 0, "T"))


def test_even_the_issue_of_a_card_can_be_cancelled_before_it_arrives() -> None:
    world = World().when(cancelling("issue", "T"))
    world.then(awaited("T")).answers(cardId=CARD, transactionId="T", amount=0)
    world.when(issuing(transactionId="T")).refused("card_type_unknown", "/cardType", "there is no card type EUR10")


def test_a_recorded_cancel_is_forgotten_when_no_retry_can_come_any_more() -> None:
    later = T0 + 31 * DAY
    world = given(issued(2500), awaited("T")).when(cancelling("redeem", "U"), later)
    world.then(awaited("U", later))
    assert [each.transaction_id for each in world.card().awaited] == ["U"]


def test_a_recorded_cancel_refuses_its_transaction_for_thirty_days() -> None:
    world = given(issued(2500), awaited("T"))
    cancelled_before = ("transaction_cancelled", "/transactionId", "the transaction was cancelled before it arrived")
    world.when(redeeming(10, transactionId="T"), T0 + 30 * DAY - INSTANT).refused(*cancelled_before)
    late = T0 + 30 * DAY
    world.when(redeeming(10, transactionId="T"), late).then(redeemed(2, 1000, 1500, transaction_id="T", at=late))


def test_few_cancels_wait_on_one_card() -> None:
    waiting = [awaited(f"T{number}") for number in range(20)]
    given(issued(2500), *waiting).when(cancelling("redeem", "T")).refused(
        "too_many_cancels_wait", "/transactionId", "20 cancels wait for their transactions on this gift card"
    )


def test_a_cancel_of_what_was_refused_changes_nothing() -> None:
    world = given(issued(2500)).when(redeeming(100, transactionId="T"))
    world.when(cancelling("redeem", "T")).then().answers(**answered("active", 2500, 0, "T"))


def test_a_cancel_that_is_repeated_after_a_later_redemption_changes_nothing_more() -> None:
    """The cancel was booked, its answer was lost, something else was redeemed, and the cancel comes again."""
    world = given(*PAID).when(cancelling("redeem", "R")).when(redeeming(5, transactionId="S"))
    world.when(cancelling("redeem", "R")).refused(*NOT_LATEST)
    assert world.card().balance == 2000


# ── cards that have ended ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("named", [None, "R", "I"])
def test_expiry_ends_it(named: str | None) -> None:
    gone = ("gift_card_expired", "/cardId", "the gift card has expired")
    before = (issued(2500, transaction_id="I", expires_at=T0 + DAY),)
    paid = (*before, redeemed(2, 1000, 1500, transaction_id="R", expires_at=T0 + DAY))
    kind = "issue" if named == "I" else "redeem"
    given(*paid).when(cancelling(kind, named), LATER).refused(*gone)
    booked = (*paid, expired(3, ACTIVE, -1500, at=LATER, occurred_at=T0 + DAY, expires_at=T0 + DAY))
    given(*booked).when(cancelling(kind, named), LATER).refused(*gone)


@pytest.mark.parametrize("named", [None, "R"])
def test_voiding_and_refunding_end_it(named: str | None) -> None:
    given(*PAID, voided(3, ACTIVE, -1500, reason="x")).when(cancelling("redeem", named)).refused(
        "gift_card_void", "/cardId", "the gift card is void"
    )
    given(*PAID, refunded(3, ACTIVE, -1500, reason="x")).when(cancelling("redeem", named)).refused(
        "gift_card_refunded", "/cardId", "the gift card was refunded"
    )


def test_an_unknown_card_has_nothing_to_cancel() -> None:
    World().when(cancelling("redeem")).refused("gift_card_unknown", "/cardId", "there is no such gift card")

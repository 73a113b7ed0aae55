"""Creating, issuing and activating gift cards (rules 4.4.3)."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.giftcards import ActivateCard, CreateCard, IssueCard, ScratchCode
from tests.unit.giftcard.events import (
    ACTIVE,
    CREATED,
    REDEEMED,
    TILL,
    activated,
    awaited,
    created,
    expired,
    issued,
    put,
    redeemed,
    refunded,
    taken,
    voided,
)
from tests.unit.giftcard.world import (
    CARD,
    COMMAND_ID,
    DAY,
    ONCE,
    RELOAD,
    SERIAL,
    T0,
    Booked,
    card_type,
    given,
)

CONTEXT = {"shopId": "12", "posId": "3", "receiptNr": "R-1"}
NEW = {"cardId": CARD, "serialNumber": SERIAL, "cardType": "EUR10", "code": {"key": "1"}, "context": CONTEXT}
YEAR_LATER = datetime(2027, 11, 23, tzinfo=UTC)
NO_CARD = ("gift_card_unknown", "/cardId", "there is no such gift card")


def creating(**more: Any) -> CreateCard:
    return CreateCard.model_validate({**NEW, **more})


def issuing(amount: float = 25, **more: Any) -> IssueCard:
    return IssueCard.model_validate({**NEW, "amount": amount, **more})


def activating(amount: float = 25, **more: Any) -> ActivateCard:
    return ActivateCard.model_validate({"cardId": CARD, "amount": amount, "context": CONTEXT, **more})


def answered(status: str, balance: int, amount: int, transaction: str = COMMAND_ID) -> dict[str, Any]:
    return {
        "cardId": CARD,
        "status": status,
        "balance": balance,
        "currency": "EUR",
        "scale": 2,
        "transactionId": transaction,
        "amount": amount,
    }


def test_a_caller_may_expect_a_currency_and_a_provider() -> None:
    of: dict[str, Any] = {"cardType": "RELOAD"}
    given(put(RELOAD)).when(issuing(**of, currency="EUR", switchId="TREAZURE")).then(
        issued(2500, of=RELOAD, transaction_id=COMMAND_ID, expires_at=YEAR_LATER), taken()
    )
    wrong = ("currency_mismatch", "/currency", "the gift card is in EUR")
    given(put(RELOAD)).when(issuing(**of, currency="USD")).refused(*wrong)
    wrong = ("card_type_unknown", "/cardType", "OTHER has no card type RELOAD")
    given(put(RELOAD)).when(issuing(**of, switchId="OTHER")).refused(*wrong)


def test_a_card_of_another_provider_is_loaded_as_little_as_an_unknown_one() -> None:
    given(created(of=RELOAD)).when(activating(switchId="OTHER")).refused(*NO_CARD)
    given(created()).when(activating(switchId="TREAZURE")).refused(*NO_CARD)
    given().when(activating(switchId="TREAZURE")).refused(*NO_CARD)


# ── creating ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_created_card_is_empty_and_its_serial_number_taken() -> None:
    when = given(put()).when(creating())
    when.then(created(transaction_id=COMMAND_ID), taken()).answers(**answered("created", 0, 0))


NEW_REFUSED: list[tuple[tuple[Booked, ...], dict[str, Any], tuple[str, str, str]]] = [
    ((), {}, ("card_type_unknown", "/cardType", "there is no card type EUR10")),
    (
        (put(card_type(state="retired")),),
        {},
        ("card_type_retired", "/cardType", "the card type EUR10 is retired"),
    ),
    ((put(), created(), taken()), {}, ("gift_card_exists", "/cardId", "there is a gift card with this id")),
    (
        (put(), taken(card="another")),
        {},
        ("serial_number_in_use", "/serialNumber", "another gift card has this serial number"),
    ),
]


@pytest.mark.parametrize(("before", "more", "refusal"), NEW_REFUSED)
def test_a_new_card_needs_a_type_an_id_and_a_serial_number(
    before: tuple[Booked, ...], more: dict[str, Any], refusal: tuple[str, str, str]
) -> None:
    given(*before).when(creating(**more)).refused(*refusal)
    given(*before).when(issuing(**more)).refused(*refusal)


@pytest.mark.parametrize("code", [{}, {"hash": "0" * 64}, {"key": "1", "hash": "not one"}])
def test_how_a_scratch_code_is_checked_names_its_key(code: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ScratchCode.model_validate(code)


# ── issuing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_issued_card_has_its_balance_at_once() -> None:
    when = given(put()).when(issuing(25, transactionId="T"))
    when.then(issued(2500, transaction_id="T"), taken()).answers(**answered("active", 2500, 2500, "T"))


def test_a_card_expires_by_the_rules_of_its_type() -> None:
    when = given(put(RELOAD)).when(issuing(25, cardType="RELOAD"))
    when.then(issued(2500, of=RELOAD, transaction_id=COMMAND_ID, expires_at=YEAR_LATER), taken())


def test_an_issue_that_was_cancelled_before_it_arrived_is_refused() -> None:
    given(put(), awaited("T")).when(issuing(transactionId="T")).refused(
        "transaction_cancelled", "/transactionId", "the transaction was cancelled before it arrived"
    )


AMOUNTS: list[tuple[float, tuple[str, str, str]]] = [
    (4.99, ("load_too_small", "/amount", "one activation loads at least 5 EUR")),
    (100.01, ("load_limit_exceeded", "/amount", "one activation loads at most 100 EUR")),
    (25.005, ("too_many_decimals", "/amount", "EUR has 2 decimals")),
]


@pytest.mark.parametrize(("amount", "refusal"), AMOUNTS)
def test_a_load_keeps_to_the_limits_of_the_type(amount: float, refusal: tuple[str, str, str]) -> None:
    given(put()).when(issuing(amount)).refused(*refusal)
    given(put(), created(), taken()).when(activating(amount)).refused(*refusal)


def test_the_balance_has_a_limit() -> None:
    small = card_type(maxBalance=100, reload=True)
    detail = "a gift card holds at most 100 EUR"
    given(put(small), issued(8000, of=small), taken()).when(activating(25)).refused(
        "balance_limit_exceeded", "/amount", detail
    )
    tiny = card_type(maxLoad=None, maxBalance=20)
    given(put(tiny)).when(issuing(25)).refused("balance_limit_exceeded", "/amount", "a gift card holds at most 20 EUR")


# ── activating ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_created_card_is_activated() -> None:
    when = given(put(), created(), taken()).when(activating(25, transactionId="T", currency="EUR"))
    when.then(activated(2, CREATED, 2500, 2500, transaction_id="T")).answers(**answered("active", 2500, 2500, "T"))


def test_a_card_expires_from_its_first_load_on_and_reloading_leaves_that() -> None:
    world = given(created(of=RELOAD)).when(activating())
    first = {"transaction_id": COMMAND_ID, "expires_at": YEAR_LATER, "of": RELOAD}
    world.then(activated(2, CREATED, 2500, 2500, **first))
    later = T0 + 10 * DAY
    world.when(activating(10), later).then(activated(3, ACTIVE, 1000, 3500, at=later, **first))


def test_a_card_that_is_used_up_is_loaded_again_where_its_type_allows_it() -> None:
    world = given(issued(1000, of=RELOAD), redeemed(2, 1000, 0, of=RELOAD)).when(activating(20))
    world.then(activated(3, REDEEMED, 2000, 2000, of=RELOAD, transaction_id=COMMAND_ID))


@pytest.mark.parametrize("before", [(issued(1000),), (issued(1000), redeemed(2, 1000, 0))])
def test_other_cards_are_loaded_once(before: tuple[Booked, ...]) -> None:
    given(*before).when(activating()).refused(
        "reload_not_allowed", "/cardId", "gift cards of the type EUR10 are loaded once"
    )


def test_rules_that_change_later_leave_a_card_what_it_was_created_with() -> None:
    given(created(), put(card_type(minLoad=50, maxLoad=100))).when(activating(25)).then(
        activated(2, CREATED, 2500, 2500, transaction_id=COMMAND_ID)
    )


def test_a_card_is_loaded_in_its_own_currency() -> None:
    given(created()).when(activating(currency="SEK")).refused(
        "currency_mismatch", "/currency", "the gift card is in EUR"
    )


ENDED: list[tuple[tuple[Booked, ...], tuple[str, str, str]]] = [
    ((), NO_CARD),
    ((issued(1000), voided(2, ACTIVE, -1000, reason="x")), ("gift_card_void", "/cardId", "the gift card is void")),
    (
        (issued(1000), refunded(2, ACTIVE, -1000, reason="x")),
        ("gift_card_refunded", "/cardId", "the gift card was refunded"),
    ),
    ((issued(1000, expires_at=T0),), ("gift_card_expired", "/cardId", "the gift card has expired")),
    (
        (issued(1000, expires_at=T0), expired(2, ACTIVE, -1000, expires_at=T0)),
        ("gift_card_expired", "/cardId", "the gift card has expired"),
    ),
]


@pytest.mark.parametrize(("before", "refusal"), ENDED)
def test_a_card_that_has_ended_is_never_loaded(before: tuple[Booked, ...], refusal: tuple[str, str, str]) -> None:
    given(*before).when(activating()).refused(*refusal)


def test_an_activation_that_was_cancelled_before_it_arrived_is_refused() -> None:
    given(created(), awaited("T")).when(activating(transactionId="T")).refused(
        "transaction_cancelled", "/transactionId", "the transaction was cancelled before it arrived"
    )


def test_where_a_load_comes_from_is_kept() -> None:
    context = {**CONTEXT, "operatorId": "7", "comment": "a birthday", "occurredAt": "2026-11-22T09:00:00Z"}
    at = datetime(2026, 11, 22, 9, tzinfo=UTC)
    source = TILL.model_copy(update={"operator": "7"})
    given(created()).when(activating(context=context)).then(
        activated(
            2, CREATED, 2500, 2500, transaction_id=COMMAND_ID, source=source, comment="a birthday", occurred_at=at
        )
    )
    assert ONCE.reload is False

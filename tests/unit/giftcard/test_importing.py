"""Taking over cards of another system (rules 4.4.8)."""

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.giftcards import CancelMutation, CardStatus, CodeSource, CreateCard, ImportCard, RedeemCard, ScratchCode
from services.giftcard.changes import changes
from services.giftcard.decider import DECIDER
from tests.unit.giftcard.events import ACTIVE, CREATED, REDEEMED, created, imported, issued, put, taken
from tests.unit.giftcard.test_loading import CONTEXT, answered
from tests.unit.giftcard.world import CARD, COMMAND_ID, DAY, RELOAD, SERIAL, T0, card_type, given


def importing(**more: Any) -> ImportCard:
    given = {"cardId": CARD, "serialNumber": SERIAL, "cardType": "EUR10", "status": "active", "balance": 25}
    return ImportCard.model_validate({**given, "context": CONTEXT, **more})


@pytest.mark.parametrize(
    ("status", "balance", "booked"), [(ACTIVE, 25, 2500), (REDEEMED, 0, 0), (CREATED, 0, 0), (ACTIVE, 0.01, 1)]
)
def test_a_card_is_booked_as_it_is_elsewhere(status: CardStatus, balance: float, booked: int) -> None:
    world = given(put()).when(importing(status=status.value, balance=balance))
    world.then(imported(status, booked, transaction_id=COMMAND_ID), taken()).answers(
        **answered(status.value, booked, booked)
    )
    assert world.card().code is None
    (_, event), _ = world.accepted.events
    change = changes(DECIDER.dump_event(event))
    assert change is not None
    assert (change["kind"], change["delta"], change["balance"]) == ("import", booked, booked)


def test_its_expiry_code_and_batch_are_kept_and_the_limits_of_its_type_do_not_count() -> None:
    until, code = T0 + DAY, ScratchCode(key="1", hash="0" * 64)
    more = {"expiresAt": until, "balance": 9_999, "code": code.model_dump(), "batch": "old"}
    world = given(put(RELOAD)).when(importing(cardType="RELOAD", **more))
    kept = {"expires_at": until, "code": CodeSource(**code.model_dump()), "batch": "old"}
    world.then(imported(ACTIVE, 999_900, RELOAD, transaction_id=COMMAND_ID, **kept), taken())
    assert world.card().is_due(until)


def test_cards_of_a_retired_type_are_taken_over() -> None:
    retired = card_type(state="retired")
    given(put(retired)).when(importing()).then(imported(ACTIVE, 2500, retired, transaction_id=COMMAND_ID), taken())


def test_what_is_not_imported() -> None:
    given().when(importing()).refused("card_type_unknown", "/cardType", "there is no card type EUR10")
    exists = ("gift_card_exists", "/cardId", "there is a gift card with this id")
    given(put(), created(), taken()).when(importing()).refused(*exists)
    given(put(), issued(100), taken()).when(importing(serialNumber="S-2")).refused(*exists)
    in_use = ("serial_number_in_use", "/serialNumber", "another gift card has this serial number")
    given(put(), taken(card="another")).when(importing()).refused(*in_use)
    given(put()).when(importing(balance=25.001)).refused("too_many_decimals", "/balance", "EUR has 2 decimals")
    for past in (T0, T0 - DAY):
        late = importing(expiresAt=past)
        given(put()).when(late).refused("expiry_in_past", "/expiresAt", "the card has expired already")


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "active", "balance": 0},
        {"status": "redeemed", "balance": 1},
        {"status": "created", "balance": 1},
        {"status": "active", "balance": -1},
        {"status": "created", "balance": 0, "expiresAt": T0 + DAY},
        {"status": "void", "balance": 0},
    ],
)
def test_status_balance_and_expiry_have_to_fit(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        importing(**wrong)


def test_an_import_cannot_be_cancelled_and_the_card_is_used_as_any_other() -> None:
    world = given(put()).when(importing())
    own = CancelMutation.model_validate({"cardId": CARD, "mutation": "issue", "context": CONTEXT})
    detail = "the latest mutation of the gift card is not of the kind issue"
    world.when(own).refused("not_latest_mutation", "/mutation", detail)
    named = CancelMutation.model_validate({"cardId": CARD, "mutation": "issue", "transactionId": COMMAND_ID})
    world.when(named).refused("not_cancellable", "/transactionId", "the transaction is of the kind import")
    redeem = RedeemCard.model_validate({"cardId": CARD, "amount": 25, "transactionId": "t"})
    assert world.when(redeem).card().status is REDEEMED


def test_a_card_of_a_file_belongs_to_its_batch_and_needs_no_code() -> None:
    payload = CreateCard.model_validate(
        {
            "cardId": CARD,
            "serialNumber": SERIAL,
            "cardType": "EUR10",
            "batch": "file-1",
            "context": CONTEXT,
        }
    )
    given(put()).when(payload).then(created(code=None, batch="file-1", transaction_id=COMMAND_ID), taken())

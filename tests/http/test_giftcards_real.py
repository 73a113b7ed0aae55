"""The gift card document on real servers: each operation end to end, retries, cancels, histories."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.ids import new_id
from tests.harness import new_installation
from tests.http.cards import SWITCH, TILL, Cards, good, open_cards, refused
from tests.servers import Servers

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
async def cards(real_servers: Servers) -> AsyncIterator[Cards]:
    """One shop for all tests: each has its own cards."""
    async with new_installation(real_servers) as installation, open_cards(installation) as cards:
        yield cards


@pytest.mark.exercises(f"POST {SWITCH}/Redeem/Cancel")
async def test_a_card_is_issued_redeemed_in_part_and_its_redemption_cancelled(cards: Cards) -> None:
    issued = await cards.issue(25, transactionId="sale-1", currency="EUR", switchId="TREAZURE", comment="a birthday")
    assert (issued["status"], issued["balance"], issued["amount"]) == ("Active", 25, 25)
    assert (issued["currency"], issued["articleSetCode"], issued["transactionId"]) == ("EUR", "BOOKS", "sale-1")
    assert (len(issued["cardId"]), len(issued["serialNumber"]), len(issued["scratchCode"])) == (19, 19, 16)
    card = issued["cardId"]
    paid = good(await cards.call("Redeem", cardId=card, amount=10.25, currency="EUR", operatorId="17"))
    assert (paid["status"], paid["balance"], paid["amount"]) == ("Active", 14.75, 10.25)
    assert "scratchCode" not in paid
    assert "history" not in paid
    refused(await cards.call("Redeem", cardId=card, amount=14.76), 409, "insufficient_balance", "/amount")
    rest = good(await cards.call("Redeem", cardId=card, amount=20, allowPartial=True, transactionId="pay-2"))
    assert (rest["status"], rest["balance"], rest["amount"]) == ("Redeemed", 0, 14.75)
    back = good(await cards.call("Redeem/Cancel", {"PosId": "4"}, cardId=card, transactionId="pay-2"))
    assert (back["status"], back["balance"], back["amount"]) == ("Active", 14.75, 14.75)
    shown = await cards.shown(card, history="regular")
    assert [each["kind"] for each in shown["history"]] == ["cancel", "redeem", "redeem", "issue"]
    assert [each["balanceMutation"] for each in shown["history"]] == [14.75, -14.75, -10.25, 25]
    assert [each["balance"] for each in shown["history"]] == [14.75, 0, 14.75, 25]
    first, last = shown["history"][-2], shown["history"][0]
    assert (first["shopId"], first["posId"], first["receiptNr"], first["operatorId"]) == ("12", "3", "R-1001", "17")
    assert (last["posId"], last["cancels"]) == ("4", "pay-2")
    assert (last["oldStatus"], last["newStatus"]) == ("Redeemed", "Active")
    short = (await cards.shown(card, history="condensed"))["history"]
    assert [each["kind"] for each in short] == ["redeem", "issue"]


@pytest.mark.exercises(f"POST {SWITCH}/Activate")
async def test_a_card_is_sold_and_its_sale_cancelled_by_the_till_that_made_it(cards: Cards) -> None:
    card = new_id()
    await cards.create(card, f"S-{card}")
    refused(await cards.call("Redeem", cardId=card, amount=1), 409, "gift_card_not_active", "/cardId")
    sold = good(await cards.call("Activate", cardId=card, amount=50, history="regular"))
    assert (sold["status"], sold["balance"], len(sold["history"])) == ("Active", 50, 2)
    refused(await cards.call("Activate/Cancel", {**TILL, "PosId": "4"}, cardId=card), 409, "mutation_foreign")
    refused(await cards.call("Redeem/Cancel", cardId=card), 409, "not_latest_mutation")
    back = good(await cards.call("Activate/Cancel", cardId=card))
    assert (back["status"], back["balance"], back["amount"]) == ("Created", 0, 50)


async def test_paths_and_keys_come_in_any_case(cards: Cards) -> None:
    card = (await cards.issue())["cardId"]
    path = SWITCH.lower() + "/getbalance"
    assert good(await cards.client.post(path, json={"CARDID": card, "History": "none"}))["cardId"] == card


@pytest.mark.exercises(f"POST {SWITCH}/Redeem")
async def test_a_retry_has_one_effect_and_one_answer(cards: Cards) -> None:
    issue: dict[str, Any] = {"amount": 30, "cardType": "EUR-GIFT", "transactionId": new_id()}
    first, again = [await cards.call("Issue", **issue) for _ in range(2)]
    assert good(first) == good(again)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    card = good(first)["cardId"]
    pay: dict[str, Any] = {"cardId": card, "amount": 10, "transactionId": new_id()}
    first, again = [await cards.call("Redeem", **pay) for _ in range(2)]
    assert good(first) == good(again)
    assert (await cards.shown(card))["balance"] == 20
    refused(await cards.call("Redeem", **{**pay, "amount": 11}), 422, "idempotency_key_reused")
    refused(await cards.call("Redeem", {"PosId": "4"}, **pay), 422, "idempotency_key_reused")
    refused(await cards.call("Redeem", key="other", **pay), 400, "invalid_idempotency_key")
    assert (await cards.call("Redeem", key=pay["transactionId"], **pay)).status_code == 200
    assert len({(await cards.issue(1))["cardId"] for _ in range(2)}) == 2


@pytest.mark.exercises(f"POST {SWITCH}/Issue")
async def test_a_card_type_is_found_by_currency_and_provider(cards: Cards) -> None:
    refused(await cards.call("Issue", amount=5), 422, "card_type_required", "/cardType")
    refused(await cards.call("Issue", amount=5, currency="USD"), 422, "card_type_required", "/cardType")
    assert good(await cards.call("Issue", amount=5, switchId="TREAZURE"))["currency"] == "EUR"
    yen = good(await cards.call("Issue", amount=5, currency="JPY"))
    assert (yen["currency"], yen["balance"]) == ("JPY", 5)
    refused(await cards.call("Redeem", cardId=yen["cardId"], amount=0.5), 422, "too_many_decimals", "/amount")
    wrong = await cards.call("Issue", amount=5, cardType="JPY-GIFT", currency="EUR")
    refused(wrong, 422, "currency_mismatch", "/currency")


@pytest.mark.exercises(f"POST {SWITCH}/GetBalance")
async def test_cards_are_named_by_serial_number_and_scratch_code(cards: Cards) -> None:
    card = await cards.issue()
    coded: dict[str, Any] = {"serialNumber": card["serialNumber"], "scratchCode": card["scratchCode"]}
    paid = good(await cards.call("Redeem", **coded, amount=5))
    assert (paid["cardId"], paid["balance"]) == (card["cardId"], 20)
    assert good(await cards.call("GetBalance", **coded))["balance"] == 20
    wrong = {**coded, "scratchCode": "AAAAAAAAAAAAAAAA"}
    nobody = {**coded, "serialNumber": "nobody"}
    other = {**coded, "switchId": "OTHER"}
    calls: list[tuple[str, dict[str, Any]]] = [("GetBalance", {}), ("Redeem", {"amount": 1})]
    for operation, more in calls:
        answers = [await cards.call(operation, **each, **more) for each in (wrong, nobody, other)]
        refused(answers[0], 404, "gift_card_unknown", "/serialNumber")
        assert len({each.text for each in answers}) == 1
        unknown = [
            await cards.call(operation, **each, **more)
            for each in ({"cardId": "nobody"}, {"cardId": card["cardId"], "switchId": "OTHER"})
        ]
        refused(unknown[0], 404, "gift_card_unknown", "/cardId")
        assert unknown[0].text == unknown[1].text


async def test_a_cancel_may_come_before_its_transaction(cards: Cards) -> None:
    card, transaction = new_id(), new_id()
    early = good(await cards.call("Activate/Cancel", cardId=card, transactionId=transaction))
    assert (early["cardId"], early["status"], early["amount"]) == (card, None, 0)
    await cards.create(card, f"S-{card}")
    late = await cards.call("Activate", cardId=card, amount=5, transactionId=transaction)
    refused(late, 409, "transaction_cancelled", "/transactionId")


@pytest.mark.exercises(f"POST {SWITCH}/Activate/Cancel")
async def test_a_cancelled_issue_makes_the_card_void(cards: Cards) -> None:
    card = (await cards.issue(transactionId="sale-of-a-void-card"))["cardId"]
    void = good(await cards.call("Activate/Cancel", cardId=card, transactionId="sale-of-a-void-card"))
    assert (void["status"], void["balance"]) == ("Void", 0)
    assert (await cards.shown(card, history="condensed"))["history"] == []

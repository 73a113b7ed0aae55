"""The gift card document on real servers: each operation end to end, retries, cancels, histories."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.clock import now_ms
from shared.ids import mutation_id, new_id
from shared.runtime.kafka import partition_of
from shared.runtime.requests import Operation
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
    assert (len(issued["cardId"]), len(issued["serialNumber"]), len(issued["scratchCode"])) == (36, 19, 19)
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
    bare = coded["scratchCode"].replace("-", "").lower()
    assert good(await cards.call("GetBalance", **{**coded, "scratchCode": bare}))["balance"] == 20
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


async def test_a_card_without_a_scratch_code_is_named_by_its_id_alone(cards: Cards) -> None:
    card = new_id()
    await cards.create(card, f"S-{card}")
    given = await cards.call("GetBalance", serialNumber=f"S-{card}", scratchCode="ABCD")
    refused(given, 404, "gift_card_unknown", "/serialNumber")
    assert (await cards.shown(card))["status"] == "Created"


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


async def test_support_staff_find_cards_and_pages_through_their_history(cards: Cards) -> None:
    card = await cards.issue(50)
    for amount in range(1, 5):
        good(await cards.call("Redeem", cardId=card["cardId"], amount=amount))
    path = f"/v1/giftcards/{card['serialNumber']}"
    state = good(await cards.client.get(path))
    assert (state["status"], state["balance"], state["sequence"], "code" in state) == ("active", 40, 5, False)
    for named in ({"cardId": card["cardId"]}, {"serialNumber": card["serialNumber"]}):
        assert good(await cards.client.post("/v1/giftcards/find", json=named)) == state
        nobody = dict.fromkeys(named, "nobody")
        pointer = f"/{next(iter(named))}"
        refused(await cards.client.post("/v1/giftcards/find", json=nobody), 404, "gift_card_unknown", pointer)
    refused(await cards.client.get("/v1/giftcards/nobody"), 404, "gift_card_unknown")
    found, following = [], f"{path}/history?size=2"
    while following is not None:
        page = good(await cards.client.get(following))
        found += page["mutations"]
        following = page["next"]
    assert [each["delta"] for each in found] == [-4, -3, -2, -1, 50]
    assert [each["sequence"] for each in found] == [5, 4, 3, 2, 1]
    assert found[0]["source"] == {"order": None, "receipt": "R-1001", "shop": "12", "till": "3", "operator": None}
    other = (await cards.issue())["serialNumber"]
    cursor = good(await cards.client.get(f"{path}/history?size=2"))["next"].rpartition("cursor=")[2]
    wrong = await cards.client.get(f"/v1/giftcards/{other}/history?cursor={cursor}")
    assert (wrong.status_code, wrong.json()["parameter"]) == (400, "cursor")


@pytest.mark.parametrize(("ending", "status"), [("void", "void"), ("refund", "refunded")])
async def test_support_staff_end_cards(cards: Cards, ending: str, status: str) -> None:
    card = await cards.issue(50)
    path, headers = f"/v1/giftcards/{card['serialNumber']}", {"Idempotency-Key": f"{ending}-1"}
    first, again = [
        await cards.client.post(f"{path}/{ending}", json={"reason": "lost"}, headers=headers) for _ in range(2)
    ]
    assert good(first) == good(again)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (good(first)["status"], good(first)["balance"], good(first)["amount"]) == (status, 0, 50)
    refused(await cards.client.post(f"{path}/{ending}", json={"reason": "lost"}), 409, f"gift_card_{status}")
    refused(await cards.call("Redeem", cardId=card["cardId"], amount=1), 409, f"gift_card_{status}", "/cardId")
    (last, _) = good(await cards.client.get(f"{path}/history"))["mutations"]
    assert (last["kind"], last["delta"], last["reason"]) == (ending, -50, "lost")


async def test_outcomes_are_polled_in_whole_units(cards: Cards) -> None:
    card = (await cards.issue(12.5))["cardId"]
    good(await cards.call("Redeem", cardId=card, amount=2.25, transactionId="polled"))
    place = partition_of(card, cards.installation.settings.partitions)
    operation = Operation("giftcard", place, mutation_id("default", card, "polled"), now_ms())
    outcome = good(await cards.client.get(f"/v1/operations/{operation}"))
    wanted = {"cardId": card, "status": "active", "balance": 10.25, "currency": "EUR", "amount": 2.25}
    assert outcome["result"] == {**wanted, "transactionId": "polled"}


async def test_mutations_by_card_id_do_not_wait_for_the_view(cards: Cards) -> None:
    """As when another edge has just issued the card, and its snapshot is still on the way here."""
    card = (await cards.issue())["cardId"]
    await cards.fed()
    edge = cards.installation.mongo[cards.installation.settings.database("edge")]
    paying: dict[str, Any] = {"amount": 5}
    calls: list[tuple[str, dict[str, Any]]] = [("Redeem", paying), ("Redeem/Cancel", {}), ("Activate", paying)]
    for operation, body in calls:
        await cards.fed()
        await edge["giftcards"].delete_one({"_id": f"card/default/{card}"})
        refused(await cards.call("GetBalance", cardId=card), 404, "gift_card_unknown", "/cardId")
        done = good(await cards.call(operation, cardId=card, **body, history="regular"))
        assert await cards.shown(card, history="regular") == {**done, "amount": 0, "transactionId": None}


async def test_tills_that_race_for_a_card_never_overspend(cards: Cards) -> None:
    card = (await cards.issue(25))["cardId"]
    answers = await asyncio.gather(*(cards.call("Redeem", cardId=card, amount=4, history="regular") for _ in range(10)))
    assert sorted(each.status_code for each in answers) == [200] * 6 + [409] * 4
    for each in answers:
        if each.status_code == 200:
            shown = good(each)
            assert shown["balance"] == sum(entry["balanceMutation"] for entry in shown["history"])
    assert (await cards.shown(card))["balance"] == 1

"""Transactions that gift cards pay, over HTTP on real servers: posted, previewed, refused and reversed (rules 4.2)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.ids import new_id
from tests.harness import DEMO, Command, eventually, new_installation
from tests.http.cards import EUR, Cards, good, refused
from tests.http.shop import BUY, Shop, open_shop
from tests.servers import Servers

pytestmark = pytest.mark.real

NUMBER = "6299000000000000017"
PATH = f"/v1/accounts/{NUMBER}/transactions"
SPENDS = {"loyaltyPointDefinitionId": BUY, "redemptions": [{"value": 100}]}


@pytest.fixture(scope="module")
async def shop(real_servers: Servers) -> AsyncIterator[tuple[Shop, Cards]]:
    """A shop with points, vouchers and gift cards, and an account with 2,000 points."""
    async with new_installation(real_servers) as installation:
        await installation.declare_file(DEMO)
        async with open_shop(installation, "giftcard") as shop:
            cards = Cards(installation, shop.client)
            await cards.done(Command("giftcard.put_type.v1", EUR["code"], {"cardType": EUR}))
            load = {"loyaltyPrograms": [{"loyaltyPointDefinitionId": BUY, "loads": [{"value": 2000}]}]}
            good(await shop.send("POST", PATH, load))
            yield shop, cards


async def test_points_and_cards_pay_together_and_come_back_together(shop: tuple[Shop, Cards]) -> None:
    caller, cards = shop
    one, two = await cards.issue(25), await cards.issue(10)
    await cards.fed()
    coded = {"serialNumber": two["serialNumber"], "scratchCode": two["scratchCode"]}
    body = {
        "loyaltyPrograms": [SPENDS],
        "giftcards": [{"cardId": one["cardId"], "amount": 20.5, "currency": "EUR"}, {**coded, "amount": 10}],
        "context": {"receiptNr": "R-9", "shopId": "12"},
    }
    good(await caller.send("POST", f"{PATH}/preview", body))
    key = new_id()
    paid = good(await caller.send("POST", PATH, body, key))
    assert paid["balances"] == [{"loyaltyProgramId": BUY, "pointsBalance": 1900}]
    assert paid["giftcards"] == [
        {"operation": 1, "cardId": one["cardId"], "amount": 20.5, "currency": "EUR"},
        {"operation": 2, "cardId": two["cardId"], "amount": 10},
    ]
    assert good(await caller.send("POST", PATH, body, key)) == paid
    await _settled(cards, one["cardId"], 2)
    shown = await cards.shown(two["cardId"], history="regular")
    assert (shown["status"], shown["balance"]) == ("Redeemed", 0)
    (latest, _) = shown["history"]
    assert (latest["kind"], latest["balanceMutation"], latest["transactionId"]) == (
        "redeem",
        -10,
        paid["transactionId"],
    )
    assert (latest["shopId"], latest["receiptNr"]) == ("12", "R-9")
    refused(
        await cards.call("Redeem/Cancel", cardId=two["cardId"], transactionId=paid["transactionId"]),
        409,
        "not_cancellable",
    )

    undo = {"transactionId": paid["transactionId"], "reason": "sent back"}
    undone = good(await caller.send("POST", f"/v1/accounts/{NUMBER}/reversals", undo))
    assert [each["operation"] for each in undone["giftcards"]] == [1, 2]
    await _settled(cards, two["cardId"], 3)
    back = await cards.shown(two["cardId"], history="regular")
    assert (back["status"], back["balance"], back["history"][0]["kind"]) == ("Active", 10, "give_back")


@pytest.mark.parametrize(
    ("payment", "status", "code", "pointer"),
    [
        ({"amount": 5.01}, 409, "insufficient_balance", "/giftcards/0/amount"),
        ({"amount": 5, "currency": "SEK"}, 422, "currency_mismatch", "/giftcards/0/currency"),
        ({"amount": 0.001}, 422, "too_many_decimals", "/giftcards/0/amount"),
        ({"amount": 1, "cardId": "nobody's"}, 404, "gift_card_unknown", "/giftcards/0/cardId"),
    ],
)
async def test_a_card_that_does_not_pay_refuses_all(
    shop: tuple[Shop, Cards], payment: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    caller, cards = shop
    card = await cards.issue(5)
    body = {"loyaltyPrograms": [SPENDS], "giftcards": [{"cardId": card["cardId"], **payment}]}
    for path in (f"{PATH}/preview", PATH):
        refused(await caller.send("POST", path, body), status, code, pointer)
    assert (await cards.shown(card["cardId"]))["balance"] == 5


async def test_a_wrong_scratch_code_is_refused_before_anything_is_sent(shop: tuple[Shop, Cards]) -> None:
    caller, cards = shop
    card = await cards.issue(5)
    await cards.fed()
    wrong = {"serialNumber": card["serialNumber"], "scratchCode": "AAAA-BBBB-CCCC-DDDD", "amount": 1}
    response = await caller.send("POST", PATH, {"giftcards": [wrong]})
    refused(response, 404, "gift_card_unknown", "/giftcards/0/serialNumber")
    both = {**wrong, "cardId": card["cardId"]}
    assert (await caller.send("POST", PATH, {"giftcards": [both]})).status_code == 400


async def _settled(cards: Cards, card_id: str, sequence: int) -> None:
    """Wait until the card has booked so many mutations, and the views have them."""

    async def count() -> int:
        return len((await cards.shown(card_id, history="regular"))["history"])

    await eventually(count, sequence, 20)

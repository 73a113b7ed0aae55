"""Reversals of transactions with points and vouchers over HTTP: whole, partial, and refused (rules 4.1.13)."""

from typing import Any

import httpx
import pytest

from tests.harness import Installation
from tests.http.shop import BUY, CASHBACK, THRESHOLD, Shop, good, open_shop, points, serials
from tests.http.test_transactions_whole_real import CARD, OWNED, TEN, standing

pytestmark = pytest.mark.real


async def reverse(shop: Shop, transaction: str, *operations: int, key: str | None = None) -> httpx.Response:
    named = [{"operation": each} for each in operations]
    body = {"transactionId": transaction, "operations": named, "reason": "wrong customer"}
    return await shop.send("POST", f"/v1/accounts/{CARD}/reversals", body, key)


async def begun(shop: Shop) -> str:
    """A customer with 500 points in each programme, and vouchers."""
    who: str = (await shop.create(CARD))["customerId"]
    loads = [
        {"loyaltyPointDefinitionId": programme, "loads": [{"value": 500}]} for programme in (BUY, CASHBACK, THRESHOLD)
    ]
    good(await shop.transact(who, {"loyaltyPrograms": loads}))
    for serial, code in OWNED.items():
        await shop.issue(serial, code, CARD)
    return who


async def test_reversals_undo_all_operations_and_retries_get_the_same_outcome(installation: Installation) -> None:
    async with open_shop(installation) as shop:
        who = await begun(shop)
        before = await shop.get(who)
        done = good(await shop.transact(who, TEN))
        (bought,) = [each["serialId"] for each in done["issuedVouchers"]]
        answer = good(await reverse(shop, done["transactionId"], key="once"))
        assert [(each["operation"], each["programme"], each["amount"]) for each in answer["reversed"]] == [
            (0, BUY, 600),
            (1, CASHBACK, 5.25),
            (2, CASHBACK, 1.5),
            (3, THRESHOLD, 100),
            (4, BUY, 500),
        ]
        assert {each["loyaltyProgramId"]: each["pointsBalance"] for each in answer["balances"]} == {
            BUY: 500,
            CASHBACK: 500,
            THRESHOLD: 500,
        }
        assert {each["serialId"] for each in answer["restoredVouchers"]} == {*OWNED}
        assert [each["serialId"] for each in answer["voidedVouchers"]] == [bought]
        after = await shop.get(who)
        assert points(after) == points(before)
        assert serials(after) == serials(before) == {*OWNED}
        assert good(await reverse(shop, done["transactionId"], key="once")) == answer
        again = await reverse(shop, done["transactionId"])
        assert (again.status_code, again.json()["code"]) == (409, "already_reversed")
        again_used = good(await shop.transact(who, {"voucherRedemptions": [{"serialId": "W-1"}]}))
        assert [each["serialId"] for each in again_used["redeemedVouchers"]] == ["W-1"]


async def test_purchases_of_used_vouchers_cannot_be_reversed(installation: Installation) -> None:
    async with open_shop(installation) as shop:
        who = await begun(shop)
        done = good(await shop.transact(who, TEN))
        (bought,) = [each["serialId"] for each in done["issuedVouchers"]]
        part = {"loyaltyPointDefinitionId": BUY, "voucherRedemptions": [{"serialId": bought}]}
        used = good(await shop.transact(who, {"loyaltyPrograms": [part]}))
        before: tuple[Any, ...] = await standing(shop, who)
        refused = await reverse(shop, done["transactionId"])
        assert (refused.status_code, refused.json()["code"]) == (409, "voucher_used")
        assert refused.json()["pointer"] == "/transactionId"
        assert await standing(shop, who) == before
        good(await reverse(shop, used["transactionId"]))
        answer = good(await reverse(shop, done["transactionId"], 4, 5))
        assert points(await shop.get(who))[BUY] == 1100
        assert ([each["serialId"] for each in answer["voidedVouchers"]], len(answer["restoredVouchers"])) == (
            [bought],
            1,
        )

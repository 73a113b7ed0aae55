"""A transaction of ten operations is booked whole or not at all, whichever of them fails (rules 4.2.1, 4.2.4)."""

from copy import deepcopy
from typing import Any

import pytest

from tests.harness import Installation
from tests.http.everything import everything, types
from tests.http.shop import BUY, CASHBACK, THRESHOLD, VAULT, Shop, good, open_shop, points, serials
from tests.http.test_openapi import schema

pytestmark = pytest.mark.real

CARD, OTHER = "6299000000000000017", "6299000000000000025"
OWNED = {"T-1": "VOUCHER-25", "T-2": "VOUCHER-25", "B-1": "VOUCHER-5", "W-1": "WELCOME", "W-2": "WELCOME"}
TEN: dict[str, Any] = {
    "loyaltyPrograms": [
        {
            "loyaltyPointDefinitionId": BUY,
            "loads": [{"value": 600}],
            "purchases": [{"voucherId": "VOUCHER-5"}],
            "voucherRedemptions": [{"serialId": "B-1"}],
        },
        {"loyaltyPointDefinitionId": CASHBACK, "loads": [{"value": 5.25}], "redemptions": [{"value": 1.5}]},
        {
            "loyaltyPointDefinitionId": THRESHOLD,
            "redemptions": [{"value": 100}],
            "voucherRedemptions": [{"serialId": "T-1"}, {"serialId": "T-2"}],
        },
    ],
    "voucherRedemptions": [{"serialId": "W-1"}, {"serialId": "W-2"}],
}
LOADS = [{"loyaltyPointDefinitionId": programme, "loads": [{"value": 500}]} for programme in (BUY, CASHBACK, THRESHOLD)]
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "/loyaltyPrograms/0/loads/0": ({"value": -1}, "value_negative"),
    "/loyaltyPrograms/1/loads/0": ({"value": 5.255}, "too_many_decimals"),
    "/loyaltyPrograms/1/redemptions/0": ({"value": 1000}, "insufficient_points"),
    "/loyaltyPrograms/2/redemptions/0": ({"value": 1000}, "insufficient_points"),
    "/loyaltyPrograms/0/purchases/0": ({"voucherId": "WELCOME"}, "voucher_not_offered"),
    "/loyaltyPrograms/0/voucherRedemptions/0": ({"serialId": "T-1"}, "programme_mismatch"),
    "/loyaltyPrograms/2/voucherRedemptions/0": ({"serialId": "no-such"}, "voucher_unknown"),
    "/loyaltyPrograms/2/voucherRedemptions/1": ({"serialId": "T-1"}, "voucher_redeemed"),
    "/voucherRedemptions/0": ({"serialId": "foreign"}, "voucher_foreign"),
    "/voucherRedemptions/1": ({"serialId": "void", "void": True}, "voucher_void"),
}
"""What makes each operation fail, all others left as they are."""


def faulty(pointer: str) -> dict[str, Any]:
    """The ten operations, one of which fails."""
    body = deepcopy(TEN)
    place: Any = body
    *steps, last = pointer.split("/")[1:]
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[int(last)] = FAULTS[pointer][0]
    return body


def agreed(answer: dict[str, Any]) -> dict[str, Any]:
    """The common part of a preview and its transaction: all but the serials that the transaction generates."""
    drawn = {each["serialId"] for each in answer["issuedVouchers"]}
    shown: dict[str, Any] = {
        "balances": [(each["loyaltyProgramId"], each["pointsBalance"]) for each in answer["balances"]]
    }
    for name in ("issuedVouchers", "redeemedVouchers", "voidedVouchers"):
        shown[name] = [
            (each["operation"], each["voucherId"], each["programme"], each["benefit"], each["serialId"] in drawn)
            for each in answer[name]
        ]
        shown[f"{name} by serial"] = [each["serialId"] for each in answer[name] if each["serialId"] not in drawn]
    return shown


async def standing(shop: Shop, who: str) -> tuple[Any, ...]:
    """All that a transaction could change: the customer, the account's numbers, its movements."""
    account = good(await shop.account(CARD))
    movements = good(await shop.client.get(f"/v1/accounts/{CARD}/statement"))
    # Holding and releasing are commands, too, which is what the version counts.
    counted = {name: value for name, value in account.items() if name not in ("version", "bookedAt")}
    return await shop.get(who), counted, movements


async def test_a_transaction_with_one_failing_operation_books_nothing(installation: Installation) -> None:
    async with open_shop(installation) as shop:
        who = (await shop.create(CARD))["customerId"]
        good(await shop.transact(who, {"loyaltyPrograms": LOADS}))
        for serial, code in OWNED.items():
            await shop.issue(serial, code, CARD)
        await shop.issue("foreign", "WELCOME", OTHER)
        await shop.issue("void", "WELCOME", CARD)
        good(await shop.transact(who, {"voucherRedemptions": [{"serialId": "void", "void": True}]}))
        before = await standing(shop, who)
        await shop.fed()
        stored, asked = await everything(installation), len(await types(installation, "points.commands"))
        previews = {pointer: await shop.preview(who, faulty(pointer)) for pointer in FAULTS}
        previewed = good(await shop.preview(who, TEN))
        new = good(
            await shop.send("POST", f"{VAULT.format('6299000000000000033')}/preview", {"loyaltyPrograms": LOADS})
        )
        assert await everything(installation) == stored, "a preview leaves nothing"
        assert len(await types(installation, "points.commands")) == asked + len(FAULTS) + 2
        assert {*(await types(installation, "points.commands"))} >= {"points.preview_transaction.v1"}
        schema("PreviewAnswer").validate(previewed)
        assert [each["pointsBalance"] for each in new["balances"]] == [500, 500, 500]
        assert serials(before[0]) == {*OWNED}
        assert len(FAULTS) == 10
        for pointer, (_, code) in FAULTS.items():
            response = await shop.transact(who, faulty(pointer))
            refusal = response.json()
            assert response.status_code in (409, 422), pointer
            assert (previews[pointer].status_code, previews[pointer].json()) == (response.status_code, refusal), pointer
            assert refusal["code"] == code, pointer
            assert refusal["pointer"] == pointer or refusal["pointer"].startswith(f"{pointer}/"), refusal
            assert await standing(shop, who) == before, pointer
        answer = good(await shop.transact(who, TEN))
        assert agreed(previewed) == agreed(answer)
        assert {each["loyaltyProgramId"]: each["pointsBalanceBefore"] for each in previewed["balances"]} == {
            name: points(before[0])[name] for name in (BUY, CASHBACK, THRESHOLD)
        }
        after = await shop.get(who)
        assert {each["serialId"] for each in answer["redeemedVouchers"]} == {*OWNED}
        assert serials(after) == {each["serialId"] for each in answer["issuedVouchers"]}
        assert points(after) == {
            BUY: 600,
            CASHBACK: 503.75,
            THRESHOLD: 400,
            "LOY22-Orders": 0,
        }

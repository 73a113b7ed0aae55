"""Vouchers and customers under `/v1` on real servers: issue, void, cards, states, anonymisation, export."""

import pytest

from tests.harness import Installation, eventually
from tests.http.caller import load
from tests.http.shop import BUY, FAMILY, good, open_shop, points, serials

pytestmark = pytest.mark.real

ANNA = {"firstName": "Anna", "emailAddress": "anna@example.com"}


async def test_vouchers_are_issued_read_and_voided(installation: Installation) -> None:
    async with open_shop(installation) as shop:
        who, card = (found := await shop.create(**ANNA))["customerId"], found["cardNumber"]
        body = {"voucherId": "VOUCHER-5", "accountNumber": card, "reason": "late delivery"}
        first, again = [good(await shop.send("POST", "/v1/vouchers", body, "key-1")) for _ in range(2)]
        assert first == again
        assert (first["state"], first["accountNumber"], len(first["serialId"])) == ("issued", card, 19)
        assert serials(await shop.get(who)) == {first["serialId"]}
        assert good(await shop.client.get(f"/v1/vouchers/{first['serialId']}")) == first
        second = good(await shop.send("POST", "/v1/vouchers", body, "key-2"))
        owned = sorted([first, second], key=lambda each: str(each["serialId"]))
        page = good(await shop.client.get(f"/v1/customers/{who}/vouchers", params={"size": 1}))
        assert (page["customer"], page["vouchers"]) == (who, owned[:1])
        rest = good(await shop.client.get(page["next"]))
        assert (rest["vouchers"], rest["next"]) == (owned[1:], None)
        assert (await shop.client.get("/v1/customers/nobody/vouchers")).status_code == 404
        good(await shop.send("POST", f"/v1/vouchers/{second['serialId']}/void", {"reason": "one too many"}))
        bearer = good(await shop.send("POST", "/v1/vouchers", {"voucherId": "WELCOME", "serialId": "W", "reason": "x"}))
        assert (bearer["serialId"], bearer["account"]) == ("W", None)
        for wrong, status, code in (
            ({"voucherId": "WELCOME", "serialId": "W", "reason": "x"}, 409, "serial_in_use"),
            ({"voucherId": "VOUCHER-5", "reason": "x"}, 422, "bearer_not_allowed"),
            ({"voucherId": "NOPE", "accountNumber": card, "reason": "x"}, 422, "definition_unknown"),
        ):
            response = await shop.send("POST", "/v1/vouchers", wrong)
            assert (response.status_code, response.json()["code"]) == (status, code)
        void = good(await shop.send("POST", f"/v1/vouchers/{first['serialId']}/void", {"reason": "lost"}))
        assert void["state"] == "void"
        assert serials(await shop.get(who)) == set()
        response = await shop.send("POST", f"/v1/vouchers/{first['serialId']}/void", {"reason": "lost"})
        assert (response.status_code, response.json()["code"]) == (409, "voucher_void")
        assert (await shop.client.get("/v1/vouchers/no-such")).status_code == 404


async def test_customers_get_cards_and_are_blocked_exported_and_anonymised(installation: Installation) -> None:
    async with open_shop(installation) as shop:
        who, card = (found := await shop.create(**ANNA))["customerId"], found["cardNumber"]
        good(await shop.transact(who, load(700)))
        good(await shop.transact(who, {"loyaltyPrograms": [buying()]}))
        admin = f"/v1/customers/{who}"
        new = good(await shop.send("POST", f"{admin}/cards", {"replaces": card}))["cardNumber"]
        shown = await shop.get(who)
        assert (shown["cardNumber"], points(shown)[BUY], len(shown["vouchers"])) == (new, 200, 1)
        await eventually(lambda: shop.balance(new), 200)
        good(await shop.transact(who, load(5)))
        assert points(await shop.get(who))[BUY] == 205
        assert good(await shop.send("POST", f"{admin}/cards", {"cardNumber": "X"}))["cardNumber"] == "X"
        assert await shop.search(cardNumber="X") == [who]
        blocked = good(await shop.send("PUT", f"{admin}/state", {"state": "blocked", "reason": "x"}))
        assert blocked == {"customer": who, "state": "blocked"}
        everything = good(await shop.client.get(f"{admin}/export"))
        assert everything["customer"]["customerInfo"]["emailAddress"] == "anna@example.com"
        assert [each["cardNumber"] for each in everything["customer"]["cards"]] == [card, new, "X"]
        (account,) = everything["accounts"]
        assert [each["delta"] for each in account["movements"]] == [5, -500, 700]
        assert [each["state"] for each in everything["vouchers"]] == ["issued"]
        used = "6299000000000000777"
        good(await shop.send("POST", f"/api/v1.0/LoyaltyVault/Account/{used}/Transaction", load(9)))
        good(await shop.send("POST", f"{admin}/cards", {"replaces": new, "cardNumber": used}))
        await eventually(lambda: shop.balance(used), 214)
        assert await shop.balance(card) == 214
        gone = good(await shop.send("POST", f"{admin}/anonymise"))
        assert gone["goneBy"] > "2026"
        assert (await shop.client.get(f"{FAMILY}/{who}")).status_code == 404
        assert await shop.search(firstName="anna") == []
        assert "nna" not in (await shop.client.get(f"{admin}/export")).text
        response = await shop.send("PUT", f"{FAMILY}/{who}", {"customerInfo": {"city": "Utrecht"}})
        assert (response.status_code, response.json()["code"]) == (409, "customer_anonymised")


def buying() -> dict[str, object]:
    return {"loyaltyPointDefinitionId": BUY, "purchases": [{"voucherId": "VOUCHER-5"}]}

"""Isolation of stores: no operation reads or changes anything of another store, with any of its ids."""

import copy
from typing import Any

import httpx
import orjson
import pytest

from shared.clock import now_ms
from shared.ids import account_id, new_id
from shared.runtime.kafka import partition_of
from shared.runtime.requests import Operation
from tests.harness import Command, Installation
from tests.http.caller import load
from tests.http.cards import EUR, SWITCH
from tests.http.declared import check_declared
from tests.http.shop import Shop, good, open_shop
from tests.http.test_bodies import JSON
from tests.http.test_every_operation import CALLS, Call
from tests.tokens import authorization

pytestmark = pytest.mark.real

LISTS = ("/v1/refusals", "/v1/giftcards/batches")
NAME, MAIL = "Wilhelmina", "wilhelmina@example.com"


async def seen(shop: Shop, ids: dict[str, str]) -> dict[str, Any]:
    """All that the store itself shows of what the ids name."""
    account, customer = f"/v1/accounts/{ids['accountNumber']}", f"/v1/customers/{ids['customerId']}"
    paths = [account, f"{account}/statement?size=100", f"{customer}/export", f"/v1/vouchers/{ids['serialId']}"]
    paths += [f"/v1/giftcards/{ids['serialNumber']}", f"/v1/giftcards/{ids['serialNumber']}/history"]
    paths += [f"/v1/refusals/{ids['refusalId']}", f"/v1/operations/{ids['operationId']}"]
    return {path: good(await shop.client.get(path)) for path in paths}


async def declared(installation: Installation) -> None:
    """Have a gift card type declared."""
    declaring = Command("giftcard.put_type.v1", "EUR-GIFT", {"cardType": EUR})
    await installation.command(declaring)
    await installation.settled([declaring.id], service="giftcard")


async def one_of_each(shop: Shop) -> dict[str, str]:
    """A customer with points and a voucher, a gift card, and a refusal: the ids by which operations name them."""
    found = await shop.create(firstName=NAME, emailAddress=MAIL)
    customer, card = found["customerId"], found["cardNumber"]
    good(await shop.transact(customer, load(700)))
    voucher = good(
        await shop.send("POST", "/v1/vouchers", {"voucherId": "VOUCHER-5", "accountNumber": card, "reason": "x"})
    )
    assert (await shop.adjust(card, programme="LOY22-BuyVouchers", value=-9_999, reason="x")).status_code == 409
    await shop.fed()
    await shop.installation.fed("points.events")
    (refusal,) = good(await shop.client.get(f"/v1/refusals?account={card}"))["refusals"]
    gift_card = good(await shop.send("POST", f"{SWITCH}/Issue", {"cardType": "EUR-GIFT", "amount": 77.77}))
    partition = partition_of(account_id("default", card), shop.installation.settings.partitions)
    return {
        "accountNumber": card,
        "customerId": customer,
        "serialId": voucher["serialId"],
        "refusalId": refusal["id"],
        **{name: gift_card[name] for name in ("cardId", "serialNumber", "scratchCode")},
        "tierSet": "LEVELS",
        "operationId": str(Operation("points", partition, refusal["transactionId"], now_ms())),
        "transactionId": refusal["transactionId"],
    }


def naming(body: Any, ids: dict[str, str]) -> Any:
    """A documented body with the ids of what the store has, where it names such things."""
    changed = copy.deepcopy(body)
    for name in ("accountNumber", "transactionId", "cardId", "serialNumber", "scratchCode"):
        if isinstance(changed, dict) and name in changed:
            changed[name] = ids[name]
    if isinstance(changed, dict) and "transactionId" in changed and "cardId" in changed:
        changed["transactionId"] = new_id()
    return changed


async def test_clients_cannot_access_another_store(installation: Installation) -> None:
    async with open_shop(installation, "giftcard") as shop:
        await declared(installation)
        ids = await one_of_each(shop)
        before = await seen(shop, ids)
        assert before[f"/v1/operations/{ids['operationId']}"]["status"] == "rejected"
        headers = await authorization(installation.settings, "other", "other")
        hooks = {"response": [check_declared]}
        async with httpx.AsyncClient(
            base_url=shop.client.base_url, headers=headers, event_hooks=hooks, timeout=30
        ) as other:
            for parameters in CALLS:
                call = parameters.values[0]
                assert isinstance(call, Call)
                await check(call, await called(call, other, ids), ids)
        await shop.fed()
        assert await seen(shop, ids) == before


async def called(call: Call, client: httpx.AsyncClient, ids: dict[str, str]) -> httpx.Response:
    """The answer to a call that names what the first store has."""
    path = call.path
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    content = b"" if call.body is None else orjson.dumps(naming(call.body, ids))
    return await client.request(call.method, path, content=content, params=call.query, headers=JSON)


async def check(call: Call, response: httpx.Response, ids: dict[str, str]) -> None:
    """What is read of another store is not there; nothing of it is in any answer."""
    where = (call.method, call.path, response.status_code, response.text)
    if call.path.endswith("/operations/{operationId}"):
        assert response.json()["status"] == "never_accepted", where
    elif call.method == "get" and call.path not in LISTS:
        assert response.status_code == 404, where
    assert not any(each in response.text for each in (NAME, MAIL, ids["refusalId"], "77.77")), where
    if "/giftcard" in call.path and "/batches" not in call.path and not call.path.endswith(("/Issue", "/Cancel")):
        assert (response.status_code, response.json()["code"]) == (404, "gift_card_unknown"), where
    if "serialId" not in call.path:
        assert ids["serialId"] not in response.text, where

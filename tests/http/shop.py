"""A running shop for tests: the three services and an edge on real servers, with the demo's declarations."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import orjson
import yaml

from shared.ids import account_id
from tests.harness import DEMO, Command, Installation
from tests.http.caller import Caller, calling
from tests.http.test_bodies import JSON

FAMILY = "/api/v1.0/Switch/Crm/Customer"
VAULT = "/api/v1.0/LoyaltyVault/Account/{}/Transaction"
BUY, THRESHOLD, CASHBACK = "LOY22-BuyVouchers", "LOY22-IssueThreshold", "CASHBACK"


class Shop(Caller):
    """Calls about customers."""

    def __init__(self, installation: Installation, client: httpx.AsyncClient) -> None:
        super().__init__(client)
        self.installation = installation

    async def send(self, method: str, path: str, body: Any = None, key: str | None = None) -> httpx.Response:
        """Any call with a JSON body."""
        content = body if isinstance(body, bytes) else None if body is None else orjson.dumps(body)
        headers = JSON if key is None else {**JSON, "Idempotency-Key": key}
        return await self.client.request(method, path, content=content, headers=headers)

    async def create(self, card: str | None = None, **info: Any) -> dict[str, Any]:
        """A new customer, as Create answers it."""
        body = {"customerInfo": info} | ({} if card is None else {"cardNumber": card})
        created: dict[str, Any] = good(await self.send("POST", f"{FAMILY}/Create", body))
        return created

    async def get(self, customer: str) -> dict[str, Any]:
        """A customer, as Get answers it."""
        found: dict[str, Any] = good(await self.client.get(f"{FAMILY}/{customer}"))
        return found

    async def search(self, query: str = "", **parameters: str) -> list[str]:
        """The ids that a search finds."""
        response = await self.send("POST", f"{FAMILY}/Search{query}", {"parameters": parameters})
        return [each["id"] for each in good(response)["customers"]]

    async def transact(self, customer: str, body: Any, key: str | None = None) -> httpx.Response:
        """Post a customer's transaction."""
        return await self.send("POST", f"{FAMILY}/{customer}/Transaction", body, key)

    async def preview(self, customer: str, body: Any) -> httpx.Response:
        """Preview a customer's transaction."""
        return await self.send("POST", f"{FAMILY}/{customer}/Transaction/preview", body)

    async def issue(self, serial: str, code: str, card: str | None) -> None:
        """Issue a voucher of a definition to the account of a card, or to bearer."""
        body: dict[str, Any] = {"voucherId": code, "serialId": serial, "reason": "a test"}
        if card is not None:
            body |= {"account": account_id("default", card), "accountNumber": card}
        command = Command("voucher.issue.v1", body.get("account", serial), body)
        await self.installation.command(command)
        await self.installation.settled([command.id], service="voucher")
        entry = await self.installation.entry(command.id, "voucher")
        assert entry is not None
        assert entry["status"] == "accepted", entry
        await self.fed()

    async def fed(self) -> None:
        """Wait until the views have all snapshots."""
        for service in ("points", "voucher", "customer"):
            await self.installation.fed(f"{service}.snapshots")


def good(response: httpx.Response) -> Any:
    """The body of a 200."""
    assert response.status_code == 200, response.text
    return response.json()


def points(customer: dict[str, Any]) -> dict[str, Any]:
    """The balances, by programme."""
    return {each["loyaltyProgramId"]: each["pointsBalance"] for each in customer["balances"]}


def serials(customer: dict[str, Any]) -> set[str]:
    """The vouchers that can be used."""
    return {each["id"] for each in customer["vouchers"]}


@asynccontextmanager
async def open_shop(installation: Installation, *more: str, **environment: str) -> AsyncIterator[Shop]:
    """The demo, declared; its services and `more` running; and a caller that may do everything."""
    document = yaml.safe_load(DEMO.read_bytes())
    definitions = [
        Command("voucher.put_definition.v1", each["code"], {"definition": each}) for each in document["vouchers"]
    ]
    tier_sets = [Command("points.put_tier_set.v1", each["id"], {"tierSet": each}) for each in document["tierSets"]]
    await installation.commands([*definitions, *tier_sets])
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(installation.services("points", "voucher", "customer", *more))
        await installation.settled([each.id for each in definitions], service="voucher")
        await installation.settled([each.id for each in tier_sets])
        caller = await stack.enter_async_context(calling(installation, **environment))
        shop = Shop(installation, caller.client)
        await shop.fed()
        yield shop

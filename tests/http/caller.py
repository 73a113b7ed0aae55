"""HTTP calls as the tests make them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import httpx
import jwt
import orjson

from tests.harness import Installation
from tests.http.declared import check_declared
from tests.http.exercised import note_answered
from tests.http.test_bodies import JSON
from tests.tokens import authorization

POINTS = "LOY22-BuyVouchers"


class Caller:
    """Posts transactions and corrections, and reads accounts."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def post(self, number: str, body: bytes | dict[str, Any], key: str | None = None) -> httpx.Response:
        """Post a transaction."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        headers = JSON if key is None else {**JSON, "Idempotency-Key": key}
        path = f"/api/v1.0/LoyaltyVault/Account/{number}/Transaction"
        return await self.client.post(path, content=content, headers=headers)

    async def adjust(self, number: str, key: str | None = None, **body: Any) -> httpx.Response:
        """Post a correction."""
        headers = JSON if key is None else {**JSON, "Idempotency-Key": key}
        path = f"/v1/accounts/{number}/adjustments"
        return await self.client.post(path, content=orjson.dumps(body), headers=headers)

    def actor(self) -> str:
        """The caller's name in the journal and in statements."""
        token = self.client.headers["Authorization"].partition(" ")[2]
        return f"client:{jwt.decode(token, options={'verify_signature': False})['sub']}"

    async def account(self, number: str) -> httpx.Response:
        """Get an account."""
        return await self.client.get(f"/v1/accounts/{number}")

    async def balance(self, number: str, programme: str = POINTS) -> Any:
        """The balance of a programme; 0 if there is no account."""
        response = await self.account(number)
        if response.status_code == 404:
            return 0
        balances = {item["programme"]: item["balance"] for item in decimals(response)["balances"]}
        return balances.get(programme, 0)


def load(value: Any, programme: str = POINTS) -> dict[str, Any]:
    """A transaction with one load."""
    return {"loyaltyPrograms": [{"loyaltyPointDefinitionId": programme, "loads": [{"value": value}]}]}


def redeem(value: Any, programme: str = POINTS) -> dict[str, Any]:
    """A transaction with one redemption."""
    return {"loyaltyPrograms": [{"loyaltyPointDefinitionId": programme, "redemptions": [{"value": value}]}]}


def decimals(response: httpx.Response) -> Any:
    """The body with exact numbers."""
    return response.json(parse_float=Decimal)


async def metrics_of(installation: Installation, name: str = "edge-0") -> str:
    """The Prometheus metrics of a process."""
    async with httpx.AsyncClient(follow_redirects=True) as client:
        return (await client.get(f"http://127.0.0.1:{installation.ports[name]}/metrics")).text


@asynccontextmanager
async def calling(installation: Installation, **environment: str) -> AsyncIterator[Caller]:
    """A running edge, and a caller of it."""
    async with (
        installation.edge(**environment) as url,
        httpx.AsyncClient(
            base_url=url,
            timeout=httpx.Timeout(30, pool=None),  # A call may wait for its turn as long as its test.
            limits=httpx.Limits(max_connections=200, max_keepalive_connections=200),
            headers=await authorization(installation.settings),
            event_hooks={"response": [check_declared, note_answered]},
        ) as client,
    ):
        yield Caller(client)

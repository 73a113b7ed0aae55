"""Movements as the points service publishes them, an edge in this process over a real database, and its pages."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from schemas.base import format_instant
from schemas.points import ACCOUNT_VIEW
from schemas.replies import SnapshotPart
from services.edge import main
from services.edge.edge import Edge
from services.edge.views.views import Views
from shared.ids import account_id
from tests.harness import Installation
from tests.http.seen import bring
from tests.tokens import authorization

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def change(number: str, sequence: int, *, after_s: float = 0, **more: Any) -> dict[str, Any]:
    """The movement `sequence` of an account, booked so long after `START`."""
    at = format_instant(START + timedelta(seconds=after_s))
    return {
        "account": account_id("default", number),
        "accountNumber": number,
        "programme": "P",
        "programmeVersion": 1,
        "sequence": sequence,
        "kind": "load",
        "delta": 1,
        "pendingDelta": 0,
        "scale": 0,
        "unit": "points",
        "booked": sequence,
        "pending": 0,
        "transactionId": f"t-{sequence}",
        "operation": 0,
        "source": {"order": None, "receipt": "r", "shop": "Webshop", "till": None, "operator": None},
        "reason": None,
        "occurredAt": at,
        "bookedAt": at,
        **more,
    }


def account(number: str, version: int = 1, **more: Any) -> SnapshotPart:
    """A snapshot of an account with nothing in it."""
    id_ = account_id("default", number)
    value = {
        "version": version,
        "account": id_,
        "accountNumber": number,
        "state": "active",
        "numbers": [],
        "forwardsTo": None,
        "sequence": 0,
        "balances": [],
        "tiers": [],
        "bookedAt": format_instant(START),
        **more,
    }
    return SnapshotPart(stream=f"account/default/{id_}", version=version, type=ACCOUNT_VIEW, value=value)


class Ledger:
    """An edge with connected views and without feeds: they contain only what a test applies."""

    def __init__(self, views: Views, client: httpx.AsyncClient) -> None:
        self.views = views
        self.client = client

    async def book(self, changes: Iterable[dict[str, Any]], *numbers: str) -> None:
        """Apply movements and snapshots of these accounts, as from a reply."""
        await bring(self.views, [account(number) for number in numbers], [*changes])

    async def page(self, number: str, query: str = "") -> dict[str, Any]:
        """One page of a statement."""
        return await self.follow(f"/v1/accounts/{number}/statement?{query}")

    async def follow(self, path: str) -> dict[str, Any]:
        """The page at a path."""
        response = await self.client.get(path)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def pages(self, number: str, query: str = "") -> AsyncIterator[list[int]]:
        """The sequences of page after page, until there is none."""
        page, last = await self.page(number, query), 10**9
        while True:
            shown = [movement["sequence"] for movement in page["movements"]]
            assert not shown or shown[0] < last, f"{shown[0]} comes after {last}"
            yield shown
            last = shown[-1] if shown else last
            if page["next"] is None:
                return
            page = await self.follow(page["next"])

    async def code(self, path: str) -> tuple[int, str, str | None]:
        """Status, code and parameter of the problem at a path."""
        response = await self.client.get(path)
        assert response.headers["content-type"] == "application/problem+json", response.text
        document = response.json()
        return response.status_code, document["code"], document.get("parameter")


@asynccontextmanager
async def ledger_of(installation: Installation) -> AsyncIterator[Ledger]:
    """An edge in this process over an installation's database; it joins no group."""
    edge = Edge(installation.settings)
    await edge.views.start()
    transport = httpx.ASGITransport(main.application(edge))
    headers = await authorization(installation.settings)
    async with httpx.AsyncClient(transport=transport, base_url="http://edge", headers=headers) as client:
        yield Ledger(edge.views, client)
    await edge.views.stop()

"""A running shop of gift cards for tests: the gift card service and an edge on real servers, with two card types."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson

from schemas.giftcards import CARD_VIEW
from schemas.replies import SnapshotPart
from tests.contract.giftcard_examples import CHANGED, VIEW
from tests.harness import Command, Installation
from tests.http.caller import Caller, calling
from tests.http.test_bodies import JSON

SWITCH = "/api/v1.0/Switch/giftcard"
EUR: dict[str, Any] = {
    "code": "EUR-GIFT",
    "currency": "EUR",
    "reload": True,
    "validity": {"years": 3},
    "articleSetCode": "BOOKS",
    "switchId": "TREAZURE",
}
YEN: dict[str, Any] = {"code": "JPY-GIFT", "currency": "JPY"}
TILL = {"SiteId": "12", "PosId": "3", "ReceiptReference": "R-1001", "UtcOffset": "+01:00"}


def card_snapshot(card_id: str, version: int, store: str = "default", **more: Any) -> SnapshotPart:
    """A snapshot of a card whose latest mutation is its version."""
    value = {**VIEW.model_dump(mode="json", by_alias=True), "cardId": card_id, "serialNumber": f"S-{card_id}"}
    value |= {"sequence": version, "version": version, **more}
    return SnapshotPart(stream=f"card/{store}/{card_id}", version=version, type=CARD_VIEW, value=value)


def card_change(card_id: str, sequence: int, **more: Any) -> dict[str, Any]:
    """The mutation `sequence` of a card, as it is published."""
    value = CHANGED.model_dump(mode="json", by_alias=True)
    return {**value, "cardId": card_id, "sequence": sequence, "transactionId": f"t-{sequence}", **more}


class Cards(Caller):
    """Calls about gift cards."""

    def __init__(self, installation: Installation, client: httpx.AsyncClient) -> None:
        super().__init__(client)
        self.installation = installation

    async def call(
        self, operation: str, headers: dict[str, str] | None = None, key: str | None = None, **body: Any
    ) -> httpx.Response:
        """Post to an operation of the gift card document, from a till."""
        keyed = {} if key is None else {"Idempotency-Key": key}
        sent = {**JSON, **(TILL if headers is None else headers), **keyed}
        return await self.client.post(f"{SWITCH}/{operation}", content=orjson.dumps(body), headers=sent)

    async def issue(self, amount: float = 25, **body: Any) -> dict[str, Any]:
        """A new card in euros."""
        issued: dict[str, Any] = good(await self.call("Issue", **{"cardType": "EUR-GIFT", "amount": amount, **body}))
        return issued

    async def shown(self, card_id: str, **body: Any) -> Any:
        """The card, as GetBalance answers it."""
        return good(await self.call("GetBalance", cardId=card_id, **body))

    async def create(self, card_id: str, serial_number: str) -> None:
        """A card that is for sale, without a scratch code."""
        body = {"cardId": card_id, "serialNumber": serial_number, "cardType": "EUR-GIFT"}
        await self.done(Command("giftcard.create.v1", card_id, body))

    async def done(self, *commands: Command) -> None:
        """Have commands booked, and the views fed."""
        await self.installation.commands(list(commands))
        await self.installation.settled([each.id for each in commands], service="giftcard")
        for each in commands:
            entry = await self.installation.entry(each.id, "giftcard")
            assert entry is not None
            assert entry["status"] == "accepted", entry
        await self.fed()

    async def fed(self) -> None:
        """Wait until the views have all snapshots and changes."""
        for topic in ("giftcard.snapshots", "giftcard.changes"):
            await self.installation.fed(topic)


def good(response: httpx.Response) -> Any:
    """The body of a 200."""
    assert response.status_code == 200, response.text
    return response.json()


def refused(response: httpx.Response, status: int, code: str, pointer: str | None = None) -> None:
    """The response is this problem."""
    found = response.json()
    assert (response.status_code, found["code"], found.get("pointer")) == (status, code, pointer), response.text


@asynccontextmanager
async def open_cards(installation: Installation, **environment: str) -> AsyncIterator[Cards]:
    """Two card types, declared; the service and an edge running; and a caller that may do everything."""
    types = [Command("giftcard.put_type.v1", each["code"], {"cardType": each}) for each in (EUR, YEN)]
    async with installation.services("giftcard"), calling(installation, **environment) as caller:
        cards = Cards(installation, caller.client)
        await cards.done(*types)
        yield cards

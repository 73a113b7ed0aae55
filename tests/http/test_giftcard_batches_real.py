"""Batches of gift cards over HTTP, on real servers: opened once, watched until they are full, listed in pages."""

from typing import Any

import httpx
import orjson
import pytest

from tests.harness import Installation, eventually
from tests.http.cards import Cards, good, open_cards, refused
from tests.http.test_bodies import JSON
from tests.tokens import authorization

pytestmark = pytest.mark.real

BATCHES = "/v1/giftcards/batches"


async def opening(cards: Cards, batch: str, count: int = 250, key: str | None = None, **more: Any) -> httpx.Response:
    body = {"batchId": batch, "cardType": "EUR-GIFT", "count": count, **more}
    keyed = {} if key is None else {"Idempotency-Key": key}
    return await cards.client.post(BATCHES, content=orjson.dumps(body), headers={**JSON, **keyed})


async def test_a_batch_is_opened_once_filled_and_listed(empty_installation: Installation) -> None:
    installation = empty_installation
    async with open_cards(installation) as cards:
        first = good(await opening(cards, "b-2", key="k"))
        assert (first["count"], first["cardType"]) == (250, "EUR-GIFT")
        again = await opening(cards, "b-2", key="k")
        assert (good(again)["batchId"], again.headers["Idempotency-Replayed"]) == ("b-2", "true")
        refused(await opening(cards, "b-2"), 409, "batch_exists", "/batchId")
        refused(await opening(cards, "b-9", cardType="NONE"), 422, "card_type_unknown", "/cardType")
        refused(await opening(cards, "b-9", count=0), 400, "value_out_of_range", "/count")
        refused(await opening(cards, "b-9", count=100_001), 400, "value_out_of_range", "/count")

        async def state() -> str:
            return str(good(await cards.client.get(f"{BATCHES}/b-2"))["state"])

        await eventually(state, "filled")
        shown = good(await cards.client.get(f"{BATCHES}/b-2"))
        assert shown["created"] == 250
        assert not {"seed", "key", "exportId"} & shown.keys()

        for name in ("b-1", "b-3"):
            good(await opening(cards, name, count=1))
        page = good(await cards.client.get(BATCHES, params={"size": "2"}))
        assert [each["batchId"] for each in page["batches"]] == ["b-1", "b-2"]
        last = good(await cards.client.get(page["next"]))
        assert ([each["batchId"] for each in last["batches"]], last["next"]) == (["b-3"], None)

        headers = await authorization(installation.settings, "other", "other")
        async with httpx.AsyncClient(base_url=cards.client.base_url, headers=headers, timeout=30) as other:
            assert good(await other.get(BATCHES)) == {"batches": [], "next": None}
            refused(await other.get(f"{BATCHES}/b-2"), 404, "not_found")

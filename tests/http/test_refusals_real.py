"""Refused input messages are visible over HTTP, on the command line and in the metrics."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from schemas.envelope import Envelope
from schemas.topics import TOPICS as TABLE
from services.edge.views import refusal_store as refusals
from services.edge.views.refusal_store import Place, Query
from services.edge.views.upserts import create
from shared.ids import account_id, new_id
from tests.harness import Installation, eventually, new_installation
from tests.http.caller import Caller, calling, load
from tests.http.test_statements_explained_real import executed
from tests.real.test_cli import fealty
from tests.servers import Servers

pytestmark = pytest.mark.real


def order(number: str, account: str, amount: float, shop: str = "first") -> dict[str, Any]:
    """An order of one line."""
    lines = [{"line": "1", "quantity": 1, "netAmount": amount}]
    placed = {"currency": "EUR", "placedAt": "2026-11-22T10:00:00Z", "lines": lines}
    return {"order": number, "accountNumber": account, "shop": shop, **placed}


async def tell(installation: Installation, id_: str, body: dict[str, Any]) -> None:
    """Publish an order as the web shop does."""
    envelope = Envelope(id=id_, type="order.placed.v1", source="/shop/nl", subject=body["order"])
    await installation.send("webshop.orders", orjson.dumps(body), [*envelope.headers()], body["order"])


async def listed(caller: Caller, query: str = "") -> list[dict[str, Any]]:
    """The refusals of one page."""
    response = await caller.client.get(f"/v1/refusals?{query}")
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["refusals"]
    return found


async def test_refused_orders_are_listed_readable_and_counted(installation: Installation) -> None:
    async with installation.points(), calling(installation) as caller:
        await tell(installation, "S-1", order("W-1", "A-1", 10.005))
        await tell(installation, "S-2", order("W-2", "A-2", 10.0))
        await installation.drained(group="points.reactions.webshop.orders", topic="webshop.orders")
        await installation.drained()
        await tell(installation, "S-3", order("W-2", "A-3", 10.0, "second"))
        refused = await caller.post("A-1", load(1, "nothing"))
        assert refused.status_code == 422
        await eventually(lambda: count(caller), 3)

        by_code = {each["code"]: each for each in await listed(caller)}
        assert set(by_code) == {"too_many_decimals", "order_account_mismatch", "programme_unknown"}
        first = by_code["too_many_decimals"]
        assert first["input"] == {"topic": "webshop.orders", "source": "/shop/nl", "id": "S-1"}
        assert (first["accountNumber"], first["order"], first["pointer"]) == ("A-1", "W-1", "/lines/0")
        assert (first["sender"], first["command"]) == ("/points/reactions", "points.place_order.v1")
        other_shop = by_code["order_account_mismatch"]
        assert (other_shop["order"], other_shop["shop"]) == ("W-2", "second")
        assert "`orderNumbers: {uniquePer: shop}`" in other_shop["detail"]
        over_http = by_code["programme_unknown"]
        assert (over_http["sender"], over_http["input"], over_http["accountNumber"]) == ("/edge", None, "A-1")

        assert [each["id"] for each in await listed(caller, "order=W-1")] == [first["id"]]
        assert len(await listed(caller, "account=A-1")) == 2
        assert [each["id"] for each in await listed(caller, "account=A-1&topic=webshop.orders")] == [first["id"]]
        assert len(await listed(caller, "topic=webshop.orders")) == 2
        assert await listed(caller, "until=2026-01-01T00:00:00Z") == []
        assert (await caller.client.get(f"/v1/refusals/{first['id']}")).json() == first
        unknown = await caller.client.get("/v1/refusals/nothing")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "refusal_unknown")
        assert await pages(caller, "size=1") == [each["id"] for each in await listed(caller)]
        wrong = await caller.client.get("/v1/refusals?cursor=x")
        assert (wrong.status_code, wrong.json()["parameter"]) == (400, "cursor")

        code, out, err = await fealty(installation, "refusals", "list", "--order", "W-1", "-o", "json")
        assert (code, err, orjson.loads(out)) == (0, "", [first])
        code, out, err = await fealty(installation, "refusals", "list", "--account", "A-3")
        assert [line.split("\t")[1] for line in out.splitlines()] == ["code", "order_account_mismatch"]
        code, out, err = await fealty(installation, "refusals", "show", first["id"])
        assert "input.id" in out
        assert (code, err) == (0, "")
        metrics = await metrics_of(installation)
        assert 'fealty_refusals_total{code="too_many_decimals",topic="webshop.orders"} 1.0' in metrics


async def count(caller: Caller) -> int:
    """How many refusals are listed."""
    return len(await listed(caller))


async def metrics_of(installation: Installation) -> str:
    """What the points service counts."""
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{installation.ports['points-0']}/metrics")).text


async def pages(caller: Caller, query: str) -> list[str]:
    """The ids of page after page."""
    found, path = [], f"/v1/refusals?{query}"
    while path is not None:
        page = (await caller.client.get(path)).json()
        found += [each["id"] for each in page["refusals"]]
        path = page["next"]
    return found


# ── how they are read ─────────────────────────────────────────────────────────────────────────────────────────────────

COUNT = 20_000
TOPICS = ("webshop.orders", "oms.fulfilments", None)
CODES = ("order_exceeded", "too_many_decimals", "account_closed", "order_conflict")


@pytest.fixture(scope="module")
async def many(real_servers: Servers) -> AsyncIterator[Installation]:
    """The database of an edge with many refusals, a second apart."""
    async with new_installation(real_servers) as installation:
        database = installation.collection("edge", "refusals").database
        await create(database["refusals"], refusals.INDEXES)
        # The server removes what is older than 28 days: these are newer.
        now = datetime.now(UTC).replace(microsecond=0)
        documents = [
            {
                "_id": new_id(),
                "at": now - timedelta(seconds=number),
                "store": "default",
                "subject": account_id("default", f"A-{number % 50}"),
                "refusal": {
                    "code": CODES[number % 4],
                    "order": f"W-{number // 3}",
                    "input": None if TOPICS[number % 3] is None else {"topic": TOPICS[number % 3]},
                },
            }
            for number in range(COUNT)
        ]
        await database["refusals"].insert_many(documents, ordered=False)
        yield installation


async def test_filters_of_refusals_examine_only_what_they_return(many: Installation) -> None:
    collection = many.collection("edge", "refusals")
    now = datetime.now(UTC)
    exact: list[dict[str, Any]] = [
        {},
        {"topic": "webshop.orders"},
        {"code": "order_exceeded"},
        {"topic": "webshop.orders", "code": "order_exceeded"},
        {"accounts": (account_id("default", "A-1"), account_id("default", "A-2"))},
        {"order": "W-7"},
    ]
    for filters in exact:
        periods: list[dict[str, Any]] = [{}, {"from_": now - timedelta(hours=3)}, {"until": now - timedelta(hours=1)}]
        for more in periods:
            for below in (None, Place(now - timedelta(hours=2), "f" * 36)):
                query = Query(store="default", limit=26, below=below, **filters, **more)
                returned, documents, keys, plan = executed(await refusals.find(collection, query).explain())
                assert documents <= returned + 1 <= 27, (query, plan)
                assert keys <= returned + 6, (query, plan)
                assert "'SORT'" not in plan, (query, plan)


async def test_filters_by_order_and_account_examine_no_other_refusals(many: Installation) -> None:
    collection = many.collection("edge", "refusals")
    for filters, most in (
        ({"order": "W-7", "code": "order_exceeded"}, 3),
        ({"accounts": (account_id("default", "A-1"),), "code": "none"}, COUNT // 50),
    ):
        query = Query(store="default", limit=26, **filters)
        _, documents, _, plan = executed(await refusals.find(collection, query).explain())
        assert documents <= most, plan


async def test_refusals_are_kept_as_long_as_their_topic(many: Installation) -> None:
    kept = (await many.collection("edge", "refusals").index_information())["kept"]
    assert kept["expireAfterSeconds"] * 1000 == int(TABLE["points.events"].config["retention.ms"])

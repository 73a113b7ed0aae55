"""How movements get into statements: from the topic, and with replies before the response is sent."""

import asyncio
from collections import Counter
from typing import Any

import orjson
import pytest

from schemas.envelope import Envelope
from schemas.points import CHANGED
from schemas.replies import TICK
from services.edge.views.changes import of_value
from shared.errors import Unavailable
from shared.ids import account_id, new_id
from tests.harness import Command, Installation, eventually, payload
from tests.http.caller import POINTS, Caller, calling, decimals, load, metrics_of, redeem
from tests.http.ledger import account, change, ledger_of

pytestmark = pytest.mark.real


async def publish(installation: Installation, *values: bytes | dict[str, Any] | None, type_: str = CHANGED) -> None:
    """Put values on the public stream."""
    for value in values:
        headers = Envelope(id=new_id(), type=type_, source="/points", subject="x").headers()
        raw = orjson.dumps(value) if isinstance(value, dict) else value
        await installation.send("points.changes", raw, [*headers], "x", partition=0)


async def fed(installation: Installation) -> None:
    """Wait until the edge has put the whole stream into statements."""
    await installation.fed("points.changes")


async def statement(caller: Caller, number: str, query: str = "size=100") -> list[dict[str, Any]]:
    """The movements of one page."""
    response = await caller.client.get(f"/v1/accounts/{number}/statement?{query}")
    assert response.status_code == 200, response.text
    movements: list[dict[str, Any]] = decimals(response)["movements"]
    return movements


async def test_duplicates_and_unreadable_records_do_not_change_statements(empty_installation: Installation) -> None:
    installation = empty_installation
    good = change("A-1", 1)
    missing = {name: value for name, value in good.items() if name != "reason"}
    unreadable: list[Any] = [b"", b"{", b"[]", b"{}", None, missing]
    unreadable += [{**good, "delta": "5"}, {**good, "sequence": 1.5}, {**good, "bookedAt": "2026-11-22T10:00:00"}]
    unreadable += [{**good, "sequence": 2, "booked": 2**63}, {**good, "sequence": 2, "source": None}]
    unreadable += [{"pending_delta" if name == "pendingDelta" else name: value for name, value in good.items()}]
    snapshot = account("A-1")
    headers = Envelope(id=new_id(), type=snapshot.type, source="/points", subject="x").headers()
    await installation.send("points.snapshots", orjson.dumps(snapshot.value), [*headers], snapshot.stream)
    async with calling(installation) as caller:
        await publish(installation, *unreadable)
        await installation.send("points.changes", b"{}", [("ce_id", None)], "x", partition=0)
        await publish(installation, b"{}", type_=TICK)
        await publish(installation, b"{}", type_="points.changed.v2")
        await publish(installation, good, good, {**good, "delta": 99}, change("A-1", 2))
        await fed(installation)
        await publish(installation, change("A-1", 2), change("A-1", 3), good)
        await fed(installation)
        await installation.fed("points.snapshots")
        assert [(item["sequence"], item["delta"]) for item in await statement(caller, "A-1")] == [
            (3, 1),
            (2, 1),
            (1, 1),
        ]
        metrics = await metrics_of(installation)
        assert f'fealty_view_changes_total{{outcome="unreadable"}} {len(unreadable) + 1}.0' in metrics
        assert 'fealty_view_changes_total{outcome="skipped"} 2.0' in metrics
        assert (await caller.client.get("/health/ready")).status_code == 200


async def test_movements_from_replies_and_feed_are_stored_once(empty_installation: Installation) -> None:
    async with ledger_of(empty_installation) as ledger, calling(empty_installation) as caller:
        await ledger.book([change("A-1", sequence) for sequence in (1, 2, 3)], "A-1")
        await publish(empty_installation, *(change("A-1", sequence, delta=99) for sequence in range(1, 6)))
        await fed(empty_installation)
        repeats = [of_value(change("A-1", sequence, delta=77)) for sequence in range(1, 7)]
        await ledger.views.statements.book(
            [movement for movement in repeats if movement is not None]
        )  # It is no error.
        assert [item["delta"] for item in await statement(caller, "A-1")] == [77, 99, 99, 1, 1, 1]


async def test_failed_inserts_are_not_treated_as_duplicates(empty_installation: Installation) -> None:
    """Among refused repeats, another error is still an error, so that the feed comes again."""
    if empty_installation.servers.stack is None:
        pytest.skip("needs a server with test commands")
    async with ledger_of(empty_installation) as ledger:
        await ledger.book([change("A-1", 1)], "A-1")
        movements = [of_value(change("A-1", sequence)) for sequence in (1, 2)]
        admin = empty_installation.mongo.admin
        try:
            for error in ({"writeConcernError": {"code": 64, "errmsg": "not in time"}}, {"errorCode": 50}):
                data = {"failCommands": ["insert"], **error}
                await admin.command({"configureFailPoint": "failCommand", "mode": "alwaysOn", "data": data})
                with pytest.raises(Unavailable):
                    await ledger.views.statements.book([movement for movement in movements if movement is not None])
        finally:
            await admin.command({"configureFailPoint": "failCommand", "mode": "off"})


async def test_statements_show_every_accepted_write(installation: Installation) -> None:
    async with installation.points(), calling(installation) as caller:
        for count in range(1, 41):
            posted = await caller.post("A-1", load(count))
            assert posted.status_code == 200, posted.text
            (newest, *_) = await statement(caller, "A-1", "size=1")
            assert (newest["sequence"], newest["delta"], newest["kind"]) == (count, count, "load")
            assert newest["transactionId"] == posted.json()["transactionId"]
            past = await caller.client.get(f"/v1/accounts/A-1/balances?at={newest['bookedAt']}")
            assert past.json()["sequence"] >= count
        numbers = [f"B-{index}" for index in range(20)]
        await asyncio.gather(*(caller.post(number, load(7)) for number in numbers))
        assert [len(await statement(caller, number)) for number in numbers] == [1] * 20
        await caller.post("A-1", redeem(3))
        assert (await statement(caller, "A-1", "kind=redeem"))[0]["delta"] == -3
        await fed(installation)
        shown = await statement(caller, "A-1")
        published = [payload(record) for record in await installation.read("points.changes")]
        mine = {value["sequence"]: value for value in published if value["accountNumber"] == "A-1"}
        assert [item["sequence"] for item in shown] == sorted(mine, reverse=True)
        assert all(item["bookedAt"] == mine[item["sequence"]]["bookedAt"] for item in shown)
        assert shown[0]["booked"] == await caller.balance("A-1") == sum(item["delta"] for item in shown)


async def test_movements_booked_without_an_edge_are_fed_once_to_two_edges(installation: Installation) -> None:
    commands = [Command.transaction(f"A-{number % 10}", POINTS, load=5) for number in range(200)]
    async with installation.points():
        await installation.commands(commands)
        await installation.settled([command.id for command in commands])
    other, _ = await installation.spawn("edge", "edge-1")
    async with calling(installation) as caller:
        await fed(installation)
        await installation.fed("points.snapshots")
        for number in range(10):
            assert [item["sequence"] for item in await statement(caller, f"A-{number}")] == [*range(20, 0, -1)]
        found = Counter([document["_id"] async for document in installation.collection("edge", "statements").find()])
        assert len(found) == 200
        assert f"{account_id('default', 'A-3')}#20" in found

        async def ready() -> int:
            return (await caller.client.get("/health/ready")).status_code

        await eventually(ready, 200)
    await other.stop(30)

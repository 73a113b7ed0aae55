"""One movement from the topic to the journal, the snapshot, the events and the change stream, by a new interpreter."""

import pytest

from tests.harness import Command, Installation, header, payload

pytestmark = pytest.mark.real

DECLARED = ("points.programme_applied.v1", "points.account_numbers_applied.v1")


async def test_a_load_is_booked_and_published(installation: Installation) -> None:
    installation.forked = False
    load = Command.transaction("A-1", "LOY22-BuyVouchers", load=1000)
    async with installation.points():
        await installation.command(load)
        await installation.settled([load.id])
        await installation.drained()
    entry = await installation.entry(load.id)
    assert entry is not None
    assert entry["status"] == "accepted"
    assert entry["writes"] == [f"account/default/{load.subject}#000000000001"]
    changes = await installation.read("points.changes")
    assert [(payload(change)["sequence"], payload(change)["delta"]) for change in changes] == [(1, 1000)]
    assert header(changes[0], "ce_type") == "points.changed.v1"
    events = [header(event, "ce_type") for event in await installation.read("points.events")]
    assert [type_ for type_ in events if type_ not in DECLARED] == [
        "points.account_opened.v1",
        "points.loaded.v1",
    ]
    snapshots = {str(snapshot.key): payload(snapshot) for snapshot in await installation.read("points.snapshots")}
    assert any(value.get("accountNumber") == "A-1" and value["version"] == 1 for value in snapshots.values())

"""The verifier on a real store: silent when all is well, also while commands come in; and it finds each fault."""

import asyncio
from typing import Any

import pytest

from cli.commands.verify import verify_service, verify_topics
from cli.verify import Report
from shared.runtime.history import History
from shared.runtime.journal import Journal
from tests.harness import Installation
from tests.real.test_cli import fealty, rows
from tests.real.workload import Workload

pytestmark = pytest.mark.real


async def verified(installation: Installation) -> Report:
    """Verify the points service's store."""
    return await verify_service("points", installation.settings)


async def loaded(installation: Installation, count: int) -> dict[str, dict[str, Any]]:
    """Some random loads and redemptions, booked; the snapshots of accounts when half of them were."""
    work = Workload(seed=7, accounts=12)
    snapshots = installation.collection("points", "snapshots")
    async with installation.points():
        await installation.commands(work.more(count // 2))
        await installation.drained()
        earlier = {found["_id"]: found async for found in snapshots.find({"_id": {"$regex": "^account/"}})}
        await installation.commands(work.more(count // 2))
        await installation.drained()
    return earlier


async def test_each_fault_is_found_and_named(installation: Installation) -> None:
    earlier = await loaded(installation, 300)
    assert await fealty(installation, "verify") == (0, await counts(installation), "")
    journal = installation.collection("points", "journal")
    snapshots = installation.collection("points", "snapshots")
    snapshot = await snapshots.find_one({"_id": {"$regex": "^account/"}, "version": {"$gte": 4}})
    assert snapshot is not None
    stream = snapshot["_id"]
    entries = [
        await journal.find_one({"writes": f"{stream}#{version:012d}"}) for version in (1, 2, snapshot["version"])
    ]
    assert all(entries)

    async def finds(what: str) -> None:
        report = await verified(installation)
        assert {finding.stream for finding in report.findings} == {stream}, report
        assert report.streams_off == 1
        found = [finding.difference.what for finding in report.findings]
        assert any(what in each for each in found), found

    async def changed(change: dict[str, Any], what: str) -> None:
        await snapshots.update_one({"_id": stream}, change)
        await finds(what)
        await snapshots.replace_one({"_id": stream}, snapshot)

    await changed({"$inc": {"state.balances.0.lots.0.1": 1}}, "snapshot /balances/0/lots/0/1")
    await changed({"$inc": {"state.balances.0.earned": 5}}, "snapshot /balances/0/earned")
    await changed({"$inc": {"state.sequence": 1}}, "snapshot /sequence")
    await changed({"$inc": {"version": 1}}, "version of the snapshot")
    await changed({"$inc": {"version": -1}}, "version of the snapshot")
    await changed({"$set": {"booked_at": None}}, "booked_at")
    assert earlier[stream]["version"] < snapshot["version"]
    await snapshots.replace_one({"_id": stream}, earlier[stream])
    await finds("version of the snapshot")
    await snapshots.replace_one({"_id": stream}, snapshot)

    for entry, what in zip(
        entries, ("version in the journal", "version in the journal", "version of the snapshot"), strict=True
    ):
        await journal.delete_one({"_id": entry["_id"]})
        await finds(what)
        await journal.insert_one(entry)

    position = len(entries[1]["events"]) - 1
    await journal.update_one({"_id": entries[1]["_id"]}, {"$inc": {f"events.{position}.data.delta": 1}})
    await finds("sum of deltas")
    await journal.replace_one({"_id": entries[1]["_id"]}, entries[1])

    await snapshots.delete_one({"_id": stream})
    await finds("snapshot")
    code, out, err = await fealty(installation, "verify")
    assert code == 1
    assert rows(out) == [[stream, "snapshot", f"version {snapshot['version']}", "nothing"]]
    assert err == f"fealty: 1 of {(await verified(installation)).streams} streams differ\n"
    await snapshots.insert_one(snapshot)

    removed = await journal.find({"writes": {"$regex": f"^{stream}#"}}).to_list()
    await journal.delete_many({"writes": {"$regex": f"^{stream}#"}})
    await finds("journal")
    await journal.insert_many(removed)
    assert (await verified(installation)).ok


async def counts(installation: Installation) -> str:
    """What `fealty verify` prints when all is well, counted another way."""
    writes = {"writes": {"$exists": True}}
    entries = await installation.collection("points", "journal").find(writes).to_list()
    streams = {write.rsplit("#", 1)[0] for entry in entries for write in entry["writes"]}
    versions, events = (sum(len(entry[part]) for entry in entries) for part in ("writes", "events"))
    return f"ok: {len(streams)} streams, {versions} versions, {events} events\n"


async def test_what_was_published_otherwise_is_listed(installation: Installation) -> None:
    await loaded(installation, 60)
    journal = installation.collection("points", "journal")
    events, changes = [len(await installation.read(f"points.{name}")) for name in ("events", "changes")]
    code, out, err = await fealty(installation, "verify", "--topics")
    assert (code, err) == (0, "")
    assert out.splitlines()[1] == f"ok: {events + changes} published records"

    moved = {"status": "accepted", "events.0.data.sequence": {"$exists": True}}
    first, second, third = await journal.find(moved).limit(3).to_list()
    await journal.update_one({"_id": first["_id"]}, {"$inc": {"events.0.data.delta": 3}})
    await journal.update_one({"_id": second["_id"]}, {"$set": {"store": "other"}})
    await journal.delete_one({"_id": third["_id"]})
    await installation.send("points.events", b"{}", [("ce_id", b"a stranger's")], "X")
    report = await verify_topics("points", installation.settings)
    assert report.records == events + changes + 1
    assert report.off == sum(2 * len(each["events"]) for each in (second, third)) + 2 + 1
    found = sorted((each.difference.what, each.difference.expected, each.difference.found) for each in report.findings)
    delta = first["events"][0]["data"]["delta"]
    assert found.count(("value /delta", str(delta + 3), str(delta))) == 2
    assert found.count(("headers /ce_store", "other", "default")) == 2 * len(second["events"])
    gone = [each for each in found if each[0] == "record"]
    assert len(gone) == 2 * len(third["events"]) + 1
    assert ("record", "nothing", "a stranger's") in gone
    code, out, err = await fealty(installation, "verify", "--topics")
    assert code == 1
    assert err.endswith(f"{report.off} of {report.records} published records differ\n")


async def test_commands_booked_meanwhile_are_no_false_alarm(installation: Installation) -> None:
    work = Workload(seed=8, accounts=6)
    async with installation.points(FEALTY_BATCH_RECORDS_MAX="20"):
        await installation.settled(installation.declared)
        await installation.commands(work.more(2000))
        reports = [await verified(installation)]
        while await installation.lag("points", "points.commands"):
            reports.append(await verified(installation))
    assert [report.findings for report in reports if not report.ok] == []
    assert len({report.writes for report in reports}) > 1, "nothing was booked meanwhile"
    assert (await verified(installation)).ok


async def test_a_store_that_cannot_be_looked_at_is_no_clean_one(empty_installation: Installation) -> None:
    nobody = {"MONGODB_URL": "mongodb://127.0.0.1:1/", "FEALTY_REQUEST_TIMEOUT_MS": "500"}
    code, out, err = await fealty(empty_installation, "verify", **nobody)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert (await verified(empty_installation)).streams == 0


async def test_the_history_is_whole_and_in_order_whatever_the_page(empty_installation: Installation) -> None:
    """Entries that wrote several streams come once for each, and odd names of streams confuse nothing."""
    settings = empty_installation.settings
    streams = ["account/s/a", "account/s/b", "order/s/1", "programme/s/A", "programme/s/A B", "programme/s/A#1"]
    journal = Journal(settings.mongodb, settings.database("points"), settings.request_timeout_ms)
    await journal.prepare()
    history = History(journal)
    writes = [f"{stream}#{version:012d}" for stream in streams for version in range(1, 8)]
    entries: list[dict[str, Any]] = [
        {"_id": str(number), "writes": [writes[number], *writes[number + 14 : number + 15]], "events": [], "at": None}
        for number in range(14)
    ]
    entries += [{"_id": str(number), "writes": [writes[number]], "events": [], "at": None} for number in range(28, 42)]
    await journal.entries.insert_many([*entries, {"_id": "refused", "status": "rejected"}])
    try:
        for page in (1, 2, 5, 500):
            found, after = [], ""
            while more := await history.page(after, page):
                found += [(write, entry["_id"]) for write, entry in more]
                after = more[-1][0]
            wanted = [(write, entry["_id"]) for entry in entries for write in entry["writes"]]
            assert found == sorted(wanted), page
        assert await history.written([writes[0], "account/s/c#000000000001"]) == {writes[0]}
        assert await history.size() == len(entries) + 1
    finally:
        journal.close()
        await asyncio.sleep(0)

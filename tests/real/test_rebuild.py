"""Rebuilding: the same snapshots as before to the last byte, whatever was damaged, and whenever it was killed."""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson.raw_bson import RawBSONDocument

from cli.commands.rebuild import rebuild_service
from cli.rebuild import rebuild, rebuilder
from cli.rebuild.store import Store
from shared.decider import Accepted, Decider, Document, Streams
from shared.runtime.journal import Journal
from shared.runtime.stored import SNAPSHOT
from shared.writes import write_of
from tests import forks
from tests.harness import Installation, eventually
from tests.real.test_cli import fealty, rows
from tests.real.workload import Workload, check

pytestmark = pytest.mark.real

BRIEF = {"FEALTY_SESSION_TIMEOUT_MS": "2000", "FEALTY_HEARTBEAT_INTERVAL_MS": "500"}
"""Workers with names stay members of their group until the session ends; here that is soon."""

STREAMS = {"_id": {"$not": {"$regex": "^fence/"}}}


async def snapshots(installation: Installation) -> dict[str, bytes]:
    """Every document of the collection, fences included, by id, as it lies there."""
    raw = bson.CodecOptions(document_class=RawBSONDocument)
    collection = installation.collection("points", "snapshots").with_options(codec_options=raw)
    return {document["_id"]: bytes(document.raw) async for document in collection.find()}


async def busy(installation: Installation, seed: int, count: int = 1_500, accounts: int = 60) -> dict[str, bytes]:
    """Book random loads and redemptions with two workers, stop them, and take all snapshots."""
    work = Workload(seed=seed, accounts=accounts)
    async with installation.points(**BRIEF), installation.points("points-1", **BRIEF):
        await installation.commands(work.more(count))
        await installation.drained()
    await check(installation, work)
    before = await snapshots(installation)
    assert sum(not name.startswith("fence/") for name in before) > accounts * 0.8
    return before


async def counts(installation: Installation, removed: int = 0) -> str:
    """What `fealty rebuild` prints when all is well, counted another way."""
    entries = await installation.collection("points", "journal").find({"writes": {"$exists": True}}).to_list()
    streams = {write.rsplit("#", 1)[0] for entry in entries for write in entry["writes"]}
    writes, events = (sum(len(entry[part]) for entry in entries) for part in ("writes", "events"))
    done = f"rebuilt: {len(streams):,} streams, {writes:,} versions, {events:,} events"
    return f"{done}; {removed} snapshots without journal entries removed\n"


async def test_what_was_dropped_damaged_or_invented_is_as_it_was(installation: Installation) -> None:
    before = await busy(installation, 61)
    collection = installation.collection("points", "snapshots")
    assert await fealty(installation, "rebuild", "points") == (0, await counts(installation), "")
    assert await snapshots(installation) == before, "a rebuild of what is well changes nothing"

    await collection.delete_many(STREAMS)
    assert await fealty(installation, "rebuild", "points") == (0, await counts(installation), "")
    assert await snapshots(installation) == before

    accounts = sorted(name for name in before if name.startswith("account/"))
    await collection.update_one({"_id": accounts[0]}, {"$inc": {"state.sequence": 1}})
    await collection.update_one({"_id": accounts[1]}, {"$inc": {"version": 7}})
    await collection.update_one({"_id": accounts[2]}, {"$inc": {"version": -1}})
    await collection.update_one({"_id": accounts[3]}, {"$unset": {"version": 1}})
    await collection.update_one({"_id": accounts[4]}, {"$set": {"version": "three", "state": None}})
    await collection.delete_many({"_id": {"$in": accounts[5:9]}})
    await collection.insert_many(
        [{"_id": f"account/default/nobody-{number}", "version": number, "state": {}} for number in (1, 2)]
    )
    await collection.insert_one({"_id": "account/default/no-version"})
    assert await fealty(installation, "rebuild", "points") == (0, await counts(installation, 3), "")
    assert await snapshots(installation) == before
    assert (await fealty(installation, "verify"))[0] == 0
    assert await installation.collection("points", "rebuild").count_documents({}) == 0


async def test_a_killed_rebuild_goes_on_where_it_was(installation: Installation) -> None:
    before = await busy(installation, 62, accounts=300)
    collection = installation.collection("points", "snapshots")
    progress = installation.collection("points", "rebuild")
    await collection.delete_many(STREAMS)
    await kill_half_way(installation)
    kept = await progress.find_one({"streams": {"$exists": True}})
    assert kept is not None
    half = await snapshots(installation)
    assert 0 < kept["streams"] <= sum(not name.startswith("fence/") for name in half) < len(before) - 12
    # What is done is not done again: a mark on the first stays, while a restart takes it away.
    first = min(name for name in half if name.startswith("account/"))
    await collection.update_one({"_id": first}, {"$set": {"mark": True}})
    code, out, err = await fealty(installation, "rebuild", "points")
    assert (code, out) == (0, await counts(installation))
    assert "continued the interrupted run" in err
    assert {**await snapshots(installation), first: before[first]} == before
    assert await collection.count_documents({"mark": True}) == 1
    await collection.update_one({"_id": first}, {"$unset": {"mark": 1}})
    assert await snapshots(installation) == before
    assert await progress.count_documents({}) == 0

    await kill_half_way(installation)
    await collection.update_one({"_id": first}, {"$set": {"mark": True}})
    assert await fealty(installation, "rebuild", "points", "--restart") == (0, await counts(installation), "")
    assert await snapshots(installation) == before


async def test_in_parts_by_several_processes(installation: Installation) -> None:
    before = await busy(installation, 65, accounts=300)
    collection = installation.collection("points", "snapshots")
    progress = installation.collection("points", "rebuild")
    await collection.delete_many(STREAMS)
    process = await in_parts(installation)
    assert await process.wait() == 0
    assert await snapshots(installation) == before
    assert await progress.count_documents({}) == 0

    await collection.delete_many(STREAMS)
    process = await in_parts(installation)
    await eventually(lambda: progress.count_documents({"_id": "parts"}), 1)
    os.kill(process.pid, signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL
    assert await progress.count_documents({"_id": "parts", "parts": {"$size": 2}}) == 1
    code, out, _ = await fealty(installation, "rebuild", "points")
    assert (code, out) == (0, await counts(installation))
    assert await snapshots(installation) == before
    assert await progress.count_documents({}) == 0


async def in_parts(installation: Installation) -> asyncio.subprocess.Process:
    """A rebuild that takes this small journal for a large one, and the machine for one of two processors."""
    small = "import os; os.cpu_count = lambda: 2; from cli.rebuild import parts; parts.ENTRIES_A_PART_MIN = 100"
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", f"{small}; from cli.main import main; main()", "rebuild", "points"),
        env=installation.environment("cli", 0, {}),
    )


async def kill_half_way(installation: Installation) -> None:
    """Kill a rebuild when it has remembered something, with pages so small that it is far from its end."""
    small = "from cli.rebuild import rebuilder; rebuilder._PAGE_WRITES = 10; from cli.main import main; main()"
    command = [sys.executable, "-c", small, "rebuild", "points"]
    process = await forks.start(command, installation.environment("cli", 0, {}))
    progress = installation.collection("points", "rebuild")
    await eventually(lambda: progress.count_documents({"streams": {"$gte": 5}}), 1)
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL


async def test_beside_a_running_service_nothing_newer_is_replaced(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused unless forced; then whatever was booked between the folding and the writing stays."""
    work, settings = Workload(seed=63, accounts=8), installation.settings
    put, puts = Store.put, list[int]()
    async with installation.points(**BRIEF):
        await installation.commands(work.more(100))
        await installation.drained()
        code, out, err = await fealty(installation, "rebuild", "points", **BRIEF)
        assert (code, out, err) == (
            2,
            "",
            "fealty: points is running: its group has 1 members; stop its processes first\n",
        )

        async def late(store: Store, folded: list[Document]) -> None:
            await installation.commands(work.more(100))
            await installation.drained()
            puts.append(len(folded))
            await put(store, folded)

        monkeypatch.setattr(Store, "put", late)
        await rebuild_service("points", settings, force=True, restart=False)
        assert sum(puts) >= 8
        await installation.commands(work.more(100))
        await installation.drained()
    await check(installation, work)
    before = await snapshots(installation)
    assert (await fealty(installation, "verify"))[0] == 0
    assert await fealty(installation, "rebuild", "points") == (0, await counts(installation), "")
    assert await snapshots(installation) == before


async def test_a_stream_whose_journal_cannot_be_folded_keeps_its_snapshot(installation: Installation) -> None:
    before = await busy(installation, 64, 300, 12)
    journal = installation.collection("points", "journal")
    first, second = sorted(name for name in before if name.startswith("account/"))[:2]
    gone = await journal.find_one_and_delete({"writes": f"{first}#000000000002"})
    assert gone is not None
    changed = f"{second}#000000000001"
    await journal.update_one({"writes": changed}, {"$set": {"events.1.data.type": "points.unheard_of.v1"}})
    code, out, err = await fealty(installation, "rebuild", "points")
    assert (code, err) == (1, "fealty: the journal entries of 2 streams cannot be applied\n")
    told = dict(rows(out))
    assert told[first] == "the journal has version 3 after 1"
    assert told[second].startswith("an event of version 1 cannot be applied: ")
    assert await snapshots(installation) == before


async def test_a_journal_with_odd_names_is_folded_whole_from_any_page(
    empty_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries that wrote several streams count for each, and streams whose writes lie among another's."""
    settings = empty_installation.settings
    journal = Journal(settings.mongodb, settings.database("points"), settings.request_timeout_ms)
    await journal.prepare()
    streams = ["s/a", "s/a#000000000003", "s/a#1", "s/b"]
    now = datetime(2026, 11, 22, tzinfo=UTC)
    entries: list[dict[str, Any]] = [
        {
            "_id": f"{version}-{number}",
            "writes": [write_of(stream, version) for stream in pair],
            "events": [{"stream": stream, "data": {"add": version * 10 + number}} for stream in pair],
            "at": now,
            "partition": number,
        }
        for version in range(1, 8)
        for number, pair in enumerate((streams[:2], streams[2:]))
    ]
    await journal.entries.insert_many(entries)
    adding: Decider[Any, Any] = Decider(
        streams=lambda _: Streams(()),
        initial=lambda _: 0,
        decide=lambda *_: Accepted((), {}),
        evolve=lambda state, event: state + event,
        dump_state=lambda state: {"sum": state},
        load_state=lambda _, document: document["sum"],
        dump_event=lambda event: {"add": event},
        load_event=lambda document: document["add"],
    )
    try:
        for page in (1, 2, 5, 500):
            monkeypatch.setattr(rebuilder, "_PAGE_WRITES", page)
            await journal.snapshots.delete_many({})
            report = await rebuild(journal, adding)
            assert (report.streams, report.writes, report.events, report.removed) == (4, 28, 28, 0)
            found = {each["_id"]: each async for each in journal.snapshots.find()}
            assert found == {
                stream: {
                    "_id": stream,
                    "v": SNAPSHOT.version,
                    "version": 7,
                    "booked_at": now,
                    "partition": part,
                    "state": {"sum": total},
                }
                for stream, part, total in zip(streams, (0, 0, 1, 1), (280, 280, 287, 287), strict=True)
            }
    finally:
        journal.close()

"""Publishing again: the same records, in order, and the newest record of each key the newest version."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient

from cli.republish import Republisher
from schemas.base import format_instant
from schemas.replies import TICK
from services.points.main import SERVICE
from shared.runtime.history import History
from shared.runtime.journal import Journal
from shared.runtime.kafka import Producer, Record
from shared.runtime.topics import create_topics
from shared.servers import kafka_options
from tests.harness import Command, Installation, header, payload
from tests.real.test_cli import fealty
from tests.real.workload import PROGRAMME, Workload, check, check_changes

pytestmark = pytest.mark.real

Said = tuple[bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]


def said(records: Iterable[ConsumerRecord[bytes, bytes]]) -> list[Said]:
    """What records say, sorted: key, value and headers."""
    return sorted([(record.key, record.value, tuple(record.headers)) for record in records], key=str)


async def newest(installation: Installation) -> dict[str, int]:
    """The version in the newest record of each key, which is what compaction leaves."""
    found: dict[str, int] = {}
    for record in await installation.read("points.snapshots"):
        if header(record, "ce_type") != TICK:
            event_id = header(record, "ce_id")
            assert event_id is not None
            stream, _, version = event_id.rpartition("@")
            assert (record.key or b"").decode() == stream
            found[stream] = int(version)
    return found


async def versions(installation: Installation) -> dict[str, int]:
    """The version of each stream in the store."""
    collection = installation.collection("points", "snapshots")
    return {found["_id"]: found["version"] async for found in collection.find({"_id": {"$not": {"$regex": "^fence/"}}})}


async def test_what_is_republished_is_what_was_published(installation: Installation) -> None:
    work = Workload(seed=71, accounts=20)
    async with installation.points():
        await installation.commands(work.more(400))
        await installation.drained()
    topics = ("points.changes", "points.snapshots", "points.events", "points.commands")
    before = {topic: await installation.read(topic) for topic in topics}
    stored = await versions(installation)
    counts = f"{len(before['points.changes'])} changes, {len(stored)} snapshots"
    assert await fealty(installation, "republish", "points") == (0, f"republished: {counts}\n", "")

    after = {topic: await installation.read(topic) for topic in topics}
    assert said(after["points.events"]) == said(before["points.events"]), "events are not published again"
    assert said(after["points.commands"]) == said(before["points.commands"])
    changes = after["points.changes"]
    assert said(changes) == said(before["points.changes"] * 2)
    assert await check_changes(installation, work.movements) == len(before["points.changes"])
    for account in work.movements:
        sequences = [payload(record)["sequence"] for record in changes if record.key == account.encode()]
        assert sequences == [*range(1, work.movements[account] + 1)] * 2, "in order, from the first"
    assert set(said(after["points.snapshots"])) == set(said(before["points.snapshots"]))
    assert len(after["points.snapshots"]) == len(before["points.snapshots"]) + len(stored)
    assert await newest(installation) == stored

    last = max([each["at"] async for each in installation.collection("points", "journal").find({}, {"at": 1})])
    async with installation.points():
        await installation.command(Command.transaction("N-71-0", PROGRAMME, load=5))
        await installation.drained()
    since = format_instant(last + timedelta(milliseconds=1))
    arguments = ("republish", "points", "--since", since)
    assert await fealty(installation, *arguments) == (0, "republished: 1 changes, 1 snapshots\n", "")
    assert (await fealty(installation, *arguments, "--no-changes"))[1] == "republished: 0 changes, 1 snapshots\n"
    assert (await fealty(installation, *arguments, "--no-snapshots"))[1] == "republished: 1 changes, 0 snapshots\n"
    code, _, err = await fealty(installation, "republish", "points", "--since", "yesterday")
    assert (code, "write it as 2026-11-22T10:00:00Z" in err) == (2, True)


async def test_a_lost_topic_is_filled_again(installation: Installation) -> None:
    work = Workload(seed=72, accounts=20)
    async with installation.points():
        await installation.commands(work.more(300))
        await installation.drained()
    lost = ["points.changes", "points.snapshots"]
    admin = AIOKafkaAdminClient(**kafka_options(installation.settings))
    await admin.start()
    try:
        await admin.delete_topics([installation.settings.topic(name) for name in lost])
    finally:
        await admin.close()
    assert sorted(await create_topics(installation.settings)) == [installation.settings.topic(name) for name in lost]
    assert await newest(installation) == {}
    assert (await fealty(installation, "republish", "points"))[0] == 0
    assert (await check(installation, work))["repeated changes"] == 0
    assert await newest(installation) == await versions(installation)


class Overtaken(Producer):
    """A producer of whose records the first lot arrives late: after `meanwhile`."""

    def __init__(self, settings: Any, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__(settings)
        self.lots = 0
        self._meanwhile = meanwhile

    async def publish(self, records: Iterable[Record]) -> None:
        self.lots += 1
        if self.lots == 1:
            await self._meanwhile()
        await super().publish(records)


async def test_a_snapshot_that_was_overtaken_is_published_again(installation: Installation) -> None:
    work, settings = Workload(seed=73, accounts=10), installation.settings
    async with installation.points():
        await installation.commands(work.more(100))
        await installation.drained()

        async def overtake() -> None:
            await installation.commands(work.more(100))
            await installation.drained()

        producer = Overtaken(settings, overtake)
        journal = Journal(settings.mongodb, settings.database("points"), settings.request_timeout_ms)
        try:
            republisher = Republisher(SERVICE, settings, History(journal), producer, None)
            count = await republisher.snapshots(lambda _: None)
        finally:
            journal.close()
            await producer.stop()
    assert await newest(installation) == await versions(installation)
    assert count > len(await versions(installation)), "some were published again"


async def test_beside_running_workers(installation: Installation) -> None:
    work = Workload(seed=74, accounts=15)
    async with installation.points(FEALTY_BATCH_RECORDS_MAX="20"):
        await installation.settled(installation.declared)
        await installation.commands(work.more(1500))
        times = 0
        while await installation.lag("points", "points.commands"):
            assert (await fealty(installation, "republish", "points"))[0] == 0
            times += 1
        assert times >= 1
    await check(installation, work)
    assert await newest(installation) == await versions(installation)

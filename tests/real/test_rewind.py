"""Restoring an older backup: what it does not know is decided again, and comes out the same (protocol P10)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from schemas.base import format_instant
from shared.runtime.kafka import TopicPartition, partition_of
from shared.servers import kafka_options
from tests.harness import Headers, Installation, eventually, new_installation
from tests.real.test_cli import fealty, rows
from tests.real.test_rebuild import BRIEF
from tests.real.test_republish import newest, versions
from tests.real.workload import Workload, check
from tests.servers import Servers

pytestmark = pytest.mark.real

Backup = dict[str, list[dict[str, Any]]]
COLLECTIONS = ("journal", "snapshots", "dead_letters")


@pytest.fixture
async def empty_installation(real_servers: Servers) -> AsyncIterator[Installation]:
    """Partitions enough that a backup knows nothing of some."""
    async with new_installation(real_servers, partitions=12) as found:
        yield found


async def backed_up(installation: Installation) -> Backup:
    """A copy of the service's store."""
    return {name: await installation.collection("points", name).find().to_list() for name in COLLECTIONS}


async def restore(installation: Installation, backup: Backup) -> None:
    """Make the store what it was."""
    for name, documents in backup.items():
        await installation.collection("points", name).delete_many({})
        if documents:
            await installation.collection("points", name).insert_many(documents)


@pytest.mark.parametrize("to", ["before the backup", "far too late"])
async def test_what_a_backup_does_not_know_is_decided_again(installation: Installation, to: str) -> None:
    """Too late an instant does no harm either: where the store's fences stand, it knows nothing of what follows."""
    work = Workload(seed=91, accounts=3)
    async with installation.points(**BRIEF):
        await installation.commands(work.more(100))
        await installation.drained()
    before, backup = datetime.now(UTC), await backed_up(installation)
    fences = sum(each["_id"].startswith("fence/") for each in backup["snapshots"])
    assert fences < installation.settings.partitions, "some partitions have not been worked on yet"

    later = Workload(seed=92, accounts=30)
    headers: Headers = [("ce_id", b"no-envelope")]
    async with installation.points(**BRIEF):
        await installation.commands([*work.more(100), *later.more(300)])
        await installation.send("points.commands", b"{}", headers, "poison")
        await installation.send("oms.fulfilments", b"{}", headers, "poison")
        await installation.drained()
        await installation.drained(group="points.reactions.oms.fulfilments", topic="oms.fulfilments")
    letters = sorted([each["_id"] for each in (await backed_up(installation))["dead_letters"]])
    assert len(letters) == 2
    await check(installation, work, later)
    stored, changes = await versions(installation), len(await installation.read("points.changes"))
    assert (await fealty(installation, "verify", "--topics"))[0] == 0

    await restore(installation, backup)
    code, out, err = await fealty(installation, "verify", "--topics")
    off = changes - sum(len(each["events"]) for each in backup["journal"] if "writes" in each)
    assert code == 1
    assert "published records differ" in err
    assert {row[1] for row in rows(out)} == {"record"}, "they are in no entry of the journal"
    assert len(rows(out)) > off

    instant = format_instant(before if to == "before the backup" else datetime.now(UTC))
    code, out, err = await fealty(installation, "rewind", "points", "--to", instant)
    assert (code, err) == (0, "")
    assert rows(out)
    lag = await installation.lag("points", "points.commands")
    assert lag >= 401
    async with installation.points(**BRIEF):
        code, _, err = await fealty(installation, "rewind", "points", "--to", instant, **BRIEF)
        assert (code, err) == (1, "fealty: points is running: its group has 1 members; stop its processes first\n")
        await installation.drained()
        if to == "before the backup":
            dead = installation.collection("points", "dead_letters")
            await eventually(lambda: dead.count_documents({}), 2)
            assert sorted([each["_id"] async for each in dead.find()]) == letters
    await check(installation, work, later)
    assert await versions(installation) == stored
    assert await newest(installation) == stored
    code, out, err = await fealty(installation, "verify", "--topics")
    assert (code, err) == (0, "")
    assert "published records" in out


async def test_what_is_no_longer_kept_is_told(installation: Installation) -> None:
    """When the topic has forgotten what came after the backup, nobody is left in the belief that all is there."""
    work = Workload(seed=93, accounts=1)
    async with installation.points(**BRIEF):
        await installation.commands(work.more(10))
        await installation.drained()
    backup = await backed_up(installation)
    async with installation.points(**BRIEF):
        await installation.commands(work.more(10))
        await installation.drained()
    await restore(installation, backup)
    topic = installation.settings.topic("points.commands")
    number = partition_of(work.commands[0].subject, installation.settings.partitions)
    (fence,) = [each["version"] for each in backup["snapshots"] if each["_id"] == f"fence/{topic}/{number}"]
    admin = AIOKafkaAdminClient(**kafka_options(installation.settings))
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, number): RecordsToDelete(fence + 4)})
    finally:
        await admin.close()
    code, _, err = await fealty(installation, "rewind", "points", "--to", format_instant(datetime.now(UTC)))
    assert code == 0, err
    assert err.startswith(f"fealty: offsets {fence} to {fence + 3} of {topic}/{number} are no longer in the topic")
    assert await installation.lag("points", "points.commands") >= 6

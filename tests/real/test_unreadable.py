"""A batch that can't be read stops its partition alone: it is named everywhere, and can be stepped over."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from cli.commands.console import Failure
from cli.commands.dead_letters import replay
from cli.commands.doctor import diagnose, skip
from cli.commands.web import works
from schemas.envelope import Envelope
from shared.ids import account_id, new_id
from shared.runtime.codecs import UNPACKED_MAX
from shared.runtime.kafka import TopicPartition
from tests.harness import Headers, Installation, eventually
from tests.real.test_cli import fealty
from tests.unreadable import batch_that_unpacks_to, batch_with_a_bad_header, flip_a_bit, produce_raw

pytestmark = pytest.mark.real

TOPIC = "oms.fulfilments"
GOOD = b'{"loyaltyPrograms": [{"loyaltyPointDefinitionId": "LOY22-BuyVouchers", "loads": [{"value": 1}]}]}'
MARKER = b"a record on a broken disk"
BEHIND = "behind"
WORKER = "points-0"


def headers(number: str) -> Headers:
    """A good envelope of a transaction for an account."""
    return [*Envelope(id=new_id(), type="loyalty.transaction.v1", source="/oms", subject=number).headers()]


async def test_an_unreadable_batch_stops_its_partition_alone_and_can_be_skipped(installation: Installation) -> None:
    settings = installation.settings
    topic = settings.topic(TOPIC)
    group = settings.group(f"points.reactions.{TOPIC}")
    numbers = {f"U-{place}": place for place in range(settings.partitions)}
    journal = installation.collection("points", "journal")

    async def booked(names: list[str]) -> int:
        accounts = [account_id("default", name) for name in names]
        return int(await journal.count_documents({"subject": {"$in": accounts}}))

    for number, place in numbers.items():
        await installation.send(TOPIC, GOOD, headers(number), number, partition=place)
    bad = batch_with_a_bad_header(b"{}")
    assert await produce_raw(installation, TopicPartition(topic, 0), bad) == 1
    assert await produce_raw(installation, TopicPartition(topic, 1), batch_that_unpacks_to(UNPACKED_MAX)) == 1
    damaged = await damage(installation, TopicPartition(topic, 2))
    for place in numbers.values():
        await installation.send(TOPIC, GOOD, headers(f"{BEHIND}-{place}"), "", partition=place)
    stopped = [f"{topic}/{place}/1" for place in range(3 if damaged else 2)]
    stuck = range(len(stopped))

    async with started(installation):
        await eventually(lambda: booked(list(numbers)), len(numbers))
        going_on = [f"{BEHIND}-{place}" for place in numbers.values() if place not in stuck]
        await eventually(lambda: booked(going_on), len(going_on))
        base = address(installation)
        await eventually(lambda: stopped_by(base, "/health/ready"), sorted(stopped))
        await eventually(lambda: stopped_by(base, "/metrics"), sorted(stopped))
        with pytest.raises(Failure, match="points is running: its group has 1 members; stop its processes first"):
            await skip(settings.model_copy(update={"session_timeout_ms": 1}), group, stopped[0])

    code, out, err = await fealty(installation, "doctor")
    assert (code, err) == (1, f"fealty: {len(stopped)} partitions are stopped\n")
    for where in stopped:
        assert f"fealty skip {group} {where}" in out
    for where in stopped:
        await skip(settings, group, where)
    assert await diagnose(settings) == []
    letter = await installation.collection("points", "dead_letters").find_one({"_id": stopped[0]})
    assert letter["reason"] == "unreadable"
    assert letter["value"][17:] == bad[17:], "the batch is kept as it stands in the log"
    with pytest.raises(Failure, match="an unreadable batch"):
        await replay("points", settings, [stopped[0]], again=False)

    async with installation.points():
        everyone = [f"{BEHIND}-{place}" for place in numbers.values()]
        await eventually(lambda: booked(everyone), len(everyone))


@asynccontextmanager
async def started(installation: Installation) -> AsyncIterator[None]:
    """A worker that works, though it is not ready because of what is stopped: that prevents no start."""

    async def is_up() -> bool:
        return (await works(address(installation)))[0]

    process, _ = await installation.spawn("points", WORKER, wait=False)
    try:
        await process.wait_ready(is_up, 30)
        await installation.settled(installation.declared)
        yield
    finally:
        await process.stop(30)


def address(installation: Installation) -> str:
    """Where the worker answers."""
    return f"http://127.0.0.1:{installation.ports[WORKER]}"


async def damage(installation: Installation, place: TopicPartition) -> bool:
    """Put a record with a wrong checksum into the log; False where the broker's files are out of reach."""
    await installation.send(TOPIC, MARKER, headers("U"), "", partition=place.partition)
    stack = installation.servers.stack
    if stack is None or stack.kafka is None:
        return False
    flip_a_bit(stack.root / "data" / "kafka", place, MARKER)
    return True


async def stopped_by(base: str, path: str) -> list[str]:
    """The places that a process names as stopped."""
    async with httpx.AsyncClient(base_url=base) as client:
        text = (await client.get(path)).text
    if path == "/metrics":
        shown = re.findall(r'fealty_stopped_partitions\{offset="(.*)",partition="(.*)",topic="(.*)"} 1.0', text)
        return sorted(f"{topic}/{partition}/{offset}" for offset, partition, topic in shown)
    return sorted(place for line in re.findall("stopped at (.*)", text) for place in line.split(", "))

"""Feeds of the edge: a killed edge does not delay others, and recreated topics are consumed again."""

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from shared.runtime.topics import create_topics
from shared.servers import kafka_options
from tests.harness import Command, Installation, eventually
from tests.http.caller import POINTS, calling

pytestmark = pytest.mark.real

ACCOUNTS = [f"A-{number}" for number in range(24)]


async def booked(installation: Installation, accounts: list[str]) -> None:
    """A load for each account, by the topic: no edge gets a reply for it."""
    loads = [Command.transaction(number, POINTS, load=5) for number in accounts]
    await installation.commands(loads)
    await installation.settled([command.id for command in loads])


async def test_a_killed_edge_does_not_delay_the_views_of_another(installation: Installation) -> None:
    async with installation.points(), calling(installation) as caller:
        other, _ = await installation.spawn("edge", "edge-1")
        await booked(installation, ACCOUNTS)
        await installation.fed("points.snapshots")
        other.kill()
        await booked(installation, ACCOUNTS)

        async def balances() -> set[int]:
            return {await caller.balance(number) for number in ACCOUNTS}

        await eventually(balances, {10}, 3)


async def test_recreated_topics_are_fed_again(installation: Installation) -> None:
    async with installation.points(), calling(installation) as caller:
        await booked(installation, ACCOUNTS)
        await installation.fed("points.changes")
        admin = AIOKafkaAdminClient(**kafka_options(installation.settings))
        await admin.start()
        await admin.delete_topics([installation.settings.topic("points.changes")])
        await admin.close()
        await eventually(lambda: made(installation), True)
        await booked(installation, ACCOUNTS[:1])

        async def movements() -> int:
            response = await caller.client.get(f"/v1/accounts/{ACCOUNTS[0]}/statement")
            return len(response.json()["movements"])

        await eventually(movements, 2, 20)
        assert (await caller.client.get("/health/ready")).status_code == 200


async def made(installation: Installation) -> bool:
    """Make the topics that are not there; True when they are all there, which takes as long as one is being deleted."""
    await create_topics(installation.settings)
    admin = AIOKafkaAdminClient(**kafka_options(installation.settings))
    await admin.start()
    try:
        return installation.settings.topic("points.changes") in await admin.list_topics()
    finally:
        await admin.close()

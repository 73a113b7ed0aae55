"""Customers on real servers: two at once never get the same, whatever dies, and what one gives up another gets."""

import asyncio
import signal
from collections.abc import Sequence

import pytest

from services.customer.main import service
from shared.clock import monotonic_s
from shared.ids import account_id, new_id
from shared.metrics import RETRIES
from shared.runtime.consumer import Batch, Lease
from shared.runtime.journal import Journal
from shared.runtime.kafka import Producer, partition_of
from shared.runtime.process import Processor
from tests.harness import Command, Installation, eventually, header, payload
from tests.real.people import anonymise, check, create, drained, entries, update
from tests.real.steps import Quiet
from tests.real.test_delivery import POINTS
from tests.real.workload import PROGRAMME

pytestmark = pytest.mark.real

EMAIL, PHONE = "ada@example.org", "+31612345678"
TAKEN = {
    "email": ({"emailAddress": EMAIL}, {"emailAddress": " ADA@example.ORG"}, "email_in_use"),
    "phone": ({"mobile": PHONE}, {"mobile": "0031 6 12345678"}, "phone_in_use"),
    "card": ({"card": "6001"}, {"card": "6001"}, "card_in_use"),
}
BRIEF = {"FEALTY_SESSION_TIMEOUT_MS": "2000", "FEALTY_HEARTBEAT_INTERVAL_MS": "500"}


def in_partition(installation: Installation, partition: int) -> str:
    """A new customer's id whose commands lie in this partition."""
    assert partition < installation.settings.partitions
    while partition_of(who := new_id(), installation.settings.partitions) != partition:
        pass
    return who


async def at_once(installation: Installation, *commands: Command, places: Sequence[int | None] = (None, None)) -> None:
    """Handle these commands by one worker each, all of which decide before any of them writes.

    `places` are their partitions, where they are not those of their customers.
    """
    settings, meeting = installation.settings, asyncio.Barrier(len(commands))
    for command, place in zip(commands, places, strict=False):
        await installation.send(command.topic, command.value, command.headers(), command.subject, place)
    records = {header(record, "ce_id"): record for record in await installation.read("customer.commands")}

    async def handle(command: Command) -> None:
        met = False

        async def meet() -> None:
            nonlocal met
            if not met:
                met = True
                await meeting.wait()

        journal = Journal(settings.mongodb, settings.database("customer"), settings.request_timeout_ms)
        producer = Producer(settings)
        await producer.start()
        try:
            processor = Processor(service(settings), settings, journal, producer, Quiet())
            lease = Lease(asyncio.Event(), monotonic_s() + 60)
            await processor.handle(Batch([records[command.id]], lease, meet))
        finally:
            await producer.stop()
            journal.close()

    journal = Journal(settings.mongodb, settings.database("customer"), settings.request_timeout_ms)
    await journal.prepare(service(settings).letters_kept)
    journal.close()
    await asyncio.gather(*map(handle, commands))


@pytest.mark.parametrize("kind", TAKEN)
async def test_of_two_at_once_one_wins(empty_installation: Installation, kind: str) -> None:
    installation = empty_installation
    one, same, code = TAKEN[kind]
    pair = [create(who=in_partition(installation, place), **values) for place, values in ((1, one), (2, same))]
    before = RETRIES.labels("conflict")._value.get()
    await at_once(installation, *pair)
    outcomes = await entries(installation, pair)
    assert sorted(each["status"] for each in outcomes) == ["accepted", "rejected"]
    assert [each["code"] for each in outcomes if each["status"] == "rejected"] == [code]
    assert RETRIES.labels("conflict")._value.get() > before, "both had decided, and one had to decide again"
    people = await check(installation)
    assert len(people) == 1


@pytest.mark.parametrize("seed", range(3))
async def test_giving_up_and_taking_back_at_once(empty_installation: Installation, seed: int) -> None:
    """The release of a claim, and whoever has the value again, decided at the same moment by two workers."""
    installation = empty_installation
    who = in_partition(installation, 1)
    await at_once(installation, create(who=who, emailAddress=EMAIL))
    await at_once(installation, update(who, emailAddress=""))
    records = await installation.read("customer.commands")
    (release,) = [each for each in records if header(each, "ce_type") == "customer.release_claim.v1"]
    # In another partition, as a caller's own partitioner might put it, and so behind another fence.
    again = Command("customer.release_claim.v1", who, payload(release))
    before = RETRIES.labels("conflict")._value.get()
    pair = [again, update(who, emailAddress=EMAIL)][:: 1 if seed % 2 else -1]
    await at_once(installation, *pair, places=[2 if each is again else None for each in pair])
    assert RETRIES.labels("conflict")._value.get() > before, "both had decided, and one had to decide again"
    async with installation.worker("customer", **BRIEF):
        await drained(installation)
    people = await check(installation)
    assert len(people[who]) == 1


def rivals(count: int) -> list[tuple[Command, str]]:
    """Three customers for each of some values, in different partitions, and how those that lose are refused."""
    found: list[tuple[Command, str]] = []
    for number in range(count):
        values = (
            {"emailAddress": f"p{number}@example.org"},
            {"mobile": f"+3161234{number:04}"},
            {"card": f"6-{number}"},
        )
        code = ("email_in_use", "phone_in_use", "card_in_use")[number % 3]
        found += [(create(**values[number % 3], firstName=f"turn {turn}"), code) for turn in range(3)]
    return found


@pytest.mark.parametrize("point", POINTS)
async def test_of_three_one_wins_whatever_dies(empty_installation: Installation, point: str) -> None:
    installation = empty_installation
    three_each = rivals(39)
    commands = [command for command, _ in three_each]
    await installation.commands(commands)
    small = {**BRIEF, "FEALTY_BATCH_RECORDS_MAX": "10"}
    doomed = [
        await installation.spawn("customer", f"customer-{number}", {**small, "PROBE": f"{point}:kill:2"}, wait=False)
        for number in range(2)
    ]
    for process, _ in doomed:
        assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL
    await installation.commands(commands)  # Callers that heard nothing ask again.
    async with installation.worker("customer", "customer-0", **small), installation.worker("customer", "customer-1"):
        await drained(installation)
    outcomes = await entries(installation, commands)
    for number in range(0, len(commands), 3):
        three = outcomes[number : number + 3]
        assert sorted(each["status"] for each in three) == ["accepted", "rejected", "rejected"]
        codes = {each["code"] for each in three if each["status"] == "rejected"}
        assert codes == {three_each[number][1]}
    people = await check(installation)
    assert len(people) == 39
    seen: dict[str | None, bytes | None] = {}
    for record in await installation.read("customer.events"):
        assert seen.setdefault(header(record, "ce_id"), record.value) == record.value
    booked = [event for each in outcomes for event in each.get("events", ())]
    refused = [each for each in outcomes if each["status"] == "rejected"]
    assert len(seen) == len(booked) + len(refused), "each event and refusal is told, under one id"


async def test_what_one_gives_up_another_gets(empty_installation: Installation) -> None:
    installation = empty_installation
    first, second, third = new_id(), new_id(), new_id()
    async with installation.worker("customer"), installation.worker("customer", "customer-1"):
        await installation.command(create(who=first, emailAddress=EMAIL, mobile=PHONE))
        await drained(installation)
        await installation.command(update(first, emailAddress="new@example.org"))
        await drained(installation)
        taking = create(who=second, emailAddress=EMAIL)
        await installation.command(taking)
        await drained(installation)
        await installation.command(anonymise(first))
        await drained(installation)
        rest = create(who=third, emailAddress="new@example.org", mobile=PHONE)
        await installation.command(rest)
        await drained(installation)
    assert [each["status"] for each in await entries(installation, [taking, rest])] == ["accepted"] * 2
    people = await check(installation)
    assert {who: len(names) for who, names in people.items()} == {first: 0, second: 1, third: 2}


async def test_a_new_card_leads_to_the_account_of_the_old_one(installation: Installation) -> None:
    who, nobody = new_id(), new_id()
    replaced = Command("customer.replace_card.v1", who, {"newNumber": "6002"})
    unopened = Command("customer.replace_card.v1", nobody, {"newNumber": "7002"})
    async with installation.points(), installation.worker("customer"):
        load = Command.transaction("6001", PROGRAMME, load=5)
        await installation.commands([load, create("6001", who=who), create("7001", who=nobody)])
        await installation.settled([load.id])
        await installation.commands([replaced, unopened])
        await drained(installation)
        journal = installation.collection("points", "journal")
        await eventually(lambda: journal.count_documents({"type": "points.replace_card.v1"}), 2)
        later = [Command.transaction(number, PROGRAMME, load=7) for number in ("6002", "7002", "7001")]
        await installation.commands(later)
        await installation.drained()
    told = {each["subject"]: each async for each in journal.find({"type": "points.replace_card.v1"})}
    assert told[account_id("default", "6001")]["status"] == "accepted"
    assert told[account_id("default", "7001")]["status"] == "accepted", "a number without an account can be replaced"
    accounts = {
        found["state"]["number"]: found["state"]
        async for found in installation.collection("points", "snapshots").find({"_id": {"$regex": "^account/"}})
    }
    assert {number: [each["booked"] for each in state["balances"]] for number, state in accounts.items()} == {
        "6001": [12],
        "6002": [],
        "7001": [14],
        "7002": [],
    }

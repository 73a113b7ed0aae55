"""Gift cards on real servers: racing redemptions never overspend, and a killed service books each mutation once."""

import asyncio
import signal
from collections import defaultdict
from random import Random
from typing import Any

import pytest

from cli.commands.verify import verify_service, verify_topics
from schemas.giftcards import CardChanged
from services.giftcard.decider import DECIDER
from services.giftcard.state import Card
from shared.ids import mutation_id, new_id
from tests.harness import Command, Installation, header

pytestmark = pytest.mark.real

POINTS = ["before_transaction", "in_transaction", "after_transaction", "after_publishing", "before_commit"]
SMALL_BATCHES = {"FEALTY_BATCH_RECORDS_MAX": "20"}
TYPE = {"code": "EUR", "currency": "EUR", "reload": True}


def issuing(card: str, amount: int) -> Command:
    body = {"cardId": card, "serialNumber": f"S-{card}", "cardType": "EUR", "code": {"key": "1"}, "amount": amount}
    return Command("giftcard.issue.v1", card, body)


def mutating(kind: str, card: str, transaction: str, **more: Any) -> Command:
    """A mutation with its caller's transaction id, from which the command's id follows."""
    body = {"cardId": card, "transactionId": transaction, "context": {"shopId": "12"}, **more}
    id_ = new_id() if kind == "cancel" else mutation_id("default", card, transaction)
    return Command(f"giftcard.{kind}.v1", card, body, id=id_)


async def issue(installation: Installation, *commands: Command) -> None:
    """Have the type declared and cards issued by a first worker."""
    declaring = Command("giftcard.put_type.v1", "EUR", {"cardType": TYPE})
    async with installation.worker("giftcard"):
        for each in ([declaring], list(commands)):
            await installation.commands(each)
            await installation.settled([command.id for command in each], service="giftcard")
    entries = installation.collection("giftcard", "journal")
    assert await entries.count_documents({"status": "accepted"}) == 1 + len(commands)


async def drained(installation: Installation) -> None:
    await installation.drained(group="giftcard", topic="giftcard.commands")


async def cards(installation: Installation) -> dict[str, Card]:
    """Every card as its snapshot has it."""
    found = installation.collection("giftcard", "snapshots").find({"_id": {"$regex": "^card/"}})
    loaded = [DECIDER.load_state(each["_id"], each["state"]) async for each in found]
    return {card.card_id: card for card in loaded if isinstance(card, Card)}


async def sound(installation: Installation) -> dict[str, list[CardChanged]]:
    """Everything adds up, in the store and on the topics; the changes of each card."""
    report = await verify_service("giftcard", installation.settings)
    assert report.ok, report.findings[:3]
    published = await verify_topics("giftcard", installation.settings)
    assert published.ok, published.findings[:3]
    told: dict[str, list[CardChanged]] = defaultdict(list)
    for record in await installation.read("giftcard.changes"):
        change = CardChanged.model_validate_json(record.value or b"")
        assert header(record, "ce_subject") == change.card_id
        if change.sequence > len(told[change.card_id]):  # A redelivery repeats what was published before.
            told[change.card_id].append(change)
        assert told[change.card_id][change.sequence - 1] == change
    for card_id, card in (await cards(installation)).items():
        balance = 0
        for change in told[card_id]:
            balance += change.delta
            assert change.balance == balance >= 0
        assert balance == card.balance
    return told


@pytest.mark.parametrize(("clients", "tries"), [(20, 20), pytest.param(200, 50, marks=pytest.mark.long)])
async def test_racing_redemptions_never_overspend(empty_installation: Installation, clients: int, tries: int) -> None:
    """Many callers redeem many times each, all from one card, before two workers; some retry. They ask for twice it."""
    installation, random = empty_installation, Random(12)
    loaded = clients * tries * 5 // 4
    await issue(installation, issuing("one", loaded))
    attempts = [
        mutating("redeem", "one", f"{client}-{attempt}", amount=random.randint(100, 500) / 100, allowPartial=not client)
        for client in range(clients)
        for attempt in range(tries)
    ]
    async with installation.worker("giftcard"), installation.worker("giftcard", "giftcard-1"):
        await installation.commands([*attempts, *random.sample(attempts, len(attempts) // 4)])
        await drained(installation)
    told = (await sound(installation))["one"]
    redeemed = [-change.delta for change in told if change.kind == "redeem"]
    card = (await cards(installation))["one"]
    assert sum(redeemed) == 100 * loaded - card.balance
    assert sum(redeemed) > 98 * loaded
    assert len({change.transaction_id for change in told}) == len(told)
    journal = installation.collection("giftcard", "journal")
    counted = {status: await journal.count_documents({"status": status}) for status in ("accepted", "rejected")}
    assert counted["accepted"] == 2 + len(redeemed)
    assert counted["rejected"] == len(attempts) - len(redeemed) > 0


@pytest.mark.parametrize("point", POINTS)
async def test_a_killed_worker_books_each_mutation_once(empty_installation: Installation, point: str) -> None:
    """Loads, redemptions and cancels of ten cards; some are sent again, some cancelled before they arrive."""
    installation, random = empty_installation, Random(POINTS.index(point))
    names = [f"c{number}" for number in range(10)]
    await issue(installation, *(issuing(name, 50) for name in names))

    def more(count: int) -> list[Command]:
        commands: list[Command] = []
        for _ in range(count):
            card, transaction = random.choice(names), new_id()
            kind = random.choice(["activate", "redeem", "redeem"])
            sent = [mutating(kind, card, transaction, amount=random.randint(100, 3_000) / 100)]
            if random.random() < 0.3:
                sent.insert(random.randint(0, 1), mutating("cancel", card, transaction, mutation=kind))
            if random.random() < 0.3:
                sent.append(sent[0])
            commands += sent
        return commands

    for _ in range(2):
        await installation.commands(more(80))
        probe = {**SMALL_BATCHES, "PROBE": f"{point}:kill:2"}
        doomed, _ = await installation.spawn("giftcard", "giftcard-0", probe, wait=False)
        assert await asyncio.wait_for(doomed.wait(), 60) == -signal.SIGKILL
        await installation.commands(more(20))
    async with installation.worker("giftcard"):
        await drained(installation)
    told = await sound(installation)
    kinds = {change.kind for changes in told.values() for change in changes}
    assert kinds == {"issue", "activate", "redeem", "cancel"}
    for changes in told.values():
        mutations = [change.transaction_id for change in changes]
        assert len(set(mutations)) == len(mutations), "a transaction was booked twice"

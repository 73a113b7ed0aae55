"""Orders over the real topics, in any order of arrival, with kills: each comes to what its facts come to, once."""

import asyncio
import signal
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import product
from random import Random
from typing import Any

import orjson
import pytest

from cli.commands.verify import verify_service
from schemas.envelope import Envelope
from shared.ids import new_id
from tests.harness import Command, Installation, eventually

pytestmark = pytest.mark.real

PROGRAMME = "ORDERS"
LOADED, LOADED_FIRST = 20, 3
"""The orders for whose receipt points are loaded too."""
RULES: dict[str, Any] = {
    "id": PROGRAMME,
    "descriptions": {"en": "Points for orders"},
    "earnFrom": "orders",
    "earn": [{"on": "order", "points": 3, "per": 7}],
}


@dataclass
class Told:
    """What the web shop and the OMS tell, and what each account shall have in the end."""

    records: list[tuple[str, str, str, dict[str, Any]]] = field(default_factory=list)
    booked: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def order(self, random: Random, number: int, account: str) -> None:
        """An order of one to three lines, delivered line by line, some of it cancelled or sent back."""
        order = f"W-{number}"
        prices = [random.randint(1, 9_999) for _ in range(random.randint(1, 3))]
        lines = [{"line": str(at), "quantity": 1, "netAmount": price / 100} for at, price in enumerate(prices)]
        body = {"order": order, "accountNumber": account}
        placed = {"currency": "EUR", "placedAt": "2026-11-22T10:00:00Z", "lines": lines}
        self.records.append(("webshop.orders", "order.placed.v1", order, {**body, **placed}))
        total, fulfilled, cancelled, returned = sum(prices), 0, 0, 0
        for at, price in enumerate(prices):
            fate = random.choice(["fulfilled", "fulfilled", "cancelled", "returned", "open"])
            facts = ["fulfilled", "returned"] if fate == "returned" else [fate] if fate != "open" else []
            fulfilled += price * ("fulfilled" in facts)
            cancelled += price * ("cancelled" in facts)
            returned += price * ("returned" in facts)
            for what in facts:
                fact = {**body, "fact": f"{what}-{at}", "lines": [{"line": str(at), "quantity": 1}]}
                self.records.append(("oms.fulfilments", f"order.{what}.v1", order, fact))
        self.booked[account] += _booked(total // 700 * 3, total, fulfilled, cancelled, returned)

    def loaded_order(self, number: int) -> None:
        """An order that is delivered, and a load of as many points for its receipt: the one or the other is booked."""
        order, account = f"L-{number}", f"6298{number:05d}"
        body = {"order": order, "accountNumber": account}
        line = {"line": "1", "quantity": 1, "netAmount": 70}
        placed = {"currency": "EUR", "placedAt": "2026-11-22T10:00:00Z", "lines": [line]}
        load = {"loyaltyPointDefinitionId": PROGRAMME, "loads": [{"value": 30}]}
        loaded = {"loyaltyPrograms": [load], "context": {"receiptNr": order}}
        self.records.append(("webshop.orders", "order.placed.v1", order, {**body, **placed}))
        self.records.append(("oms.fulfilments", "order.fulfilled.v1", order, {**body, "fact": "all"}))
        self.records.append(("oms.fulfilments", "loyalty.transaction.v1", account, loaded))
        self.booked[account] = 30


def _booked(awarded: int, total: int, fulfilled: int, cancelled: int, returned: int) -> int:
    """The formula of rules 4.1.8, for facts by whole lines."""
    active = awarded * fulfilled // total
    if fulfilled and fulfilled + cancelled == total:
        active = awarded - awarded * cancelled // total
        if returned == fulfilled:
            return 0
    return active - awarded * returned // total


async def declare(installation: Installation) -> None:
    """Have the programme booked before anything is told: an order earns by the rules that are there when it comes."""
    known = Command("points.put_account_numbers.v1", "all", {"patterns": [".*"]})
    commands = [Command.declaring(RULES), known]
    await installation.commands(commands)
    installation.declared.extend(command.id for command in commands)
    async with installation.points():
        pass


async def tell(installation: Installation, records: list[tuple[str, str, str, dict[str, Any]]]) -> None:
    """Publish records as other systems do: by order number, each with an id of its own."""
    for topic, type_, order, body in records:
        envelope = Envelope(id=new_id(), type=type_, source=f"/tests/{topic}", subject=order)
        await installation.send(topic, orjson.dumps(body), [*envelope.headers()], order)


async def orders_of(installation: Installation, count: int) -> int:
    """Orders that are known and have nothing waiting."""
    found = installation.collection("points", "snapshots").count_documents(
        {"_id": {"$regex": "^order/"}, "state.revision": {"$gt": 0}, "state.waiting": []}
    )
    return min(count, int(await found))


async def campaign(installation: Installation, orders: int, kills: list[str], seed: int) -> None:
    """Records of all orders, shuffled, some told twice; a worker dies at each of `kills` while it works on them."""
    random, told = Random(seed), Told()
    for number in range(orders):
        told.order(random, number, f"6299{number % (orders // 3):05d}")
    for number in range(LOADED):
        told.loaded_order(number)
    repeatable = [record for record in told.records if record[1] != "loyalty.transaction.v1"]
    records = told.records + random.sample(repeatable, len(repeatable) // 10)
    random.shuffle(records)
    await declare(installation)
    early = [each for each in records if each[1] == "loyalty.transaction.v1"][:LOADED_FIRST]
    await load_first(installation, early)
    await tell(installation, [each for each in records if each not in early])
    for kill in kills:
        doomed, _ = await installation.spawn(
            "points", "points-0", {"PROBE": f"{kill}:kill:2", "FEALTY_BATCH_RECORDS_MAX": "40"}, wait=False
        )
        assert await asyncio.wait_for(doomed.wait(), 60) == -signal.SIGKILL
    async with installation.points():
        await installation.drained(group="points.reactions.webshop.orders", topic="webshop.orders")
        await installation.drained(group="points.reactions.oms.fulfilments", topic="oms.fulfilments")
        await installation.drained()
        await eventually(lambda: orders_of(installation, orders + LOADED), orders + LOADED)
    await _compare(installation, told)
    withheld = {"_id": {"$regex": "^order/"}, "state.awards.withheld": {"$gt": 0}}
    assert await installation.collection("points", "snapshots").count_documents(withheld) > 0
    await check_changes_gapless(installation)


async def load_first(installation: Installation, loads: list[tuple[str, str, str, dict[str, Any]]]) -> None:
    """Book some loads before their orders come, whichever topic is read first after that."""
    async with installation.points():
        await tell(installation, loads)
        await installation.drained(group="points.reactions.oms.fulfilments", topic="oms.fulfilments")
        await installation.drained()


async def _compare(installation: Installation, told: Told) -> None:
    seen: dict[str, int] = {}
    async for snapshot in installation.collection("points", "snapshots").find({"_id": {"$regex": "^account/"}}):
        (balance,) = snapshot["state"]["balances"]
        seen[snapshot["state"]["number"]] = balance["booked"]
        assert balance.get("pending", 0) >= 0
        assert balance.get("debt", 0) == 0
    assert seen == {number: booked for number, booked in told.booked.items() if booked or number in seen}
    report = await verify_service("points", installation.settings)
    assert report.ok, report.findings[:3]


async def test_orders_in_any_order_of_arrival_with_kills(empty_installation: Installation) -> None:
    kills = ["before_transaction", "in_transaction", "after_transaction", "after_publishing", "before_commit"]
    await campaign(empty_installation, orders=240, kills=kills, seed=31)


async def test_one_order_told_of_two_accounts(empty_installation: Installation) -> None:
    """Their commands are in different partitions and write the same order: one is first, the other is refused."""
    installation = empty_installation
    await declare(installation)
    lines = [{"line": "1", "quantity": 1, "netAmount": 70}]
    records = []
    for number in range(40):
        for account in ("one", "two"):
            body = {"order": f"W-{number}", "accountNumber": f"{account}-{number}", "lines": lines}
            body |= {"currency": "EUR", "placedAt": "2026-11-22T10:00:00Z"}
            records.append(("webshop.orders", "order.placed.v1", f"W-{number}", body))
    async with installation.points(), installation.points("points-1"):
        await tell(installation, records)
        await installation.drained(group="points.reactions.webshop.orders", topic="webshop.orders")
        await installation.drained()
    journal = installation.collection("points", "journal")
    assert await journal.count_documents({"type": "points.place_order.v1", "status": "accepted"}) == 40
    refused = {"type": "points.place_order.v1", "status": "rejected", "code": "order_account_mismatch"}
    assert await journal.count_documents(refused) == 40
    pending = 0
    async for snapshot in installation.collection("points", "snapshots").find({"_id": {"$regex": "^account/"}}):
        pending += sum(balance["pending"] for balance in snapshot["state"]["balances"])
    assert pending == 40 * 30

    await check_changes_gapless(installation)


async def test_two_shops_use_the_same_order_numbers(empty_installation: Installation) -> None:
    """Every customer orders under one number in two shops, and both orders earn, in any order of arrival."""
    installation, random, told = empty_installation, Random(7), Told()
    await installation.commands(per_shop := [Command("points.put_order_numbers.v1", "all", {"uniquePer": "shop"})])
    installation.declared.extend(command.id for command in per_shop)
    await declare(installation)
    for number, shop in product(range(30), ("Amsterdam/1", "Utrecht")):
        first = len(told.records)
        told.order(random, number, f"6299{number:05d}")
        if shop == "Utrecht" and number < 5:
            told.loaded_order(number)
        for _, type_, _, body in told.records[first:]:
            body |= {} if type_ == "loyalty.transaction.v1" else {"shop": shop}
            body |= {"context": {**body["context"], "shopId": shop}} if type_ == "loyalty.transaction.v1" else {}
    unnamed = ("oms.fulfilments", "order.fulfilled.v1", "W-1", {"order": "W-1", "accountNumber": "1", "fact": "f"})
    records = [*told.records, unnamed]
    random.shuffle(records)
    await tell(installation, records)
    async with installation.points(), installation.points("points-1"):
        await installation.drained(group="points.reactions.webshop.orders", topic="webshop.orders")
        await installation.drained(group="points.reactions.oms.fulfilments", topic="oms.fulfilments")
        await installation.drained()
    await _compare(installation, told)
    snapshots, journal = (installation.collection("points", name) for name in ("snapshots", "journal"))
    assert await snapshots.count_documents({"_id": {"$regex": "^shop-order/default/Amsterdam%2F1/W-"}}) == 30
    assert await snapshots.count_documents({"_id": {"$regex": "^order/"}}) == 0
    refused = [
        each["code"] async for each in journal.find({"status": "rejected", "code": {"$ne": "order_already_earns"}})
    ]
    assert refused == ["shop_required"]
    await check_changes_gapless(installation)


async def check_changes_gapless(installation: Installation) -> None:
    """Every account's sequence runs 1, 2, 3, …, repeats apart."""
    last: dict[str, int] = defaultdict(int)
    for record in await installation.read("points.changes"):
        change = orjson.loads(record.value or b"{}")
        if change["sequence"] > last[change["account"]]:
            assert change["sequence"] == last[change["account"]] + 1
            last[change["account"]] += 1
    assert last

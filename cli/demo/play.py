"""`fealty up --demo`: a customer, the document's examples, a transaction over HTTP, an order and a gift card.

Each run uses an account number, a customer and record ids that were never used before, so that what it expects is exact
however often it was run on the same data; of the document's two voucher serials, which can be redeemed once, see
:mod:`cli.demo.customer`. The programmes are declared each time, which changes nothing after the first.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from cli.commands import declarations
from cli.commands.apply import apply
from cli.commands.console import Failure, Say, out
from cli.commands.demo_clients import Held
from cli.commands.tail import Arrived, tail
from cli.commands.tokens import fetch_token
from cli.demo.compared import compared
from cli.demo.customer import Customer
from cli.demo.files import DECLARATIONS, PROGRAMME, contents
from cli.demo.giftcard import GiftCard
from cli.demo.run import TIMEOUT_S, Run, Unexpected, new_number
from cli.demo.story import REVERSED, STORY
from cli.demo.story import SOURCE as STORY_SOURCE
from schemas.envelope import Envelope
from shared.clock import monotonic_s
from shared.ids import account_id, input_command_id, new_id
from shared.runtime.entries import ACCEPTED, JournalEntry
from shared.runtime.journal import Journal
from shared.runtime.kafka import Producer, Record, TopicPartition, partition_of
from shared.settings import Settings

OMS_RECORD = "oms_fulfilment.json"
"""The document's example, byte for byte, its misspelt keys included: 1,000 points for an order."""

SOURCE = "/demo/oms"
LASTING = "6299000000000000017"
"""The account of the examples in README and docs/integration.md."""
_BALANCES = {PROGRAMME: 1000, "LOY22-Orders": 45}
"""What is left after everything."""

_LOOK_INTERVAL_S = 0.005


async def play(settings: Settings, http: str, clients: Mapping[str, Held], say: Say) -> str | None:
    """Play the demo on running services and print what was received, booked and emitted, and the customer.

    Returns the path of the demo's customer at the edge when all is well, and None when it is not.

    :raises Failure: a file of the demo is not there, or is wrong; a client gets no token.
    :raises Unavailable: a server is away.
    """
    say("running the demo")
    tokens = {name: await fetch_token(http, held) for name, held in clients.items()}
    journal = Journal(settings.mongodb, settings.database("points"), settings.request_timeout_ms)
    producer = Producer(settings)
    number, customer = new_number(), None
    try:
        async with tail(settings, _places(settings, number)) as records:
            run = Run(settings, number, http, tokens, records)
            customer = await _played(run, journal, producer)
    finally:
        await producer.stop()
        journal.close()
    say("the demo worked as expected" if customer else "the demo did not work as expected")
    return customer


def _places(settings: Settings, number: str) -> list[TopicPartition]:
    """Where what the demo waits for is published: of the account in its partition, of vouchers and cards in any."""
    mine = partition_of(account_id(settings.store, number), settings.partitions)
    return [
        *(TopicPartition(settings.topic(name), mine) for name in ("points.events", "points.changes")),
        *(
            TopicPartition(settings.topic(name), partition)
            for name in ("voucher.events", "giftcard.changes")
            for partition in range(settings.partitions)
        ),
    ]


async def _played(run: Run, journal: Journal, producer: Producer) -> str | None:
    """Do the steps and print them, and then the customer; its path, or None when a step was not as expected."""
    customer = Customer(run)
    try:
        before, after = await _Player(run, customer, journal, producer).play()
    except Unexpected:
        return None
    finally:
        run.show()
    out().print(compared(before, after, customer.redeemed))
    return customer.path


class _Player:
    """The demo's steps, in their order."""

    def __init__(self, run: Run, customer: Customer, journal: Journal, producer: Producer) -> None:
        self._run = run
        self._customer = customer
        self._journal = journal
        self._producer = producer

    async def play(self) -> tuple[Any, Any]:
        """Do the steps one after another; the customer before and after, as Get Customer answers it.

        :raises Unexpected: at the first that is not as expected.
        """
        await self._programmes()
        await self._customer.create()
        await self._customer.issue()
        before = await self._customer.before()
        command_id = await self._oms()
        await self._booked(command_id, ["account_opened", "loaded"], ["1 load +1000 = 1000"])
        await self._customer.shop()
        command_id = await self._transaction()
        await self._booked(command_id, ["loaded", "redeemed"], ["2 load +500 = 1500", "3 redeem -300 = 1200"])
        await self._order()
        await self._reversal(command_id)
        await self._account()
        await self._lasting()
        await GiftCard(self._run).play()
        return before, await self._customer.after(_BALANCES)

    async def _programmes(self) -> None:
        try:
            declared = declarations.read([str(path) for path in DECLARATIONS]).declarations
        except declarations.Invalid as invalid:
            raise Failure(str(invalid)) from invalid
        self._run.sending()
        outcomes = await apply(declared, self._run.settings)
        said = ", ".join(f"{outcome.id} {outcome.status}" for outcome in outcomes)
        self._run.note("programmes and card types declared", said, all(outcome.good for outcome in outcomes))

    async def _oms(self) -> str:
        """The input: its bytes as the document prints them, in the envelope of `oms.fulfilments`; its command id."""
        value = contents(OMS_RECORD)
        envelope = Envelope(id=new_id(), type="loyalty.transaction.v1", source=SOURCE, subject=self._run.number)
        topic = self._run.settings.topic("oms.fulfilments")
        partition = partition_of(self._run.number, self._run.settings.partitions)
        self._run.sending()
        await self._producer.publish([Record(topic, partition, self._run.number.encode(), value, envelope.headers())])
        self._run.note("OMS record published", f"{len(value)} bytes on {topic}", True)
        return input_command_id(SOURCE, envelope.id)

    async def _transaction(self) -> str:
        """A till's load and redemption in one, over HTTP; its command id."""
        path = f"/api/v1.0/LoyaltyVault/Account/{self._run.number}/Transaction"
        part = {"loyaltyPointDefinitionId": PROGRAMME, "loads": [{"value": 500}], "redemptions": [{"value": 300}]}
        body = {"loyaltyPrograms": [part], "context": {"receiptNr": "R-1001", "shopId": "Shop 7"}}
        self._run.sending()
        answer = await self._run.call("till", "POST", path, body)
        document: Any = answer.body or {}
        good = document.get("balances") == [{"loyaltyProgramId": PROGRAMME, "pointsBalance": 1200}]
        seen = f"{answer.status} {json.dumps(document.get('balances', document))}"
        self._run.note("HTTP load 500, redeem 300", seen, answer.status == 200 and good)
        return str(document.get("transactionId"))

    async def _order(self) -> None:
        """An order's facts, each on its topic as the web shop and the OMS publish them."""
        order = f"W-{self._run.number[4:]}"
        for chapter in STORY:
            record, event_id = chapter.record(self._run.settings, self._run.number, order)
            self._run.sending()
            await self._producer.publish([record])
            self._run.note(chapter.what, f"{chapter.type} on {record.topic}", True)
            command_id = input_command_id(STORY_SOURCE, event_id)
            arrived = await self._run.caused("points.changes", command_id, len(chapter.changes))
            self._run.note_arrived("points.changes", arrived, [_change(one) for one in arrived], list(chapter.changes))

    async def _reversal(self, transaction_id: str) -> None:
        """The till's transaction is undone over HTTP."""
        path = f"/v1/accounts/{self._run.number}/reversals"
        self._run.sending()
        answer = await self._run.call("admin", "POST", path, {"transactionId": transaction_id, "reason": "wrong card"})
        document: Any = answer.body or {}
        seen = f"{answer.status} {json.dumps(document.get('balances', document))}"
        self._run.note("HTTP reversal of load and redemption", seen, answer.status == 200)
        arrived = await self._run.caused("points.changes", str(document.get("transactionId")), len(REVERSED))
        self._run.note_arrived("points.changes", arrived, [_change(one) for one in arrived], REVERSED)

    async def _booked(self, command_id: str, names: list[str], changes: list[str]) -> None:
        """A command's journal entry, and the records that name it as their cause, in order."""
        events = [f"points.{name}.v1" for name in names]
        entry = await self._entry(command_id)
        status = "nothing" if entry is None else entry["status"]
        types = [] if entry is None else [event["data"]["type"] for event in entry.get("events", ())]
        self._run.note("journalled", f"{status}: {', '.join(types)}", status == ACCEPTED and types == events)
        arrived = await self._run.caused("points.events", command_id, len(events))
        self._run.note_arrived("points.events", arrived, [one.header("ce_type") or "" for one in arrived], events)
        arrived = await self._run.caused("points.changes", command_id, len(changes))
        self._run.note_arrived("points.changes", arrived, [_change(one) for one in arrived], changes)

    async def _entry(self, command_id: str) -> JournalEntry | None:
        deadline_s = monotonic_s() + TIMEOUT_S
        while monotonic_s() < deadline_s:
            entry = (await self._journal.load([command_id], [])).entries.get(command_id)
            if entry is not None:
                return entry
            await asyncio.sleep(_LOOK_INTERVAL_S)
        return None

    async def _account(self) -> None:
        self._run.sending()
        answer = await self._run.call("admin", "GET", f"/v1/accounts/{self._run.number}")
        document: Any = answer.body or {}
        found = {balance["programme"]: balance["balance"] for balance in document.get("balances", ())}
        good = answer.status == 200 and found == _BALANCES and document.get("sequence") == 10
        self._run.note("HTTP account read back", f"{answer.status} {json.dumps(found)}", good)

    async def _lasting(self) -> None:
        """An account that is there after every run, for whoever looks around: loaded once."""
        path = f"/api/v1.0/LoyaltyVault/Account/{LASTING}/Transaction"
        body = {"loyaltyPrograms": [{"loyaltyPointDefinitionId": PROGRAMME, "loads": [{"value": 1000}]}]}
        self._run.sending()
        answer = await self._run.call("till", "POST", path, body, key="demo-lasting-account")
        self._run.note(f"HTTP load of {LASTING}, once for all runs", str(answer.status), answer.status == 200)


def _change(arrived: Arrived) -> str:
    """A change in short: sequence, kind, delta and the balance after it, and the same of what is pending."""
    change = json.loads(arrived.record.value or b"{}")
    told = f"{change['sequence']} {change['kind']} {change['delta']:+d} = {change['booked']}"
    if change["pendingDelta"]:
        told += f", pending {change['pendingDelta']:+d} = {change['pending']}"
    return told

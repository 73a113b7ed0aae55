"""`fealty up --demo`: the document's OMS example, a transaction over HTTP, and an order, followed from end to end.

Each run uses an account number and record ids that were never used before, so that what it expects is exact however
often it was run on the same data. The programmes are declared each time, which changes nothing after the first.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.envelope import Envelope
from shared.clock import monotonic_s, now_ms
from shared.commands import declarations
from shared.commands.apply import apply
from shared.commands.console import Failure, out, table
from shared.commands.demo_clients import Held
from shared.commands.story import REVERSED, STORY
from shared.commands.story import SOURCE as STORY_SOURCE
from shared.commands.tail import Arrived, Tail, tail
from shared.commands.tokens import fetch_token
from shared.commands.up import Say
from shared.commands.web import Answer, call
from shared.ids import account_id, input_command_id, new_id
from shared.runtime.journal import Journal
from shared.runtime.kafka import Producer, Record, TopicPartition, partition_of
from shared.settings import Settings

DEMO = Path(__file__).resolve().parents[2] / "demo"
PROGRAMMES = DEMO / "programmes.yaml"
OMS_RECORD = DEMO / "oms_fulfilment.json"
"""The document's example (`seeds/003`), byte for byte, its misspelt keys included: 1,000 points for an order."""

PROGRAMME = "LOY22-BuyVouchers"
SOURCE = "/demo/oms"
_TIMEOUT_S = 15.0
_LOOK_INTERVAL_S = 0.005


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the demo: what happened, how long after it was sent, and whether it is as expected."""

    what: str
    seen: str
    took_ms: float
    good: bool


class _Unexpected(Exception):
    """A step was not as expected; the demo ends there."""


async def play(settings: Settings, http: str, clients: Mapping[str, Held], say: Say) -> bool:
    """Play the demo on running services and print what was received, booked and emitted; True when all is well.

    :raises Failure: a file of the demo is not there, or is wrong; a client gets no token.
    :raises Unavailable: a server is away.
    """
    say("playing the demo")
    tokens = {name: await fetch_token(http, clients[name]) for name in ("till", "admin")}
    journal = Journal(settings.mongodb, settings.database("points"), settings.request_timeout_ms)
    producer = Producer(settings.kafka, settings.request_timeout_ms)
    player = _Player(settings, http, tokens, journal, producer)
    good = True
    try:
        await player.play()
    except _Unexpected:
        good = False
    finally:
        await producer.stop()
        journal.close()
        _show(player.number, player.steps)
    say("the demo went as expected" if good else "the demo did not go as expected")
    return good


class _Player:
    """One run of the demo, on an account of its own."""

    def __init__(
        self, settings: Settings, http: str, tokens: Mapping[str, str], journal: Journal, producer: Producer
    ) -> None:
        self._settings = settings
        self._http = http
        self._tokens = tokens
        self._journal = journal
        self._producer = producer
        self._sent_s = monotonic_s()
        self.number = f"6299{now_ms():015d}"
        self.steps: list[Step] = []

    async def play(self) -> None:
        """Do the steps one after another.

        :raises _Unexpected: at the first that is not as expected.
        """
        account = account_id(self._settings.store, self.number)
        partition = partition_of(account, self._settings.partitions)
        topics = [self._settings.topic(name) for name in ("points.events", "points.changes")]
        async with tail(self._settings, [TopicPartition(topic, partition) for topic in topics]) as records:
            await self._programmes()
            command_id = await self._oms()
            await self._booked(command_id, records, ["account_opened", "loaded"], ["1 load +1000 = 1000"])
            command_id = await self._transaction()
            changes = ["2 load +500 = 1500", "3 redeem -300 = 1200"]
            await self._booked(command_id, records, ["loaded", "redeemed"], changes)
            await self._order(records)
            await self._reversal(command_id, records)
            await self._account()

    async def _programmes(self) -> None:
        try:
            declared = declarations.read([str(PROGRAMMES)])
        except declarations.Invalid as invalid:
            raise Failure(str(invalid)) from invalid
        self._sent_s = monotonic_s()
        outcomes = await apply(declared, self._settings)
        said = ", ".join(f"{outcome.id} {outcome.status}" for outcome in outcomes)
        self._note("programmes declared", said, all(outcome.good for outcome in outcomes))

    async def _oms(self) -> str:
        """The input: its bytes as the document prints them, in the envelope of `oms.fulfilments`; its command id."""
        try:
            value = OMS_RECORD.read_bytes()
        except OSError as error:
            raise Failure(f"{OMS_RECORD}: {error.strerror}") from error
        envelope = Envelope(id=new_id(), type="loyalty.transaction.v1", source=SOURCE, subject=self.number)
        topic = self._settings.topic("oms.fulfilments")
        partition = partition_of(self.number, self._settings.partitions)
        self._sent_s = monotonic_s()
        await self._producer.publish([Record(topic, partition, self.number.encode(), value, envelope.headers())])
        self._note("OMS record received", f"{len(value)} bytes on {topic}", True)
        return input_command_id(SOURCE, envelope.id)

    async def _transaction(self) -> str:
        """A till's load and redemption in one, over HTTP; its command id."""
        path = f"/api/v1.0/LoyaltyVault/Account/{self.number}/Transaction"
        part = {"loyaltyPointDefinitionId": PROGRAMME, "loads": [{"value": 500}], "redemptions": [{"value": 300}]}
        body = {"loyaltyPrograms": [part], "context": {"receiptNr": "R-1001", "shopId": "Shop 7"}}
        self._sent_s = monotonic_s()
        answer = await self._call("till", "POST", path, body)
        document: Any = answer.body or {}
        good = document.get("balances") == [{"loyaltyProgramId": PROGRAMME, "pointsBalance": 1200}]
        seen = f"{answer.status} {json.dumps(document.get('balances', document))}"
        self._note("HTTP load 500, redeem 300", seen, answer.status == 200 and good)
        return str(document.get("transactionId"))

    async def _call(self, client: str, method: str, path: str, body: Any = None) -> Answer:
        """Call the edge as one of the demo's clients; each call that writes has a key of its own."""
        headers = {"Authorization": f"Bearer {self._tokens[client]}"}
        if body is not None:
            headers["Idempotency-Key"] = new_id()
        return await call(method, f"{self._http}{path}", body, headers)

    async def _order(self, records: Tail) -> None:
        """An order's facts, each on its topic as the web shop and the OMS publish them."""
        order = f"W-{self.number[4:]}"
        for chapter in STORY:
            record, event_id = chapter.record(self._settings, self.number, order)
            self._sent_s = monotonic_s()
            await self._producer.publish([record])
            self._note(chapter.what, f"{chapter.type} on {record.topic}", True)
            command_id = input_command_id(STORY_SOURCE, event_id)
            arrived = await self._emitted("points.changes", command_id, records, len(chapter.changes))
            self._note_arrived("points.changes", arrived, [_change(one) for one in arrived], list(chapter.changes))

    async def _reversal(self, transaction_id: str, records: Tail) -> None:
        """The till's transaction is undone over HTTP."""
        path = f"/v1/accounts/{self.number}/reversals"
        self._sent_s = monotonic_s()
        answer = await self._call("admin", "POST", path, {"transactionId": transaction_id, "reason": "wrong card"})
        document: Any = answer.body or {}
        seen = f"{answer.status} {json.dumps(document.get('balances', document))}"
        self._note("HTTP reversal of load and redemption", seen, answer.status == 200)
        arrived = await self._emitted("points.changes", str(document.get("transactionId")), records, len(REVERSED))
        self._note_arrived("points.changes", arrived, [_change(one) for one in arrived], REVERSED)

    async def _booked(self, command_id: str, records: Tail, names: list[str], changes: list[str]) -> None:
        """A command's journal entry, and the records that name it as their cause, in order."""
        events = [f"points.{name}.v1" for name in names]
        entry = await self._entry(command_id)
        types = [event["data"]["type"] for event in entry.get("events", ())]
        seen = f"{entry.get('status', 'nothing')}: {', '.join(types)}"
        self._note("journalled", seen, entry.get("status") == "accepted" and types == events)
        arrived = await self._emitted("points.events", command_id, records, len(events))
        self._note_arrived("points.events", arrived, [one.header("ce_type") or "" for one in arrived], events)
        arrived = await self._emitted("points.changes", command_id, records, len(changes))
        self._note_arrived("points.changes", arrived, [_change(one) for one in arrived], changes)

    async def _entry(self, command_id: str) -> dict[str, Any]:
        deadline_s = monotonic_s() + _TIMEOUT_S
        while monotonic_s() < deadline_s:
            entry = (await self._journal.load([command_id], [])).entries.get(command_id)
            if entry is not None:
                return entry
            await asyncio.sleep(_LOOK_INTERVAL_S)
        return {}

    async def _emitted(self, topic: str, command_id: str, records: Tail, count: int) -> list[Arrived]:
        name = self._settings.topic(topic)

        def caused(one: Arrived) -> bool:
            return one.record.topic == name and one.header("ce_causationid") == command_id

        return await records.wait(count, caused, _TIMEOUT_S)

    async def _account(self) -> None:
        self._sent_s = monotonic_s()
        answer = await self._call("admin", "GET", f"/v1/accounts/{self.number}")
        document: Any = answer.body or {}
        found = {balance["programme"]: balance["balance"] for balance in document.get("balances", ())}
        wanted = {PROGRAMME: 1000, "LOY22-Orders": 45}
        good = answer.status == 200 and found == wanted and document.get("sequence") == 10
        self._note("HTTP account read back", f"{answer.status} {json.dumps(found)}", good)

    def _note_arrived(self, topic: str, arrived: list[Arrived], seen: list[str], wanted: list[str]) -> None:
        at_s = arrived[-1].at_s if arrived else monotonic_s()
        self._note(f"emitted on {topic}", ", ".join(seen) or "nothing", seen == wanted, at_s)

    def _note(self, what: str, seen: str, good: bool, at_s: float | None = None) -> None:
        """One more step, done at `at_s` or now."""
        took_s = (monotonic_s() if at_s is None else at_s) - self._sent_s
        self.steps.append(Step(what, seen, took_s * 1000, good))
        if not good:
            raise _Unexpected


def _change(arrived: Arrived) -> str:
    """A change in short: sequence, kind, delta and the balance after it, and the same of what is pending."""
    change = json.loads(arrived.record.value or b"{}")
    told = f"{change['sequence']} {change['kind']} {change['delta']:+d} = {change['booked']}"
    if change["pendingDelta"]:
        told += f", pending {change['pendingDelta']:+d} = {change['pending']}"
    return told


def _show(number: str, steps: list[Step]) -> None:
    shown = table("step", "seen", "after ms", "", title=f"The demo, on account {number}")
    for step in steps:
        shown.add_row(step.what, step.seen, f"{step.took_ms:,.0f}", "ok" if step.good else "WRONG")
    out().print(shown)

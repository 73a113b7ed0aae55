"""The steps of one batch without the pump: a processor of the counter on a real journal and a real broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from schemas.envelope import Envelope
from schemas.replies import GET_OUTCOME
from shared.clock import monotonic_s
from shared.ids import new_id
from shared.runtime.consumer import Batch, Lease
from shared.runtime.journal import Journal
from shared.runtime.kafka import Producer
from shared.runtime.process import Probe, Processor, no_probe
from tests.harness import Command, Headers, Installation, payload
from tests.real.counter import COUNT, COUNTER


class Quiet:
    """Nobody to tell about troubles."""

    def trouble(self, what: str) -> None:
        """Not expected here."""
        raise AssertionError(what)

    def clear(self) -> None:
        """Nothing to clear."""


async def nothing_to_settle() -> None:
    """There is no earlier commit."""


@dataclass
class Bench:
    """A processor of the counter, and the records in its topic."""

    installation: Installation
    journal: Journal
    producer: Producer
    wanted: asyncio.Event = field(default_factory=asyncio.Event)

    def processor(self, probe: Probe = no_probe) -> Processor:
        return Processor(COUNTER, self.installation.settings, self.journal, self.producer, Quiet(), probe)

    async def batch(self, publish_for_s: float = 60) -> Batch:
        """Everything in the commands topic as one batch."""
        records = await self.installation.read("points.commands")
        return Batch(records, Lease(self.wanted, monotonic_s() + publish_for_s), nothing_to_settle)

    async def count(self, by: int, subject: str = "c", **more: str) -> str:
        """Send one command; its id."""
        return await self.send(Command(COUNT, subject, {"by": by}), **more)

    async def send(self, command: Command, **more: str) -> str:
        """Send one command, with more attributes in its envelope; its id."""
        headers: Headers = [*command.headers(), *((f"ce_{name}", value.encode()) for name, value in more.items())]
        await self.installation.send("points.commands", command.value, headers, command.subject)
        return command.id

    async def ask(self, command_id: str, subject: str = "c") -> None:
        """Ask for the outcome of a command, of which it would be too late to be accepted."""
        query = Envelope(id=new_id(), type=GET_OUTCOME, source="/tests", subject=command_id, causation_id=command_id)
        more: Headers = [(f"ce_{name}", value.encode()) for name, value in {**self.reply_to, "notafter": "1"}.items()]
        await self.installation.send("points.commands", b"{}", [*query.headers(), *more], subject)

    @property
    def reply_to(self) -> dict[str, str]:
        """The attributes of an address for replies."""
        return {"replyto": self.installation.settings.topic("edge.replies"), "replypartition": "1"}

    async def replies(self) -> list[dict[str, Any]]:
        """All replies, in their order."""
        return [payload(record) for record in await self.installation.read("edge.replies")]

    async def sum(self, subject: str = "c") -> int:
        """The counter's stored state."""
        stored = await self.installation.collection("points", "snapshots").find_one(
            {"_id": f"counter/default/{subject}"}
        )
        return 0 if stored is None else int(stored["state"]["sum"])


@asynccontextmanager
async def new_bench(installation: Installation) -> AsyncIterator[Bench]:
    """A bench on an installation, its journal prepared and its producer connected."""
    settings = installation.settings
    journal = Journal(settings.mongodb, settings.database("points"), settings.request_timeout_ms)
    producer = Producer(settings)
    await journal.prepare()
    await producer.start()
    yield Bench(installation, journal, producer)
    await producer.stop()
    journal.close()

"""An installation of Fealty for one test: its own prefix on real servers, its processes, and eyes to look with."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import AsyncMongoClient

from schemas.topics import TOPICS
from shared.embedded.process import Process
from shared.ids import new_id
from shared.runtime.kafka import partition_of
from shared.runtime.topics import create_topics
from shared.servers import environment_of, kafka_options, mongodb_options
from shared.settings import Settings
from tests.commands import Command as Command
from tests.commands import Headers as Headers
from tests.forks import Forked
from tests.looks import answers as answers
from tests.looks import eventually as eventually
from tests.looks import free_port as free_port
from tests.looks import header as header
from tests.looks import payload as payload
from tests.servers import ROOT, Servers

DEMO = Path(__file__).parent.parent / "demo" / "programmes.yaml"

PARTITIONS = 3
"""Enough for an order per key that is none between keys; each of an installation's seventeen topics has so many."""


@dataclass
class Installation:
    """One prefix. `settings` are those of its processes, `ports` of their metrics; `logs` is where output goes."""

    settings: Settings
    servers: Servers
    logs: Path
    producer: AIOKafkaProducer
    mongo: AsyncMongoClient[dict[str, Any]]
    processes: list[Process] = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)
    declared: list[str] = field(default_factory=list)
    forked: bool = True
    _clients: tuple[AIOKafkaConsumer, AIOKafkaAdminClient] | None = None

    @property
    def secret(self) -> bytes:
        """The installation's secret."""
        return self.settings.secret.get_secret_value().encode()

    @asynccontextmanager
    async def points(self, name: str = "points-0", **environment: str) -> AsyncIterator[Process]:
        """A running, ready worker of the points service that has booked what was declared, unless it is to be killed.

        What is declared has a partition of its own: commands on others would be decided before it, and refused.
        """
        async with self.worker("points", name, **environment) as process:
            if "PROBE" not in environment:
                await self.settled(self.declared)
            yield process

    @asynccontextmanager
    async def worker(self, service: str, name: str = "", **environment: str) -> AsyncIterator[Process]:
        """A running, ready worker of a service; `PROBE=<point>:<action>:<count>` makes it misbehave."""
        process, _ = await self.spawn(service, name or f"{service}-0", environment)
        try:
            yield process
        finally:
            await process.stop(30)

    @asynccontextmanager
    async def edge(self, **environment: str) -> AsyncIterator[str]:
        """A running, ready edge; its base URL."""
        process, port = await self.spawn("edge", "edge-0", environment)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            await process.stop(30)

    @asynccontextmanager
    async def services(self, *services: str) -> AsyncIterator[None]:
        """Running, ready workers of several services, started and stopped together; what was declared is booked."""
        try:
            await asyncio.gather(*(self.spawn(each, f"{each}-0") for each in services))
            await self.settled(self.declared)
            yield
        finally:
            started = {f"{each}-0" for each in services}
            await asyncio.gather(*(each.stop(30) for each in self.processes if each.name in started))

    async def spawn(
        self, service: str, name: str, environment: Mapping[str, str] = MappingProxyType({}), *, wait: bool = True
    ) -> tuple[Process, int]:
        """Start a process of a service on a free port; with `wait`, return only when it is ready."""
        port = free_port()
        self.ports[name] = free_port() if service == "edge" else port
        environment = {"FEALTY_HEALTH_PORT": str(self.ports[name]), **environment}
        process = self.process(name)
        await process.start([sys.executable, "-m", "tests.worker", service], self.environment(name, port, environment))
        if wait:
            await process.wait_ready(lambda: answers(f"http://127.0.0.1:{port}/health/ready"), 30)
        return process, port

    def process(self, name: str) -> Process:
        """A process of this installation, to be started; forked, so that it costs no import, where that is `forked`."""
        log, kind = self.logs / f"{name}.log", name.partition(":")[0]
        earlier = sum(each.name.partition(":")[0] == kind for each in self.processes)
        process = Forked(name, log, earlier) if self.forked else Process(name, log)
        self.processes.append(process)
        return process

    def environment(self, name: str, port: int, more: Mapping[str, str]) -> dict[str, str]:
        """The environment of one process of this installation."""
        settings = self.settings
        return {
            **os.environ,
            **environment_of(settings),
            "FEALTY_PREFIX": settings.prefix,
            "FEALTY_PARTITIONS": str(settings.partitions),
            "FEALTY_INSTANCE": name,
            "FEALTY_PORT": str(port),
            **more,
        }

    async def send(
        self, topic: str, value: bytes | None, headers: Headers, key: str, partition: int | None = None
    ) -> int:
        """Publish one record as it is; its offset."""
        place = partition_of(key, self.settings.partitions) if partition is None else partition
        sent = await self.producer.send_and_wait(
            self.settings.topic(topic), value, key=key.encode(), partition=place, headers=headers
        )
        return int(sent.offset)

    async def command(self, command: Command) -> int:
        """Publish one command to its service; its offset."""
        return await self.send(command.topic, command.value, command.headers(), command.subject)

    async def commands(self, commands: Iterable[Command]) -> None:
        """Publish many commands, in order per account."""
        pending = []
        for command in commands:
            topic, key = self.settings.topic(command.topic), command.subject.encode()
            place = partition_of(command.subject, self.settings.partitions)
            pending.append(
                await self.producer.send(topic, command.value, key=key, partition=place, headers=command.headers())
            )
        await asyncio.gather(*pending)

    async def declare_file(self, path: Path) -> None:
        """Send the declarations of a file; whoever starts a worker by :meth:`points` waits until they are booked."""
        document = yaml.safe_load(path.read_bytes())  # noqa: ASYNC240 - a small local file
        commands = [Command.declaring(programme) for programme in document["programmes"]]
        commands.append(Command("points.put_account_numbers.v1", "all", {"patterns": [".*"]}))
        await self.commands(commands)
        self.declared.extend(command.id for command in commands)

    def collection(self, service: str, name: str) -> Any:
        """A collection of a service's database."""
        return self.mongo[self.settings.database(service)][name]

    async def entry(self, command_id: str, service: str = "points") -> dict[str, Any] | None:
        """The journal document of a command."""
        found: dict[str, Any] | None = await self.collection(service, "journal").find_one({"_id": command_id})
        return found

    async def settled(self, command_ids: Sequence[str], timeout_s: float = 30, service: str = "points") -> None:
        """Wait until all these commands are journalled."""
        journal = self.collection(service, "journal")
        await eventually(
            lambda: journal.count_documents({"_id": {"$in": list(command_ids)}}), len(set(command_ids)), timeout_s
        )

    async def drained(self, timeout_s: float = 60, group: str = "points", topic: str = "points.commands") -> None:
        """Wait until the group has committed everything in a topic."""
        await eventually(lambda: self.lag(group, topic), 0, timeout_s)

    async def fed(self, topic: str, timeout_s: float = 60) -> None:
        """Wait until the edge's views have everything in a topic, and that is all that running workers have booked.

        What is journalled is published afterwards: a worker has done so when it commits.
        """
        service = topic.partition(".")[0]
        if any(each.pid is not None and each.name.startswith(f"{service}-") for each in self.processes):
            await self.drained(group=service, topic=f"{service}.commands")
        ends = {f"{place.topic}/{place.partition}": end for place, end in (await self.ends(topic)).items()}

        async def behind() -> dict[str, int]:
            found = await self.collection("edge", "offsets").find({"_id": {"$in": [*ends]}}).to_list(None)
            done = {each["_id"]: each["next"] for each in found}
            return {place: end for place, end in ends.items() if done.get(place, 0) < end}

        await eventually(behind, {}, timeout_s)

    async def ends(self, topic: str) -> dict[TopicPartition, int]:
        """The offset that the next record of each partition of a topic gets."""
        consumer, _ = await self.clients()
        ends: dict[TopicPartition, int] = await consumer.end_offsets(self.places(topic))
        return ends

    async def lag(self, group: str, topic: str) -> int:
        """Records that a group has not committed yet."""
        ends = await self.ends(topic)
        _, admin = await self.clients()
        done = await admin.list_consumer_group_offsets(self.settings.group(group))
        return sum(end - max(0, done[place].offset if place in done else 0) for place, end in ends.items())

    async def clients(self) -> tuple[AIOKafkaConsumer, AIOKafkaAdminClient]:
        """What looks at offsets: started once, and read nothing."""
        if self._clients is None:
            options = kafka_options(self.settings)
            consumer, admin = AIOKafkaConsumer(**options, group_id=None), AIOKafkaAdminClient(**options)
            await asyncio.gather(consumer.start(), admin.start())
            self._clients = consumer, admin
        return self._clients

    def places(self, topic: str) -> list[TopicPartition]:
        """The partitions of a topic."""
        return [TopicPartition(self.settings.topic(topic), number) for number in range(self.settings.partitions)]

    async def read(self, topic: str) -> list[ConsumerRecord[bytes, bytes]]:
        """Everything in a topic up to its present end, in order per partition."""
        consumer = AIOKafkaConsumer(**kafka_options(self.settings), auto_offset_reset="earliest")
        await consumer.start()
        try:
            consumer.assign(self.places(topic))
            ends = await self.ends(topic)
            found: list[ConsumerRecord[bytes, bytes]] = []
            while any([await consumer.position(place) < end for place, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    found.extend(records)
            return found
        finally:
            await consumer.stop()

    async def close(self) -> None:
        """Stop what still runs, and take the installation's topics and databases away."""
        for process in self.processes:
            process.kill()
        consumer, admin = await self.clients()
        try:
            owners = {topic.owner for topic in TOPICS.values()}
            await asyncio.gather(
                *(self.mongo.drop_database(self.settings.database(each)) for each in owners),
                admin.delete_topics([self.settings.topic(name) for name in TOPICS]),
                self.producer.stop(),
            )
        finally:
            await self.mongo.close()
            await asyncio.gather(consumer.stop(), admin.close())


@asynccontextmanager
async def new_installation(servers: Servers, **more: Any) -> AsyncIterator[Installation]:
    """A fresh installation with its topics created; everything of it is gone afterwards."""
    prefix = f"t{new_id()[-8:]}."
    more = {"partitions": PARTITIONS, **more}
    settings = Settings(**servers.settings, prefix=prefix, **more)
    await create_topics(settings)
    producer = AIOKafkaProducer(
        **kafka_options(settings), acks="all", max_request_size=2 * 1024 * 1024, max_batch_size=1024 * 1024
    )
    await producer.start()
    mongo: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(**mongodb_options(servers.mongodb))
    installation = Installation(settings, servers, ROOT / "tests" / "logs" / prefix.rstrip("."), producer, mongo)
    try:
        yield installation
    finally:
        await installation.close()

"""The local stack's promises, on real servers: what was written survives stops, new ports, kills and orphans."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pydantic import SecretStr
from pymongo import AsyncMongoClient

from shared.embedded import Endpoints, Stack, StackError, write_endpoints
from shared.embedded.fetch import fetch_kafka, fetch_mongod
from shared.embedded.kafka import MECHANISM, USER, EmbeddedKafka
from shared.embedded.locate import locate_kafka
from shared.embedded.mongo import EmbeddedMongo
from shared.servers import kafka_options, mongodb_options
from shared.settings import Settings

pytestmark = pytest.mark.real
VARIABLES = ("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_HOME", "MONGODB_URL")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server given by the environment."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@dataclass
class Servers:
    """Both servers on one directory; each start of new ones takes the place of those before."""

    root: Path
    kafka: EmbeddedKafka
    mongo: EmbeddedMongo

    @classmethod
    def at(cls, root: Path) -> "Servers":
        kafka = EmbeddedKafka(fetch_kafka(), root / "kafka")
        return cls(root, kafka, EmbeddedMongo(fetch_mongod(), root / "mongo"))

    async def start(self) -> None:
        await asyncio.gather(self.kafka.start(), self.mongo.start())

    async def stop(self) -> None:
        await asyncio.gather(self.kafka.stop(), self.mongo.stop())

    def pids(self) -> list[int]:
        return [pid for pid in (self.kafka.pid, self.mongo.pid) if pid]


@pytest.fixture(scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    """Running servers that hold one record and one document; every test leaves them running."""
    servers = Servers.at(tmp_path_factory.mktemp("servers"))
    await servers.start()
    await write(servers)
    yield servers
    await servers.stop()


def options(kafka: EmbeddedKafka) -> dict[str, Any]:
    """What a client of this broker is made with."""
    login: dict[str, Any] = {"kafka_user": USER, "kafka_password": SecretStr(kafka.password)}
    return kafka_options(Settings(kafka=kafka.address, kafka_mechanism=MECHANISM, **login))


async def write(servers: Servers) -> None:
    admin = AIOKafkaAdminClient(**options(servers.kafka))
    await admin.start()
    try:
        await admin.create_topics([NewTopic("kept", num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()
    producer = AIOKafkaProducer(**options(servers.kafka), acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait("kept", b"record", partition=0)
    finally:
        await producer.stop()
    await in_transaction(servers.mongo.address, "document")


async def in_transaction(url: str, document_id: str) -> None:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(**mongodb_options(url))
    async with client, client.start_session() as session, await session.start_transaction():
        await client.test.kept.insert_one({"_id": document_id}, session=session)


async def read(servers: Servers) -> tuple[list[bytes | None], list[str]]:
    """All records and all documents' ids."""
    consumer = AIOKafkaConsumer(**options(servers.kafka), auto_offset_reset="earliest")
    await consumer.start()
    try:
        partition = TopicPartition("kept", 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        batches = await consumer.getmany(partition, timeout_ms=10_000)
    finally:
        await consumer.stop()
    records = [record.value for batch in batches.values() for record in batch]
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(**mongodb_options(servers.mongo.address))
    async with client:
        documents = [document["_id"] async for document in client.test.kept.find()]
    return records, documents


WRITTEN = ([b"record"], ["document"])


async def test_what_was_written_survives_a_stop_and_new_ports(servers: Servers) -> None:
    assert await servers.kafka.healthy()
    assert await servers.mongo.healthy()
    before = (servers.kafka.address, servers.mongo.address)
    await servers.stop()
    assert not await servers.kafka.healthy()
    assert not await servers.mongo.healthy()
    for name in ("kafka", "mongo"):
        (servers.root / name / "ports").unlink()
    await servers.start()
    assert servers.kafka.address != before[0]
    assert servers.mongo.address != before[1]
    assert await read(servers) == WRITTEN


async def test_what_was_written_survives_a_kill(servers: Servers) -> None:
    before = (servers.kafka.address, servers.mongo.address)
    servers.kafka.kill()
    servers.mongo.kill()
    await servers.start()
    assert (servers.kafka.address, servers.mongo.address) == before
    assert await read(servers) == WRITTEN


async def test_orphans_of_an_earlier_run_are_stopped_first(servers: Servers) -> None:
    orphans = servers.pids()
    later = Servers.at(servers.root)  # knows of the others only by their pid files
    await later.start()
    assert not set(later.pids()) & set(orphans)
    assert servers.pids() == []
    servers.kafka, servers.mongo = later.kafka, later.mongo
    assert await read(servers) == WRITTEN


async def test_servers_of_the_environment_are_used_as_they_are(
    servers: Servers, bare: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", servers.kafka.address)
    monkeypatch.setenv("MONGODB_URL", servers.mongo.address)
    monkeypatch.setenv("FEALTY_KAFKA_USER", USER)
    monkeypatch.setenv("FEALTY_KAFKA_PASSWORD", servers.kafka.password)
    monkeypatch.setenv("FEALTY_KAFKA_MECHANISM", MECHANISM)
    async with Stack(tmp_path) as stack:
        assert (stack.kafka, stack.mongo) == (None, None)
        assert stack.kafka_bootstrap_servers == servers.kafka.address
        assert stack.mongodb_url == servers.mongo.address
        with pytest.raises(StackError, match=rf"another stack \(process {os.getpid()}\) uses {tmp_path}"):
            await Stack(tmp_path).start()
    assert len(servers.pids()) == 2

    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    with pytest.raises(StackError, match=r"^Kafka does not answer at KAFKA_BOOTSTRAP_SERVERS=127\.0\.0\.1:1$"):
        await Stack(tmp_path).start()
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "localhost")
    with pytest.raises(StackError, match="not host:port"):
        await Stack(tmp_path).start()
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", servers.kafka.address)
    monkeypatch.setenv("MONGODB_URL", "http://localhost")
    with pytest.raises(StackError, match=r"^MONGODB_URL does not work: Invalid URI"):
        await Stack(tmp_path).start()
    monkeypatch.setenv("MONGODB_URL", "mongodb://127.0.0.1:1/?replicaSet=rs0")
    with pytest.raises(StackError, match=r"^MongoDB does not answer at MONGODB_URL"):
        await Stack(tmp_path).start()


async def test_half_written_directories_are_made_anew(bare: None, tmp_path: Path) -> None:
    kafka, mongo = (tmp_path / "data" / name / "content" for name in ("kafka", "mongo"))
    for directory in (kafka, mongo):
        directory.mkdir(parents=True)
    (kafka / "meta.properties").write_text("version=1\nclust")
    (mongo / "WiredTiger").write_text("Wired")
    (mongo / "WiredTiger.turtle").write_bytes(b"")
    (mongo / "mongod.lock").write_text("1\n")
    stack = Stack(tmp_path, test_commands=True)
    async with stack:
        await in_transaction(stack.mongodb_url, "document")
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(**mongodb_options(stack.mongodb_url))
        async with client:
            await client.admin.command("configureFailPoint", "failCommand", mode="off")
        endpoints = Endpoints(
            http="http://127.0.0.1:8000", kafka=stack.kafka_bootstrap_servers, mongodb=stack.mongodb_url
        )
        write_endpoints(tmp_path, endpoints)
        assert json.loads((tmp_path / "endpoints.json").read_text()) == endpoints
    assert not (tmp_path / "endpoints.json").exists()
    assert stack.kafka is not None
    assert stack.kafka.pid is None

    # The marker is there now: the same damage is told, and nothing is wiped.
    (mongo / "WiredTiger.turtle").write_bytes(b"")
    (kafka / "meta.properties").write_text("version=1\nclust")
    for start in (EmbeddedMongo(fetch_mongod(), mongo.parent), EmbeddedKafka(fetch_kafka(), kafka.parent)):
        with pytest.raises(StackError, match=r"ended while starting: .*\.log\)$") as caught:
            await start.start()
        assert "\n" not in str(caught.value)
        assert start.pid is None
    assert (mongo / "WiredTiger").exists()
    assert (kafka / "__cluster_metadata-0").exists()


async def test_a_server_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import asyncio, pathlib, sys\n"
        "from shared.embedded.fetch import fetch_mongod\n"
        "from shared.embedded.mongo import EmbeddedMongo\n"
        "async def main():\n"
        "    mongo = EmbeddedMongo(fetch_mongod(), pathlib.Path(sys.argv[1]))\n"
        "    await mongo.start()\n"
        "    print(mongo.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(*(sys.executable, "-c", code, str(tmp_path)), stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    await asyncio.to_thread(wait_gone, pid)
    mongo = EmbeddedMongo(fetch_mongod(), tmp_path)
    await mongo.start()
    await mongo.stop()


def wait_gone(pid: int) -> None:
    """Wait until the process has ended, reaped or not; it had its signal already."""
    command_line = Path(f"/proc/{pid}/cmdline")
    for _ in range(200):
        if not command_line.exists() or not command_line.read_bytes():
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} outlived its parent")


def test_what_is_missing_is_one_line_that_names_the_variable(
    bare: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match=r"^Kafka needs Java 17.*KAFKA_BOOTSTRAP_SERVERS.*$"):
        locate_kafka()
    with pytest.raises(StackError, match=r"^Maven is needed to download Kafka.*KAFKA_HOME.*KAFKA_BOOTSTRAP_SERVERS.*$"):
        fetch_kafka(tmp_path / "servers")

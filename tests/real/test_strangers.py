"""The local stack's servers give nothing to whoever has no password, and data from before there was one to who has."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from shared.embedded.datadir import DataDir
from shared.embedded.fetch import fetch_mongod
from shared.embedded.mongo import EmbeddedMongo
from shared.embedded.process import Process
from shared.embedded.stack import Stack
from shared.servers import kafka_options, mongodb_options
from shared.settings import Settings
from tests.servers import Servers

pytestmark = pytest.mark.real


@pytest.fixture
def stack(real_servers: Servers) -> Stack:
    """The local stack of the test run."""
    if real_servers.stack is None or real_servers.stack.kafka is None or real_servers.stack.mongo is None:
        pytest.skip("the servers are not ours")
    return real_servers.stack


async def test_nobody_gets_anything_of_mongodb_without_the_password(stack: Stack) -> None:
    host = stack.mongodb_url.rpartition("@")[2]
    for stranger in (host, f"fealty:guessed@{host}"):
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(**mongodb_options(f"mongodb://{stranger}"))
        async with client:
            for ask in (client.list_database_names, client.test.kept.find_one, client.test.kept.drop):
                with pytest.raises(OperationFailure, match=r"[Aa]uthentication"):
                    await ask()


async def test_nobody_gets_anything_of_kafka_without_the_password(stack: Stack) -> None:
    known = kafka_options(Settings(**stack.settings)) | {"request_timeout_ms": 2_000}
    bare = {name: known[name] for name in ("bootstrap_servers", "request_timeout_ms")}
    for options in (bare, {**known, "sasl_plain_password": "guessed"}):
        clients: list[Any] = [AIOKafkaConsumer(**options), AIOKafkaAdminClient(**options)]
        for client in clients:
            with pytest.raises((KafkaError, TimeoutError)):
                await asyncio.wait_for(client.start(), 5)
            await (client.stop() if isinstance(client, AIOKafkaConsumer) else client.close())


async def test_nobody_gets_anything_of_kafkas_controller_without_the_password(stack: Stack) -> None:
    port = int((stack.root / "data" / "kafka" / "ports").read_text().split()[1])
    connection = await create_conn("127.0.0.1", port, request_timeout_ms=2_000)
    with pytest.raises((KafkaError, OSError)):
        await asyncio.wait_for(connection.send(MetadataRequest([])), 5)
    connection.close()


async def test_data_from_before_mongodb_had_a_user_are_served_to_it_alone(tmp_path: Path) -> None:
    mongo, data = EmbeddedMongo(fetch_mongod(), tmp_path), DataDir(tmp_path)
    data.wipe_incomplete()
    (port,) = data.choose_ports([None])
    process = Process("mongod", tmp_path / "earlier.log")
    argv = [str(fetch_mongod()), "--dbpath", str(data.content), "--port", str(port), "--bind_ip", "127.0.0.1"]
    await process.start([*argv, "--replSet", "rs0"])
    client: AsyncMongoClient[dict[str, Any]]
    client = AsyncMongoClient(**mongodb_options(f"mongodb://127.0.0.1:{port}/?directConnection=true"))
    async with client:
        members = [{"_id": 0, "host": f"127.0.0.1:{port}"}]
        await client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
    client = AsyncMongoClient(**mongodb_options(f"mongodb://127.0.0.1:{port}/?replicaSet=rs0"))
    async with client:
        await client.test.kept.insert_one({"_id": "document"})
    await process.stop(15)
    data.mark_complete()
    (tmp_path / "ports").unlink()  # So that it also has to tell its replica set of another port.
    await mongo.start()
    try:
        client = AsyncMongoClient(**mongodb_options(mongo.address))
        async with client:
            assert [each["_id"] async for each in client.test.kept.find()] == ["document"]
    finally:
        await mongo.stop()

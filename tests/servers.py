"""Where the tests' servers come from: the environment, else testcontainers, else the local stack."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from testcontainers.community.kafka import KafkaContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from shared.embedded.stack import Stack
from shared.servers import mongodb_options

ROOT = Path(__file__).parent.parent / ".fealty"
KAFKA_IMAGE = "confluentinc/cp-kafka:7.9.0"
MONGODB_IMAGE = "mongo:6.0"


@dataclass(frozen=True)
class Servers:
    """The settings of who uses them, and the local stack when it is ours, for the tests that kill servers."""

    settings: Mapping[str, Any]
    stack: Stack | None

    @property
    def kafka(self) -> str:
        """Bootstrap servers."""
        return str(self.settings["kafka"])

    @property
    def mongodb(self) -> str:
        """MongoDB's address."""
        return str(self.settings["mongodb"])


@asynccontextmanager
async def servers() -> AsyncIterator[Servers]:
    """Real servers for a test run; data of an earlier run are not wanted."""
    if "KAFKA_BOOTSTRAP_SERVERS" in os.environ and "MONGODB_URL" in os.environ:
        yield Servers({"kafka": os.environ["KAFKA_BOOTSTRAP_SERVERS"], "mongodb": os.environ["MONGODB_URL"]}, None)
    elif docker_answers():
        with containers() as found:
            yield found
    else:
        (ROOT / "tests").mkdir(parents=True, exist_ok=True)
        root = Path(tempfile.mkdtemp(prefix="run-", dir=ROOT / "tests"))
        try:
            async with Stack(root, test_commands=True) as stack:
                yield Servers(stack.settings, stack)
        finally:
            shutil.rmtree(root, ignore_errors=True)


@contextmanager
def containers() -> Iterator[Servers]:
    """Both servers in containers; the replica set is initiated here."""
    with (
        KafkaContainer(KAFKA_IMAGE).with_kraft() as kafka,
        DockerContainer(MONGODB_IMAGE).with_command("--replSet rs0 --bind_ip_all").with_exposed_ports(27017) as mongo,
    ):
        address = f"mongodb://{mongo.get_container_host_ip()}:{mongo.get_exposed_port(27017)}/?directConnection=true"
        client: MongoClient[dict[str, object]] = MongoClient(**mongodb_options(address))
        client.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": "localhost:27017"}]})
        client.close()
        yield Servers({"kafka": kafka.get_bootstrap_server(), "mongodb": address}, None)


def docker_answers() -> bool:
    """Whether a Docker engine runs here."""
    try:
        return bool(DockerClient().client.ping())
    except Exception:
        return False

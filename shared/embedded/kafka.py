"""A real Apache Kafka of one node (KRaft, broker and controller in one process) on this machine."""

import base64
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest

from shared.embedded.datadir import DataDir
from shared.embedded.errors import StackError
from shared.embedded.java import java_command
from shared.embedded.kafka_properties import PROPERTIES
from shared.embedded.private import write_private
from shared.embedded.process import Process, last_log_line
from shared.servers import kafka_options
from shared.settings import Settings

__all__ = ["MECHANISM", "USER", "EmbeddedKafka", "kafka_answers"]

USER = "fealty"
MECHANISM = "PLAIN"

_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
_connect: Any = create_conn  # the library has no types

_FORMAT_TIMEOUT_S = 60.0
_START_TIMEOUT_S = 90.0  # a recovery after a kill reads the logs that were being written
_STOP_TIMEOUT_S = 15.0
_REQUEST_TIMEOUT_MS = 2_000


class EmbeddedKafka:
    """A broker run from the jars in `home`/libs, with its files in `data`, on 127.0.0.1 only.

    `port` None takes the port used before, else a free one. Data survive a stop, a kill and a new port.
    It serves the one user `USER` alone, on data from before it had one as well. `jvm_options` are added to its own.
    """

    def __init__(self, home: Path, data: Path, port: int | None = None, *, jvm_options: Sequence[str] = ()) -> None:
        self._home = home
        self._jvm_options = jvm_options
        self._data = DataDir(data)
        self._wanted_port = port
        self._port: int | None = None
        self._process = Process("Kafka", self._data.path / "kafka.log")

    @property
    def address(self) -> str:
        """`127.0.0.1:port`; known once `start` was called."""
        if self._port is None:
            raise StackError("Kafka was never started")
        return f"127.0.0.1:{self._port}"

    @property
    def password(self) -> str:
        """The password of `USER`, drawn with the first data."""
        return self._data.secret("password")

    @property
    def pid(self) -> int | None:
        """The broker's process id while it runs, else None."""
        return self._process.pid

    async def start(self) -> None:
        """Start the broker, formatting its directory when that was never done; return when it answers.

        Raises StackError when it cannot start, with the log's telling line; then nothing is left running.
        """
        if self.pid is not None:
            return
        command = [*java_command(self._home), *self._jvm_options]
        await self._process.wait()  # a killed run, still ending
        await self._data.stop_orphan()
        self._port, controller_port = self._data.choose_ports([self._wanted_port, None])
        properties = self._data.path / "server.properties"
        jaas = f'{_LOGIN} required username="{USER}" password="{self.password}" user_{USER}="{self.password}";'
        write_private(
            properties,
            PROPERTIES.format(port=self._port, controller_port=controller_port, logs=self._data.content, jaas=jaas),
        )
        await self._format(properties)
        try:
            await self._process.start([*command, "kafka.Kafka", str(properties)], cwd=self._data.path)
            self._data.remember_process(self._process.pid or 0)
            await self._process.wait_ready(self.healthy, _START_TIMEOUT_S)
        except BaseException:
            self.kill()
            raise

    async def _format(self, properties: Path) -> None:
        """Write the empty cluster, unless the marker says it was written to the end."""
        if self._data.complete:
            return
        self._data.wipe_incomplete()
        cluster_id = "F" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
        tool = Process("Kafka's formatting", self._data.path / "format.log")
        command = [*java_command(self._home), "kafka.tools.StorageTool", "format"]
        await tool.start([*command, "-t", cluster_id, "-c", str(properties)], cwd=self._data.path)
        try:
            self._data.remember_process(tool.pid or 0)
            code = await tool.wait_ended(_FORMAT_TIMEOUT_S)
        except BaseException:
            tool.kill()
            raise
        if code != 0:
            raise StackError(f"Kafka's directory could not be formatted: {last_log_line(tool.log)}")
        self._data.mark_complete()

    async def stop(self) -> None:
        """Stop the broker in order, by force after a bounded wait."""
        await self._process.stop(_STOP_TIMEOUT_S)
        self._data.forget_process()

    def kill(self) -> None:
        """SIGKILL; `start` works again afterwards."""
        self._process.kill()

    async def healthy(self) -> bool:
        """Whether the broker answers and is registered under its present port."""
        if self._port is None or self.pid is None:
            return False
        who = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": MECHANISM}
        login = {"sasl_plain_username": USER, "sasl_plain_password": self.password}
        return self._port in await _broker_ports("127.0.0.1", self._port, {**who, **login})


async def kafka_answers(settings: Settings) -> bool:
    """Whether one of `host:port[,host:port…]` answers a metadata request. Raises StackError for another form."""
    options = kafka_options(settings)
    bootstrap_servers = options.pop("bootstrap_servers")
    for server in bootstrap_servers.split(","):
        host, _, port = server.strip().rpartition(":")
        if not (host and port.isdecimal()):
            raise StackError(f"KAFKA_BOOTSTRAP_SERVERS is {bootstrap_servers!r}, not host:port[,host:port…]")
        if await _broker_ports(host, int(port), options):
            return True
    return False


async def _broker_ports(host: str, port: int, options: Mapping[str, Any]) -> set[int]:
    """The ports of the brokers that the one at `host:port` knows; none when it does not answer.

    One bare connection: a client object would log every refused attempt.
    """
    try:
        connection = await _connect(host, port, request_timeout_ms=_REQUEST_TIMEOUT_MS, **options)
    except (OSError, KafkaError):
        return set()
    try:
        metadata = await connection.send(MetadataRequest([]))
    except (OSError, KafkaError):
        return set()
    finally:
        connection.close()
    return {broker[2] for broker in metadata.brokers}

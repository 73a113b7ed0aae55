"""A real mongod on this machine, a replica set of one member, so that transactions work."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError

from shared.embedded.datadir import DataDir
from shared.embedded.errors import StackError
from shared.embedded.process import Process
from shared.servers import mongodb_options

__all__ = ["EmbeddedMongo", "mongo_answers"]

_REPLICA_SET = "rs0"
_USER = "fealty"
_KEY = "key"
_USER_EXISTS = 51003
_CACHE_GB = 1
_TRANSACTION_LIFETIME_S = 5
_OPLOG_MB = 512
_SLOW_MS = 1_000  # what the server's log calls slow; everything else stays out of it
_START_TIMEOUT_S = 90.0  # a recovery after a kill replays the journal
_STOP_TIMEOUT_S = 15.0
_REQUEST_TIMEOUT_MS = 2_000


class EmbeddedMongo:
    """A mongod run from the file `binary`, with its files in `data`, on 127.0.0.1 only.

    `port` None takes the port used before, else a free one. Data survive a stop, a kill and a new port. It serves its
    one user alone, whose password is drawn with the first data; data from before it had one are served as well.
    `test_commands` turns on `failCommand` for fault tests.
    """

    def __init__(self, binary: Path, data: Path, port: int | None = None, *, test_commands: bool = False) -> None:
        self._binary = binary
        self._data = DataDir(data)
        self._wanted_port = port
        self._test_commands = test_commands
        self._port: int | None = None
        self._process = Process("MongoDB", self._data.path / "mongod.log")

    @property
    def address(self) -> str:
        """`mongodb://user:password@127.0.0.1:port/?replicaSet=rs0`; known once `start` was called."""
        return f"mongodb://{_USER}:{self._data.secret('password')}@{self._host}/?replicaSet={_REPLICA_SET}"

    @property
    def _host(self) -> str:
        if self._port is None:
            raise StackError("MongoDB was never started")
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs, else None."""
        return self._process.pid

    async def start(self) -> None:
        """Start mongod and return when it is a writable primary, the replica set made or adapted if need be.

        Raises StackError when it cannot start, with the log's telling line; then nothing is left running.
        """
        if self.pid is not None:
            return
        await self._process.wait()  # a killed run, still ending
        await self._data.stop_orphan()
        self._data.wipe_incomplete()
        (self._port,) = self._data.choose_ports([self._wanted_port])
        self._data.secret(_KEY)
        try:
            await self._process.start(self._command(), cwd=self._data.path)
            self._data.remember_process(self._process.pid or 0)
            async with self._client() as client:
                await self._process.wait_ready(lambda: self._configured(client), _START_TIMEOUT_S)
                await self._make_user(client)
        except BaseException:
            self.kill()
            raise
        self._data.mark_complete()

    def _command(self) -> list[str]:
        parameters = [
            "diagnosticDataCollectionEnabled=false",
            # A killed worker's open transaction holds its documents until then; the default is a minute.
            f"transactionLifetimeLimitSeconds={_TRANSACTION_LIFETIME_S}",
        ]
        if self._test_commands:
            parameters.append("enableTestCommands=1")
        return [
            str(self._binary),
            *("--dbpath", str(self._data.content), "--port", str(self._port), "--bind_ip", "127.0.0.1"),
            *("--keyFile", str(self._data.path / _KEY)),
            *("--replSet", _REPLICA_SET, "--oplogSize", str(_OPLOG_MB)),
            *("--wiredTigerCacheSizeGB", str(_CACHE_GB)),
            *("--nounixsocket", "--quiet", "--slowms", str(_SLOW_MS)),
            *(word for parameter in parameters for word in ("--setParameter", parameter)),
        ]

    async def _configured(self, client: AsyncMongoClient[dict[str, Any]]) -> bool:
        """One step towards a writable primary under the present port; True when it is one."""
        try:
            if await _is_primary(client, self._host):
                return True
            config = await client.local["system.replset"].find_one()
            if config is None:
                members = [{"_id": 0, "host": self._host}]
                await client.admin.command("replSetInitiate", {"_id": _REPLICA_SET, "members": members})
            elif config["members"][0]["host"] != self._host:  # the port is a new one
                config["members"][0]["host"] = self._host
                config["version"] += 1
                await client.admin.command("replSetReconfig", config, force=True)
        except PyMongoError:  # not listening yet, or between two states
            return False
        return False

    async def _make_user(self, client: AsyncMongoClient[dict[str, Any]]) -> None:
        """The user of all clients, with the password of this directory; raises StackError when it can't be made."""
        user: dict[str, Any] = {"pwd": self._data.secret("password"), "roles": ["root"]}
        try:
            try:
                await client.admin.command("createUser", _USER, **user)
            except OperationFailure as error:
                if error.code != _USER_EXISTS:
                    raise
                await client.admin.command("updateUser", _USER, **user)
        except PyMongoError as error:
            raise StackError(f"MongoDB's user could not be created: {error}") from error

    async def stop(self) -> None:
        """Stop mongod in order, by force after a bounded wait."""
        await self._process.stop(_STOP_TIMEOUT_S)
        self._data.forget_process()

    def kill(self) -> None:
        """SIGKILL; `start` works again afterwards."""
        self._process.kill()

    async def healthy(self) -> bool:
        """Whether the server is a writable primary under its present port."""
        if self._port is None or self.pid is None:
            return False
        async with self._client() as client:
            try:
                return await _is_primary(client, self._host)
            except PyMongoError:
                return False

    def _client(self) -> AsyncMongoClient[dict[str, Any]]:
        """A client that talks to this server whatever state its replica set is in, as a member of it would.

        The key of the members lets it in before there is any user, and into data from before there was one.
        """
        return AsyncMongoClient(
            **mongodb_options(f"mongodb://{self._host}/?directConnection=true", _REQUEST_TIMEOUT_MS),
            username="__system",
            password=self._data.secret(_KEY),
            authSource="local",
            authMechanism="SCRAM-SHA-256",
            socketTimeoutMS=_REQUEST_TIMEOUT_MS,
        )


async def _is_primary(client: AsyncMongoClient[dict[str, Any]], host: str) -> bool:
    hello: Mapping[str, Any] = await client.admin.command("hello")
    return bool(hello.get("isWritablePrimary")) and hello.get("me") == host


async def mongo_answers(url: str) -> bool:
    """Whether the server at `url` answers.

    Raises StackError when the address is none, the server refuses us, or it is a lone one without transactions.
    """
    try:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(**mongodb_options(url, _REQUEST_TIMEOUT_MS))
        async with client:
            hello = await client.admin.command("hello")
    except (ConfigurationError, OperationFailure) as error:  # a wrong address or password, not a silent server
        raise StackError(f"MONGODB_URL does not work: {str(error).partition(', full error')[0]}") from error
    except PyMongoError:
        return False
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise StackError("the server at MONGODB_URL is not a replica set, which transactions need")
    return True

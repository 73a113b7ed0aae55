"""Kafka and MongoDB for this machine: the environment's own, or servers of ours in one directory."""

import asyncio
import fcntl
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from pydantic import SecretStr

from shared.embedded.endpoints import remove_endpoints
from shared.embedded.errors import StackError
from shared.embedded.kafka import MECHANISM, USER, EmbeddedKafka, kafka_answers
from shared.embedded.locate import External, locate_kafka, locate_mongod
from shared.embedded.mongo import EmbeddedMongo, mongo_answers
from shared.embedded.private import make_private
from shared.embedded.process import together
from shared.settings import Settings

__all__ = ["Stack"]


class Stack:
    """`async with Stack(root) as stack:` has both servers answering inside, and stopped afterwards.

    Data live in `root`/data and survive, unless the stack is to be `fresh`; one stack at a time uses a root, and nobody
    but its owner can read what is in it.
    `test_commands` lets a mongod of ours take `failCommand`. A server that the environment names is only checked to
    answer.
    """

    def __init__(self, root: Path, *, fresh: bool = False, test_commands: bool = False) -> None:
        self.root = root.resolve()
        self.kafka: EmbeddedKafka | None = None
        self.mongo: EmbeddedMongo | None = None
        self._fresh = fresh
        self._test_commands = test_commands
        self._external_kafka = self._external_mongo = ""
        self._lock: IO[str] | None = None

    @property
    def kafka_bootstrap_servers(self) -> str:
        """`host:port[,host:port…]`, once started."""
        return self.kafka.address if self.kafka else self._external_kafka

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of whoever uses these servers, once started, but for what the environment says of its own."""
        found: dict[str, Any] = {"kafka": self.kafka_bootstrap_servers, "mongodb": self.mongodb_url}
        if self.kafka is not None:
            found |= {"kafka_user": USER, "kafka_password": SecretStr(self.kafka.password)}
            found |= {"kafka_mechanism": MECHANISM, "kafka_tls": False, "kafka_ca_file": ""}
        return found

    @property
    def mongodb_url(self) -> str:
        """A `mongodb://` address that takes transactions, once started."""
        return self.mongo.address if self.mongo else self._external_mongo

    async def start(self) -> None:
        """Start both servers at once and return when both answer.

        Raises StackError (FetchError when a server cannot be had); then nothing of ours is left running.
        """
        self._lock = _take_lock(self.root / "lock")
        try:
            await asyncio.to_thread(make_private, self.root)
            if self._fresh:  # Only now that the root is ours: until then they may be another stack's at work.
                await asyncio.to_thread(shutil.rmtree, self.root / "data", ignore_errors=True)
            await together(self._start_kafka(), self._start_mongo())
        except BaseException:
            await self.stop()
            raise

    async def _start_kafka(self) -> None:
        place = await asyncio.to_thread(locate_kafka)
        if isinstance(place, External):
            self._external_kafka = place.address
            if not await kafka_answers(Settings()):
                raise StackError(f"Kafka does not answer at KAFKA_BOOTSTRAP_SERVERS={place.address}")
        else:
            self.kafka = EmbeddedKafka(place, self.root / "data" / "kafka")
            await self.kafka.start()

    async def _start_mongo(self) -> None:
        place = await asyncio.to_thread(locate_mongod)
        if isinstance(place, External):
            self._external_mongo = place.address
            if not await mongo_answers(place.address):
                raise StackError(f"MongoDB does not answer at MONGODB_URL ({place})")
        else:
            data = self.root / "data" / "mongo"
            self.mongo = EmbeddedMongo(place, data, test_commands=self._test_commands)
            await self.mongo.start()

    async def stop(self) -> None:
        """Stop what runs, remove the file of addresses, and release the root. Harmless when not started."""
        if self._lock is None:
            return
        remove_endpoints(self.root)
        try:
            await asyncio.gather(*(server.stop() for server in (self.kafka, self.mongo) if server))
        finally:
            self._lock.close()
            self._lock = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _take_lock(path: Path) -> IO[str]:
    """Lock the file until it is closed or the process ends; StackError when another stack has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read(20).strip() or "unknown"
        file.close()
        raise StackError(
            f"another stack (process {holder}) uses {path.parent}: stop it first, or use another directory"
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file

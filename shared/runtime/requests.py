"""Sending commands and waiting for their replies, for the edge and the command line (protocol P8)."""

import asyncio
import random
from dataclasses import dataclass
from typing import Any

import structlog
from faststream.kafka import KafkaBroker
from pydantic import TypeAdapter, ValidationError

from schemas.envelope import Envelope, EnvelopeError
from schemas.replies import GET_OUTCOME, REPLY, Reply
from shared.backoff import Backoff
from shared.clock import now_ms
from shared.errors import FealtyError, Unavailable
from shared.ids import new_id
from shared.runtime.assigned import AssignedReader
from shared.runtime.consumer import watch
from shared.runtime.health import Health, Part
from shared.runtime.kafka import AIOKafkaConsumer, Producer, Record, TopicPartition, partition_of, translated
from shared.settings import Settings

log = structlog.get_logger()

_REPLY: TypeAdapter[Reply] = TypeAdapter(Reply)
_POSITION_TIMEOUT_S = 30.0
_FETCH_WAIT_MS = 500
"""Alone in its fetches, a partition is answered as soon as it has something; a short wait would only cost idle CPU."""


class NotSent(FealtyError):
    """The command was not handed to the producer: it will never be accepted; 503 (P8)."""


class OutcomeUnknown(FealtyError):
    """The command was handed over but not acknowledged in time: it may or may not be accepted; 504 (P8)."""

    def __init__(self, operation: "Operation") -> None:
        super().__init__(f"operation {operation}")
        self.operation = operation


@dataclass(frozen=True, slots=True)
class Operation:
    """What a caller polls: the service and partition that know the command, its id, and its last moment."""

    service: str
    partition: int
    command_id: str
    not_after: int

    def __str__(self) -> str:
        return f"{self.service}.{self.partition}.{self.command_id}.{self.not_after}"

    @classmethod
    def parse(cls, text: str) -> "Operation":
        """Read what `str` wrote.

        :raises ValueError: when it is no operation id.
        """
        service, partition, command_id, not_after = text.split(".")
        if not (service.isalpha() and partition.isdigit() and not_after.isdigit() and len(command_id) == 36):
            raise ValueError("no operation id")
        return cls(service, int(partition), command_id, int(not_after))


@dataclass(frozen=True, slots=True)
class Request:
    """A command to send. `service` owns the topic; `value` is its JSON; `request_hash` what the caller said (P3).

    `actor` is who had it sent.
    """

    service: str
    command_id: str
    type: str
    subject: str
    value: bytes
    store: str
    request_hash: str | None = None
    correlation_id: str | None = None
    actor: str | None = None


class Requester:
    """Sends commands and resolves their replies, on a partition of `edge.replies` picked at start."""

    def __init__(self, broker: KafkaBroker, settings: Settings, health: Health, source: str) -> None:
        self._settings = settings
        self._source = source
        self._replies = settings.topic("edge.replies")
        self._partition = random.randrange(settings.partitions)
        self._producer = Producer(settings)
        self._state = health.part(f"{source}:replies")
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._task: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()
        self._failures = 0
        self._place = TopicPartition(self._replies, self._partition)
        self._reader = AssignedReader(
            broker, settings, [self._place], auto_offset_reset="latest", fetch_max_wait_ms=_FETCH_WAIT_MS
        )

    @property
    def consumer(self) -> AIOKafkaConsumer:
        """Its consumer; there once the broker has started."""
        return self._reader.consumer

    @property
    def state(self) -> Part:
        """The part of the process that listens for replies."""
        return self._state

    def in_hand(self) -> dict[TopicPartition, int | None]:
        """The partition of replies; what comes is resolved at once."""
        return {self._place: None}

    async def connect(self) -> None:
        """Reach the broker, unless reached; one attempt at a time, whose failure is that of all who waited for it.

        :raises Unavailable: when it is away.
        """
        failures = self._failures
        async with self._connecting:
            if failures != self._failures:
                raise Unavailable("the broker was not available a moment ago")
            try:
                await self._producer.ensure_started()
            except Unavailable:
                self._failures += 1
                raise

    async def start(self) -> None:
        """Be ready for replies before the first command: a `latest` consumer has no position at first.

        :raises Unavailable: when the broker is away, or the replies' partition has no leader.
        """
        await self.connect()
        async with translated("finding the end of the replies"), asyncio.timeout(_POSITION_TIMEOUT_S):
            self._reader.poller.next_offsets[self._place] = await self.consumer.position(self._place)
        self._task = asyncio.create_task(self._listen(), name="replies")
        watch(self._task, self._ended)
        self._state.joined()

    async def stop(self) -> None:
        """Forget who waits; their commands go on, and can be polled."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        await self._producer.stop()

    async def send(self, request: Request) -> "Sent":
        """Hand a command over and wait until the broker has it.

        :raises NotSent: nothing was handed over.
        :raises OutcomeUnknown: it was handed over, and no acknowledgement came in time.
        """
        not_after = now_ms() + self._settings.not_after_ms
        partition = partition_of(request.subject, self._settings.partitions)
        operation = Operation(request.service, partition, request.command_id, not_after)
        envelope = Envelope(
            id=request.command_id,
            type=request.type,
            source=self._source,
            subject=request.subject,
            store=request.store,
            correlation_id=request.correlation_id or new_id(),
            reply_to=self._replies,
            reply_partition=self._partition,
            not_after=not_after,
            request_hash=request.request_hash,
            actor=request.actor,
        )
        return await self._publish(operation, envelope, request.value)

    async def poll(self, operation: Operation, store: str) -> "Sent":
        """Ask a service how a command of `store` ended; the answer is a reply like any other."""
        envelope = Envelope(
            id=new_id(),
            type=GET_OUTCOME,
            source=self._source,
            subject=operation.command_id,
            store=store,
            correlation_id=new_id(),
            causation_id=operation.command_id,
            reply_to=self._replies,
            reply_partition=self._partition,
            not_after=operation.not_after,
        )
        return await self._publish(operation, envelope, b"{}")

    async def _publish(self, operation: Operation, envelope: Envelope, value: bytes) -> "Sent":
        try:
            await self.connect()
        except Unavailable as error:
            raise NotSent(str(error)) from error
        correlation_id = envelope.correlation_id or ""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[correlation_id] = future
        topic = self._settings.topic(f"{operation.service}.commands")
        record = Record(topic, operation.partition, envelope.subject.encode(), value, envelope.headers())
        try:
            await self._producer.publish_one(record)
        except Unavailable as error:
            self._waiting.pop(correlation_id, None)
            raise OutcomeUnknown(operation) from error
        except BaseException:
            self._waiting.pop(correlation_id, None)
            raise
        return Sent(self, operation, correlation_id, future)

    def forget(self, correlation_id: str) -> None:
        """Nobody waits for this reply any more."""
        self._waiting.pop(correlation_id, None)

    async def _listen(self) -> None:
        """Resolve what is waited for; replies to other processes on the same partition are not ours."""
        backoff = Backoff(first_ms=100)
        while True:
            self._state.beat()
            try:
                polled = await self._reader.poll()
            except Unavailable as error:
                self._state.trouble(str(error))
                await backoff.wait()
                continue
            self._state.clear()
            backoff.reset()
            for broken in polled.unreadable:  # Whoever waits for what stands there gets 202, and asks.
                log.warning("replies could not be read", at=broken.where, reason=broken.reason)
            self._reader.poller.step_over(polled.unreadable)
            if polled.fetched:
                self._state.progress()
            for record in polled.records:
                self._resolve(record)

    def _ended(self, error: BaseException | None) -> None:
        if self._task is not None:
            self._state.died(f"replies cannot be received: {error!r}")

    def _resolve(self, record: Any) -> None:
        try:
            envelope = Envelope.from_headers(record.headers)
            future = self._waiting.pop(envelope.correlation_id or "", None)
            if future is None or envelope.type != REPLY or future.done():
                return
            future.set_result(_REPLY.validate_json(record.value))
        except (EnvelopeError, ValidationError) as error:
            log.warning("a reply could not be read", offset=record.offset, error=type(error).__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """A command that the broker has."""

    requester: Requester
    operation: Operation
    correlation_id: str
    future: "asyncio.Future[Reply]"

    async def reply(self, wait_ms: int) -> Reply | None:
        """The reply, or None when none came in time; it can be polled by the operation."""
        try:
            return await asyncio.wait_for(self.future, wait_ms / 1000)
        except TimeoutError:
            return None
        finally:
            self.requester.forget(self.correlation_id)

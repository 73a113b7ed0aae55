"""The pump: polls one subscriber's consumer, hands over batches, commits what is done, per partition.

FastStream makes, joins and stops the consumer; its own loop is never started (docs/decisions/0002). One batch at a
time; its offset commit may overlap the next one's reads and is settled before that one's transaction (P11).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from faststream.kafka import KafkaBroker
from faststream.middlewares import AckPolicy

from shared.backoff import Backoff
from shared.clock import monotonic_s
from shared.errors import Relinquished, Stopped, Unavailable
from shared.metrics import BATCH_RECORDS, BATCH_SECONDS, COMMITS, LAG
from shared.runtime.health import Health, Part
from shared.runtime.kafka import (
    AIOKafkaConsumer,
    ConsumerRebalanceListener,
    ConsumerRecord,
    TopicPartition,
    commit,
    renew,
)
from shared.runtime.polling import POLL_FAILURES_MAX, Poller
from shared.runtime.retries import GivenUp
from shared.runtime.stops import Stops
from shared.settings import Settings

log = structlog.get_logger()

FETCH_BYTES_MAX = 2 * 1024 * 1024
PARTITION_FETCH_BYTES_MAX = 512 * 1024


class Lease:
    """The right to work on a batch: until its partitions are wanted elsewhere, and to publish only for a time (P7)."""

    def __init__(self, wanted: asyncio.Event, publish_until_s: float) -> None:
        self._wanted = wanted
        self._publish_until_s = publish_until_s
        self.retried_for: str | None = None
        """Why the work was last tried again, said when it is given up."""

    def check(self) -> None:
        """Go on?

        :raises Relinquished: a rebalance or a stop wants the partitions, or the time to publish is over.
        """
        if self._wanted.is_set():
            raise Relinquished("the partitions are being reassigned")
        self.check_publish()

    def check_publish(self) -> None:
        """Publish?

        :raises Relinquished: so long after the poll that another member may own the partitions by now.
        """
        if monotonic_s() >= self._publish_until_s:
            why = "" if self.retried_for is None else f" (last retried because of {self.retried_for})"
            raise Relinquished(f"too late to publish: another process may have taken over the partitions{why}")


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one poll, in order per partition. `settle` waits for the previous batch's offset commit."""

    records: Sequence[ConsumerRecord[bytes, bytes]]
    lease: Lease
    settle: Callable[[], Awaitable[None]]


class _Listener(ConsumerRebalanceListener):
    def __init__(self, pump: "Pump") -> None:
        self._pump = pump

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await self._pump.revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._pump.assigned(assigned)


class Pump:
    """Drives one topic of one consumer group. `handle` does a batch wholly or raises."""

    def __init__(
        self,
        broker: KafkaBroker,
        topic: str,
        group: str,
        settings: Settings,
        health: Health,
        handle: Callable[[Batch], Awaitable[None]],
        *,
        fetch_wait_ms: int,
    ) -> None:
        self.topic = topic
        self._settings = settings
        self._handle = handle
        self._state = health.part(f"{group}:{topic}")
        self._stops = Stops(self._state)
        self._poller = Poller(settings, lambda: self.consumer)
        self._lock = asyncio.Lock()
        self._wanted = asyncio.Event()
        self._stopping = False
        self._epoch = 0
        self._records_max = settings.batch_records_max
        self._held: set[TopicPartition] = set()
        self._in_hand: dict[TopicPartition, int] = {}
        self._given_up = GivenUp(topic, self._state)
        self._committing: asyncio.Task[None] | None = None
        self._lease_s = (settings.session_timeout_ms - settings.heartbeat_interval_ms) / 1000
        self.subscriber = broker.subscriber(
            topic,
            group_id=group,
            group_instance_id=f"{group}-{settings.instance}" if settings.instance else None,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=fetch_wait_ms,
            fetch_max_bytes=FETCH_BYTES_MAX,
            max_partition_fetch_bytes=PARTITION_FETCH_BYTES_MAX,
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=settings.heartbeat_interval_ms,
            rebalance_timeout_ms=settings.rebalance_timeout_ms,
            listener=_Listener(self),
        )

    @property
    def consumer(self) -> AIOKafkaConsumer:
        """The consumer that FastStream made; there once the broker has started."""
        consumer = self.subscriber.consumer
        assert consumer is not None, "the broker has not been started"
        return consumer

    @property
    def held(self) -> frozenset[TopicPartition]:
        """The partitions that this process owns now."""
        return frozenset(self._held)

    @property
    def state(self) -> Part:
        """The part of the process that this pump is."""
        return self._state

    def in_hand(self) -> dict[TopicPartition, int | None]:
        """The partitions held, each with the first offset of the batch in hand, if it has any."""
        return {place: self._in_hand.get(place) for place in self._held}

    def stop(self) -> None:
        """Ask the pump to end after the batch in hand."""
        self._stopping = True

    async def run(self) -> None:
        """Pump until :meth:`stop`. Whatever it raises is a defect, and the end of the process."""
        backoff = Backoff(first_ms=100)
        while not self._stopping:
            self._state.beat()
            try:
                if self._poller.failures >= POLL_FAILURES_MAX:
                    await self._rejoin()
                await self._turn()
            except Stopped as stopped:
                self._stop(TopicPartition(stopped.topic, stopped.partition), stopped.offset, str(stopped))
            except Unavailable as error:
                self._state.trouble(str(error))
                await backoff.wait()
            else:
                backoff.reset()
        async with self._lock:
            await self._settle()

    async def _turn(self) -> None:
        """Poll once, and do what came."""
        epoch = self._epoch
        polled_s = monotonic_s()
        polled = await self._poller.poll(self._settings.poll_timeout_ms, self._records_max)
        for broken in polled.unreadable:
            if epoch == self._epoch:
                self._stop(broken.place, broken.offset, broken.reason)
        records = polled.records
        if not records:
            async with self._lock:
                await self._settle()
            self._state.clear()  # The broker answered, and nothing waits.
            return
        async with self._lock:
            if epoch != self._epoch:
                # Revoked while we polled. What came may be of the old assignment or already of the new one, whose
                # position is then past it: go back, or records would be skipped and later committed over.
                self._seek_back(records)
                return
            BATCH_RECORDS.labels(self.topic).observe(len(records))
            started_s = monotonic_s()
            batch = Batch(records, Lease(self._wanted, polled_s + self._lease_s), self._settle)
            self._in_hand = {place: found[0].offset for place, found in polled.fetched.items()}
            try:
                await self._handle(batch)
            except Relinquished as given_up:
                log.warning("a batch was abandoned", reason=str(given_up), topic=self.topic, records=len(records))
                if not self._wanted.is_set():
                    self._records_max = max(1, len(records) // 2)  # It took too long: smaller ones get through.
                    self._given_up.count(self._in_hand, str(given_up))
                await self._settle()
                self._seek_back(records)
                return
            except BaseException:
                self._seek_back(records)
                raise
            finally:
                self._in_hand = {}
            self._given_up.free(polled.fetched)
            BATCH_SECONDS.labels(self.topic).observe(monotonic_s() - started_s)
            self._state.progress()
            self._records_max = min(self._records_max * 2, self._settings.batch_records_max)
            await self._settle()
            self._committing = asyncio.create_task(self._commit(records))

    def _seek_back(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        """Position every partition of the batch before its first record, if it is still ours."""
        first: dict[TopicPartition, int] = {}
        for record in records:
            first.setdefault(TopicPartition(record.topic, record.partition), record.offset)
        for place, offset in first.items():
            self._poller.seek(place, offset)

    async def _commit(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        """Commit exactly what is done; a failure costs a redelivery and nothing else."""
        last = {TopicPartition(record.topic, record.partition): record.offset + 1 for record in records}
        try:
            ours = await commit(self.consumer, last, self._settings.request_timeout_ms / 1000)
        except Unavailable as error:
            COMMITS.labels("unavailable").inc()
            self._state.trouble(str(error))
            return
        COMMITS.labels("done" if ours else "lost").inc()

    async def _settle(self) -> None:
        """Wait until the previous batch's commit has ended, well or not."""
        committing, self._committing = self._committing, None
        if committing is not None:
            await committing

    def _stop(self, place: TopicPartition, offset: int, reason: str) -> None:
        """Leave a partition where it is until the process is started anew, and say so (P6); the others go on."""
        self._stops.add(place, offset, reason)
        self.consumer.pause(place)

    async def _rejoin(self) -> None:
        """A client that keeps raising has lost one of its tasks for good: join with a new one."""
        async with self._lock:
            await self._settle()
            self._epoch += 1
            self._poller.forget()
        log.warning("rejoining the consumer group with a new client", topic=self.topic)
        await renew(self.subscriber, self._settings.request_timeout_ms / 1000)

    async def revoked(self, partitions: set[TopicPartition]) -> None:
        """A rebalance: let the batch in hand end or give up, settle its commit, then hand over."""
        self._wanted.set()
        async with self._lock:
            await self._settle()
            self._epoch += 1
            self._held -= partitions
            self._poller.forget()
            self._stops.clear()
            self._given_up.free(partitions)
            for place in partitions:  # What was handed over is measured by its new owner.
                LAG.remove(place.topic, str(place.partition))
        log.info("partitions revoked", topic=self.topic, partitions=sorted(p.partition for p in partitions))

    def assigned(self, partitions: set[TopicPartition]) -> None:
        """The new share of partitions."""
        self._held = set(partitions)
        self._poller.forget()
        self._stops.clear()
        self._wanted.clear()
        self._state.joined()
        log.info("partitions assigned", topic=self.topic, partitions=sorted(p.partition for p in partitions))


def watch(task: "asyncio.Task[Any]", on_end: Callable[[BaseException | None], None]) -> None:
    """Tell `on_end` when a task of the process ends, with what it died of."""

    def ended(done: "asyncio.Task[Any]") -> None:
        error = None if done.cancelled() else done.exception()
        if error is not None:
            log.error("a background task failed", task=done.get_name(), exc_info=error)
        on_end(error)

    task.add_done_callback(ended)

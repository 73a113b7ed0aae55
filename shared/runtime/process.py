"""The heart: one batch of commands in the seven steps of docs/architecture.md.

Steps 1 (the caller) and 7 (whoever waits for the reply) are elsewhere; the pump polls (2) and commits (6).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import structlog

from schemas.replies import Reply, Status
from shared.backoff import Backoff
from shared.decider import Accepted
from shared.errors import Conflict, Relinquished, Stopped, Unavailable
from shared.ids import closing_id
from shared.metrics import RETRIES, timed
from shared.runtime.archive import load
from shared.runtime.batch import Plan
from shared.runtime.burial import Burial, bury, reused
from shared.runtime.consumer import Batch
from shared.runtime.deciding import Deciding
from shared.runtime.decode import Decoder, Incoming, Preview, Query, Undecodable
from shared.runtime.entries import FORWARDED, HELD, JournalEntry, Outcome
from shared.runtime.health import Troubles
from shared.runtime.journal import Journal, fence_id
from shared.runtime.kafka import ConsumerRecord, Producer
from shared.runtime.outcomes import (
    closed,
    outcome_envelope,
    published_of,
    waiting,
    written_by,
)
from shared.runtime.polls import answer_poll
from shared.runtime.publish import RecordBuilder
from shared.runtime.service import Service
from shared.settings import Settings

log = structlog.get_logger()

Probe = Callable[[str], None]
Record = ConsumerRecord[bytes, bytes]
Records = Sequence[Record]


def no_probe(_: str) -> None:
    """Outside of tests nothing happens at the crash points."""


class Processor:
    """Runs batches of one service's commands. `probe` is called at the crash points, by name."""

    def __init__(
        self,
        service: Service,
        settings: Settings,
        journal: Journal,
        producer: Producer,
        troubles: Troubles,
        probe: Probe = no_probe,
    ) -> None:
        self._service = service
        self._settings = settings
        self._journal = journal
        self._producer = producer
        self._troubles = troubles
        self._probe = probe
        self._build = RecordBuilder(service, settings)
        self._decode = Decoder(service, settings)
        self._deciding = Deciding(service, self._build, settings.record_bytes_max)

    async def handle(self, batch: Batch) -> None:
        """Do a whole batch; when this returns, everything in it is durable and published.

        :raises Relinquished: the batch must be given up; whatever was done is recognised at its redelivery.
        :raises Stopped: one of our own follow-ups can't be done; all that it does not hold up has been.
        """
        records, first = batch.records, None
        while records:
            try:
                await self._persist(batch, records, self._settings.attempts_max)
                break
            except Stopped as stopped:
                first = first or stopped
                records = [record for record in records if not stopped.holds_up(record)]
        if first is not None:
            raise first
        self._probe("before_commit")

    async def _persist(self, batch: Batch, records: Records, attempts_max: int) -> None:
        """Try until it is done: conflicts and absent servers without limit, defects a few times, then by halves."""
        backoff, defects = Backoff(), 0
        while True:
            batch.lease.check()
            try:
                await self._steps(batch, records)
            except Conflict as error:
                RETRIES.labels("conflict").inc()
                batch.lease.retried_for = str(error)
                log.info("conflict", reason=str(error), records=len(records))
            except Unavailable as error:
                RETRIES.labels("unavailable").inc()
                self._troubles.trouble(str(error))
            except (Relinquished, Stopped):
                raise
            except Exception as error:
                RETRIES.labels("defect").inc()
                defects += 1
                if defects >= attempts_max and await self._servers_answer():
                    await self._isolate(batch, records, error, defects)
                    return
            else:
                self._troubles.clear()
                return
            await backoff.wait()

    async def _isolate(self, batch: Batch, records: Records, error: Exception, attempts: int) -> None:
        """Halve a batch that keeps failing; a record that fails alone goes to dead letters (P6).

        The halves are tried once each, so that the culprit is found while the lease lasts.
        """
        log.warning("a batch failed", error=type(error).__name__, records=len(records))
        if len(records) == 1:
            # What an error says may quote the record: the trace is kept with the dead letter alone.
            log.error("a record failed alone", offset=records[0].offset, topic=records[0].topic)
            await self._persist_burial(batch, records[0], error, attempts)
            return
        middle = len(records) // 2
        for half in (records[:middle], records[middle:]):
            await self._persist(batch, half, self._settings.attempts_max if len(half) == 1 else 1)

    async def _persist_burial(self, batch: Batch, record: Record, error: Exception, attempts: int) -> None:
        """Bury one record; when that fails too, without an answer to whoever waits.

        :raises Stopped: even that can't be done, although the servers answer: its partition stops.
        """
        item, backoff, defects = Undecodable(record, self._decode.envelope(record), error), Backoff(), 0
        while True:
            batch.lease.check()
            try:
                await self._steps(batch, [record], Burial(item, attempts))
                return
            except (Conflict, Unavailable):
                RETRIES.labels("burial").inc()
            except (Relinquished, Stopped):
                raise
            except Exception as failed:
                log.error(
                    "a dead letter could not be stored",
                    offset=record.offset,
                    topic=record.topic,
                    error=type(failed).__name__,
                )
                item, defects = item._replace(envelope=None), defects + 1
                if defects > self._settings.attempts_max and await self._servers_answer():
                    raise Stopped(record.topic, record.partition, record.offset, repr(failed)) from failed
            await backoff.wait()

    async def _servers_answer(self) -> bool:
        try:
            await self._journal.ping()
        except Unavailable:
            return False
        return True

    async def _steps(self, batch: Batch, records: Records, burial: Burial | None = None) -> None:
        """Steps 2 to 6 for some records of a batch, in one transaction; what is buried is not decoded again."""
        with timed("decode"):
            decoded = [self._decode(record) for record in records] if burial is None else [burial.item]
        with timed("load"):
            plan = await self._load(records, decoded)
        with timed("decide"):
            for item in decoded:
                match item:
                    case Incoming():
                        self._decide(plan, item)
                    case Query():
                        await answer_poll(item, plan, self._journal)
                    case Preview():
                        self._deciding.preview(plan, item)
                    case Undecodable():
                        self._bury(plan, burial or Burial(item, 1))
            published = published_of(plan, self._build)
        await batch.settle()
        self._probe("before_transaction")
        with timed("append"):
            await self._append(plan, records)
        self._probe("after_transaction")
        batch.lease.check_publish()
        self._probe("before_publishing")
        with timed("publish"):
            await self._producer.publish(published)
        self._probe("after_publishing")
        plan.observe(records[0].topic)

    async def _load(self, records: Records, decoded: Sequence[Incoming | Query | Preview | Undecodable]) -> Plan:
        """Step 3: in two queries, the streams and entries that the commands name, known commands, and the fences."""
        ids: set[str] = set()
        names = {fence_id(topic, partition) for topic, partition in {(it.topic, it.partition) for it in records}}
        for item in decoded:
            match item:
                case Incoming():
                    ids.update((item.envelope.id, *item.streams.entries))
                    names.update(item.streams.writes, item.streams.reads)
                case Preview():
                    ids.update(item.incoming.streams.entries)
                    names.update(item.incoming.streams.writes, item.incoming.streams.reads)
                case Query():
                    ids.add(item.command_id)
        loaded = await load(self._journal, self._service.decider, list(ids), list(names))
        if held := [closing_id(each) for each, entry in loaded.entries.items() if entry["status"] == HELD]:
            closing = await self._journal.load(held, [])
            loaded = replace(loaded, entries={**loaded.entries, **closing.entries})
        return Plan(self._service.decider, frozenset(names), frozenset(ids), loaded)

    def _decide(self, plan: Plan, item: Incoming) -> None:
        """Step 4: a known command gets its stored outcome, a late one is dropped, a new one is decided."""
        envelope = item.envelope
        known = plan.known(envelope.id)
        if known is not None:
            self._repeat(plan, item, known)
        elif envelope.not_after is not None and item.record.timestamp > envelope.not_after:
            plan.count("too_late")
            plan.reply(item, Reply(command_id=envelope.id, status=Status.TOO_LATE))
        else:
            self._decide_new(plan, item)

    def _repeat(self, plan: Plan, item: Incoming, entry: JournalEntry) -> None:
        """Seen before: another request is refused; the same offset again publishes all again (P3).

        A repeat of what was forwarded is forwarded too, for whoever waits for it now. Only a repeat by another request
        is a replay: who waits for a record, or a forward, that came again has sent it once.
        """
        if entry["hash"] != item.request_hash:
            if (letter := reused(item)) is not None:
                self._bury(plan, Burial(letter, 1))
                return
            plan.count("key_reused")
            plan.reply(item, Reply(command_id=entry["_id"], status=Status.KEY_REUSED))
            return
        place = (item.record.topic, item.record.partition, item.record.offset)
        streams = written_by(entry)
        held = entry["status"] == HELD
        replayed = (item.envelope.correlation_id or item.envelope.id) != entry["correlation"]
        if place == (entry["topic"], entry["partition"], entry["offset"]):
            plan.count("redelivered")
            plan.records.extend(self._build.entry(entry))
            plan.touched.update(streams)
        else:
            plan.count("repeated")
            if entry["status"] == FORWARDED:
                plan.records.extend(self._build.entry({**entry, **waiting(item.envelope)}))
            elif held:
                outcome = closed(entry, plan.known(closing_id(entry["_id"])))
                pending = Reply(command_id=entry["_id"], status=Status.PENDING)
                plan.reply(item, outcome or pending, written_by(outcome) if outcome else (), replayed)
        if entry["status"] != FORWARDED and not held:
            self._reply(plan, item, entry, streams, replayed)

    def _reply(
        self, plan: Plan, item: Incoming, entry: JournalEntry, streams: Collection[str], replayed: bool = False
    ) -> None:
        """Answer whoever waits for the command, and for the one that it closes, which has waited since it sent it."""
        plan.reply(item, entry, streams, replayed)
        if "closing" in entry:
            envelope = outcome_envelope(entry["closing"], item.envelope.source)
            outcome: Outcome = {**entry["closing"], "events": entry["events"]}
            plan.reply(item._replace(envelope=envelope), outcome, streams)

    def _decide_new(self, plan: Plan, item: Incoming) -> None:
        """Decide one command, and fold its events into the working copies."""
        item, verdict, entry, records = self._deciding.decide(plan, item)
        command = item.command
        written = plan.fold(verdict, command.now, item.record.partition) if isinstance(verdict, Accepted) else ()
        plan.entries[command.id] = entry
        plan.records.extend(records)
        plan.touched.update(written)
        if isinstance(verdict, Accepted):
            plan.erased.update(dict.fromkeys(verdict.erase))
        if entry["status"] not in (FORWARDED, HELD):
            self._reply(plan, item, entry, written)
        plan.count(entry["status"])

    def _bury(self, plan: Plan, burial: Burial) -> None:
        """Dead letters, unless the record is one of our own follow-ups: then its partition stops (P6)."""
        bury(plan, burial, self._service.name, self._settings, self._build)

    async def _append(self, plan: Plan, records: Records) -> None:
        """Step 5, second half: one transaction, unless nothing happened that must be remembered."""
        append = plan.append(list(records))
        if not append.empty:
            await self._journal.append(append)

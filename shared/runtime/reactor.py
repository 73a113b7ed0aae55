"""Inputs: records of other systems, translated by stateless reactions into commands of this service."""

from collections.abc import Sequence

from schemas.envelope import Envelope, EnvelopeError
from schemas.text import LINE
from shared.backoff import Backoff
from shared.decider import Document
from shared.errors import Poison, Unavailable
from shared.metrics import DEAD_LETTERS, RECORDS, RETRIES
from shared.reactions import Reaction, ReactionContext, Translated
from shared.runtime.consumer import Batch
from shared.runtime.dead_letters import announcement, dead_letter
from shared.runtime.decode import checked_value
from shared.runtime.health import Troubles
from shared.runtime.journal import Journal
from shared.runtime.kafka import ConsumerRecord, Producer, Record, partition_of
from shared.settings import Settings


class Reactor:
    """Runs one reaction over one input topic. What it publishes has ids that a repeat gives again."""

    def __init__(
        self,
        service: str,
        react: Reaction,
        settings: Settings,
        journal: Journal,
        producer: Producer,
        troubles: Troubles,
    ) -> None:
        self._react = react
        self._context = ReactionContext(settings.store, settings.secret.get_secret_value().encode())
        self._settings = settings
        self._journal = journal
        self._producer = producer
        self._troubles = troubles
        self._source = f"/{service}/reactions"
        self._commands = settings.topic(f"{service}.commands")
        self._dead_letters = settings.topic(f"{service}.dead-letters")

    async def handle(self, batch: Batch) -> None:
        """Translate a batch; returns when every command is acknowledged and every dead letter is kept."""
        records, letters = self._translate(batch.records)
        backoff = Backoff()
        while True:
            batch.lease.check()
            try:
                await batch.settle()
                if letters:
                    await self._journal.bury(letters)
                await self._producer.publish(records)
                break
            except Unavailable as error:
                RETRIES.labels("unavailable").inc()
                self._troubles.trouble(str(error))
            await backoff.wait()
        self._troubles.clear()
        topic = batch.records[0].topic
        RECORDS.labels(topic, "translated").inc(len(batch.records) - len(letters))
        for letter in letters:
            RECORDS.labels(topic, "dead_lettered").inc()
            DEAD_LETTERS.labels(topic, letter["reason"]).inc()

    def _translate(self, batch: Sequence[ConsumerRecord[bytes, bytes]]) -> tuple[list[Record], list[Document]]:
        records: list[Record] = []
        letters: list[Document] = []
        for record in batch:
            try:
                envelope = Envelope.from_headers(record.headers)
                _check_characters(envelope)
                value = checked_value(record, self._settings.record_bytes_max)
                commands = self._react(envelope, value, self._context)
            except EnvelopeError as error:
                letters.append(dead_letter(record, Poison("bad_envelope", str(error)), 1))
            except Exception as error:
                letters.append(dead_letter(record, error, 1))
            else:
                records.extend(self._command(command, record.topic, envelope) for command in commands)
        partitions = self._settings.partitions
        for letter in letters:
            place = letter["partition"] % partitions
            records.append(announcement(letter, self._dead_letters, self._source, place))
        return records, letters

    def _command(self, command: Translated, topic: str, told: Envelope) -> Record:
        headers = Envelope(
            id=command.id,
            type=command.type,
            source=self._source,
            subject=command.subject,
            store=command.store,
            correlation_id=command.correlation_id,
            causation_id=command.causation_id,
            request_hash=command.request_hash,
            input_topic=topic.removeprefix(self._settings.prefix),
            input_source=told.source,
            input_id=told.id,
        ).headers()
        partition = partition_of(command.subject, self._settings.partitions)
        return Record(self._commands, partition, command.subject.encode(), command.value, headers)


def _check_characters(envelope: Envelope) -> None:
    """Other systems' attributes go on into streams, views and logs.

    :raises EnvelopeError: one has control characters.
    """
    for name, value in zip(envelope._fields, envelope, strict=True):
        if isinstance(value, str) and not LINE.fit(value):
            raise EnvelopeError(f"header ce_{name.replace('_', '')} {LINE.wanted}")

"""Step 6: from journal entries to records. What is published is built from what the entry stores (P1).

Two builds from the same entry give the same bytes, so that a redelivery repeats and never contradicts.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import orjson

from schemas.base import format_instant
from schemas.envelope import Envelope
from schemas.replies import REPLY, LeftOut, Reply
from shared.decider import Document, View
from shared.ids import derived_id
from shared.runtime.decode import Preview
from shared.runtime.entries import FORWARDED, REJECTED, JournalEntry, Outcome, StoredEvent
from shared.runtime.kafka import ConsumerRecord, Record, partition_of
from shared.runtime.service import Service
from shared.runtime.signing import signed
from shared.settings import Settings

_SPECVERSION = ("ce_specversion", b"1.0")


class RecordBuilder:
    """Builds the records of one service, with topic names and partition counts of this installation."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self._service = service
        self._partitions = settings.partitions
        self._settings = settings
        self._secret = settings.secret.get_secret_value().encode()
        self._source = f"/{service.name}"
        self._encoded_source = self._source.encode()
        self._changed = ("ce_type", service.changed.encode())
        self._record_bytes_max = settings.record_bytes_max
        self._commands = settings.topic(f"{service.name}.commands")
        self._events = settings.topic(f"{service.name}.events")
        self._changes = settings.topic(f"{service.name}.changes")
        self._snapshots = settings.topic(f"{service.name}.snapshots")

    def entry(self, entry: JournalEntry) -> list[Record]:
        """Events, changes and follow-ups of a journal entry; of a refusal, its refusal event; or the forward."""
        if entry["status"] == REJECTED:
            return [self._refusal(entry, entry)]
        if entry["status"] == FORWARDED:
            return [self._forward(entry)]
        records = self._happened(entry)
        if "follow_ups" in entry:
            records.extend(self._follow_ups(entry))
        if "closing" in entry and entry["closing"]["status"] == REJECTED:
            records.append(self._refusal(entry["closing"], entry, len(entry["events"])))
        return records

    def snapshot(self, stream: str, version: int, view: View) -> Record:
        """The latest state of a stream, keyed by it; its `ce_id` is unique within the source."""
        headers = [
            _SPECVERSION,
            ("ce_id", f"{stream}@{version}".encode()),
            ("ce_type", view.type.encode()),
            ("ce_source", self._encoded_source),
            ("ce_subject", view.subject.encode()),
        ]
        partition = partition_of(view.subject, self._partitions)
        return Record(self._snapshots, partition, stream.encode(), orjson.dumps(snapshot_value(version, view)), headers)

    def reply(
        self, record: ConsumerRecord[bytes, bytes], envelope: Envelope, reply: Reply, events: Sequence[StoredEvent] = ()
    ) -> Iterator[Record]:
        """The answer to a record, when its envelope names an address for it; `events` are those of its command.

        When it gets too large it goes without changes, then without snapshots too: it says which, and their topics
        bring them anyway.
        """
        if envelope.reply_to is None or envelope.reply_partition is None:
            return
        headers = Envelope(
            id=derived_id("reply", envelope.id, record.topic, record.partition, record.offset),
            type=REPLY,
            source=self._source,
            subject=envelope.subject,
            correlation_id=envelope.correlation_id,
            causation_id=envelope.id,
        ).headers()
        value = encoded_reply(reply)
        for part in ("changes", "snapshots"):
            if len(value) > self._record_bytes_max:
                reply = _without(part, reply, events)
                value = encoded_reply(reply)
        yield Record(envelope.reply_to, envelope.reply_partition, envelope.id.encode(), value, headers)

    def changes(self, entry: Outcome) -> tuple[Document, ...]:
        """The values that an entry puts on the public change stream, in order."""
        found = [self._service.changes(event["data"]) for event in entry.get("events", ())]
        return tuple([change for change in found if change is not None])

    def movements(self, entry: JournalEntry, stream: str) -> list[Record]:
        """What an entry puts on the public change stream for one of the streams that it wrote, in order."""
        return self._happened(entry, stream)

    def _happened(self, entry: JournalEntry, moved: str | None = None) -> list[Record]:
        """Each event, and beside it the balance movement that it is, if it is one; both have the event's id.

        What is personal stays in the journal. With `moved`, the movements of that stream alone.
        """
        command_id = entry["_id"]
        common = _common(entry, entry)
        records: list[Record] = []
        for index, event in enumerate(entry["events"]):
            if moved not in (None, event["stream"]):
                continue
            data: dict[str, Any] = event["data"]
            subject = event["stream"].split("/", 2)[2]
            partition = partition_of(subject, self._partitions)
            key = subject.encode()
            headers = [
                _SPECVERSION,
                ("ce_id", derived_id("event", command_id, index).encode()),
                ("ce_type", data["type"].encode()),
                ("ce_source", self._encoded_source),
                ("ce_subject", key),
                *common,
            ]
            if "sequence" in data:
                headers.append(("ce_sequence", str(data["sequence"]).encode()))
            if moved is None:
                public = {name: data[name] for name in data if name != "personal"} if "personal" in data else data
                records.append(Record(self._events, partition, key, orjson.dumps(public), headers))
            change = self._service.changes(data)
            if change is not None:
                headers = headers.copy()
                headers[2] = self._changed
                records.append(Record(self._changes, partition, key, orjson.dumps(change), headers))
        return records

    def _refusal(self, refused: Outcome, entry: JournalEntry, index: int = 0) -> Record:
        """What `entry` refused: its own command, or the held one that it closes; the id follows its own events'."""
        subject = refused["subject"]
        key = subject.encode()
        headers = [
            _SPECVERSION,
            ("ce_id", derived_id("event", entry["_id"], index).encode()),
            ("ce_type", self._service.rejections[refused["type"]].encode()),
            ("ce_source", self._encoded_source),
            ("ce_subject", key),
            *_common(refused, entry),
        ]
        value = {
            "command": refused["type"],
            "code": refused["code"],
            "detail": refused["detail"],
            "pointer": refused["pointer"],
            **refused.get("about", {}),
        }
        return Record(self._events, partition_of(subject, self._partitions), key, orjson.dumps(value), headers)

    def _follow_ups(self, entry: JournalEntry) -> Iterator[Record]:
        for index, follow_up in enumerate(entry["follow_ups"]):
            envelope = Envelope(
                id=follow_up.get("id") or derived_id("follow-up", entry["_id"], index),
                type=follow_up["type"],
                source=self._source,
                subject=follow_up["subject"],
                store=entry["store"],
                correlation_id=entry["correlation"],
                causation_id=entry["_id"],
                actor=entry.get("actor"),
            )
            payload = follow_up["payload"]
            value = payload.encode() if isinstance(payload, str) else orjson.dumps(payload)
            yield self._command(self._settings.topic(follow_up["topic"]), envelope, value)

    def passed_on(self, asked: Preview, subject: str) -> Record:
        """A preview as it came, to where its command belongs; who waits for it hears from there."""
        record, envelope = asked.incoming.record, asked.incoming.envelope
        return self._command(self._commands, envelope._replace(type=asked.type, subject=subject), record.value or b"")

    def _forward(self, entry: JournalEntry) -> Record:
        """The command as it came, to where it belongs; who waits for its outcome hears from there.

        It keeps the source, so that a caller's command may still end in dead letters and a follow-up may not (P6).
        The caller's hash is not carried: each repeat forwards the value of the first, which hashes alike there (P3).
        """
        told = entry.get("input", {})
        envelope = Envelope(
            id=forward_id(entry["_id"]),
            type=entry["type"],
            source=entry["source"],
            subject=entry["to"],
            store=entry["store"],
            correlation_id=entry["correlation"],
            causation_id=entry["_id"],
            reply_to=entry["reply_to"],
            reply_partition=entry["reply_partition"],
            input_topic=told.get("topic"),
            input_source=told.get("source"),
            input_id=told.get("id"),
            actor=entry.get("actor"),
        )
        return self._command(self._commands, envelope, entry["value"])

    def _command(self, topic: str, envelope: Envelope, value: bytes) -> Record:
        """A command as it goes to its topic, signed where a service sends it on its own."""
        subject, headers = envelope.subject, signed(self._secret, envelope, value).headers()
        return Record(topic, partition_of(subject, self._partitions), subject.encode(), value, headers)


def forward_id(command_id: str) -> str:
    """The id under which a forwarded command goes on."""
    return derived_id("follow-up", command_id, 0)


def _without(part: Literal["changes", "snapshots"], reply: Reply, events: Sequence[StoredEvent]) -> Reply:
    """The reply without its changes or its snapshots, saying what is left out."""
    if part == "changes":
        last = {event["stream"]: event["data"]["sequence"] for event in events if "sequence" in event["data"]}
        left_out = [LeftOut(stream=stream, sequence=sequence) for stream, sequence in last.items()]
    else:
        left_out = [LeftOut(stream=each.stream, type=each.type, version=each.version) for each in reply.snapshots]
    return reply.model_copy(update={part: (), "left_out": (*reply.left_out, *left_out)})


def encoded_reply(reply: Reply) -> bytes:
    """The JSON of a reply, member by member, since pydantic takes several times as long; a test holds both equal."""
    return orjson.dumps(
        {
            "commandId": reply.command_id,
            "status": reply.status,
            "code": reply.code,
            "detail": reply.detail,
            "pointer": reply.pointer,
            "result": reply.result,
            "snapshots": [
                {"stream": part.stream, "version": part.version, "type": part.type, "value": part.value}
                for part in reply.snapshots
            ],
            "changes": reply.changes,
            "replayed": reply.replayed,
            "leftOut": [
                {"stream": each.stream, "type": each.type, "version": each.version, "sequence": each.sequence}
                for each in reply.left_out
            ],
        }
    )


def snapshot_value(version: int, view: View) -> Document:
    """What a snapshot says: the stream's version, and the view of its state, or that it was deleted (P9)."""
    return {"version": version, "deleted": True} if view.value is None else {"version": version, **view.value}


def _common(outcome: Outcome, entry: JournalEntry) -> Iterable[tuple[str, bytes]]:
    """The headers that all records of an outcome share, which `entry` has."""
    return (
        ("ce_time", format_instant(entry["at"]).encode()),
        ("ce_store", entry["store"].encode()),
        ("ce_correlationid", outcome["correlation"].encode()),
        ("ce_causationid", outcome["_id"].encode()),
    )

"""Step 6: from journal entries to records. What is published is built from what the entry stores (P1).

Two builds from the same entry give the same bytes, so that a redelivery repeats and never contradicts.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from schemas.base import format_instant
from schemas.envelope import Envelope
from schemas.replies import REPLY, Reply
from shared.decider import Document, View
from shared.ids import derived_id
from shared.runtime.kafka import ConsumerRecord, Record, partition_of
from shared.runtime.service import Service
from shared.settings import Settings

_SPECVERSION = ("ce_specversion", b"1.0")


class RecordBuilder:
    """Builds the records of one service, with topic names and partition counts of this installation."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self._service = service
        self._partitions = settings.partitions
        self._settings = settings
        self._source = f"/{service.name}"
        self._encoded_source = self._source.encode()
        self._changed = ("ce_type", service.changed.encode())
        self._events = settings.topic(f"{service.name}.events")
        self._changes = settings.topic(f"{service.name}.changes")
        self._snapshots = settings.topic(f"{service.name}.snapshots")

    def entry(self, entry: Document) -> list[Record]:
        """Events, changes and follow-ups of a journal entry; of a refusal, its refusal event."""
        if entry["status"] == "rejected":
            return [self._refusal(entry)]
        records = self._happened(entry)
        if "follow_ups" in entry:
            records.extend(self._follow_ups(entry))
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

    def reply(self, record: ConsumerRecord[bytes, bytes], envelope: Envelope, reply: Reply) -> Iterator[Record]:
        """The answer to a record, when its envelope names an address for it."""
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
        value = reply.model_dump_json(by_alias=True).encode()
        yield Record(envelope.reply_to, envelope.reply_partition, envelope.id.encode(), value, headers)

    def _happened(self, entry: Document) -> list[Record]:
        """Each event, and beside it the balance movement that it is, if it is one; both have the event's id."""
        command_id = entry["_id"]
        common = _common(entry)
        records: list[Record] = []
        for index, event in enumerate(entry["events"]):
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
            records.append(Record(self._events, partition, key, orjson.dumps(data), headers))
            change = self._service.changes(data)
            if change is not None:
                headers = headers.copy()
                headers[2] = self._changed
                records.append(Record(self._changes, partition, key, orjson.dumps(change), headers))
        return records

    def _refusal(self, entry: Document) -> Record:
        subject = entry["subject"]
        key = subject.encode()
        headers = [
            _SPECVERSION,
            ("ce_id", derived_id("event", entry["_id"], 0).encode()),
            ("ce_type", self._service.rejections[entry["type"]].encode()),
            ("ce_source", self._encoded_source),
            ("ce_subject", key),
            *_common(entry),
        ]
        value = {
            "command": entry["type"],
            "code": entry["code"],
            "detail": entry["detail"],
            "pointer": entry["pointer"],
        }
        return Record(self._events, partition_of(subject, self._partitions), key, orjson.dumps(value), headers)

    def _follow_ups(self, entry: Document) -> Iterator[Record]:
        for index, follow_up in enumerate(entry["follow_ups"]):
            subject = follow_up["subject"]
            headers = Envelope(
                id=derived_id("follow-up", entry["_id"], index),
                type=follow_up["type"],
                source=self._source,
                subject=subject,
                store=entry["store"],
                correlation_id=entry["correlation"],
                causation_id=entry["_id"],
            ).headers()
            topic = self._settings.topic(follow_up["topic"])
            partition = partition_of(subject, self._partitions)
            yield Record(topic, partition, subject.encode(), orjson.dumps(follow_up["payload"]), headers)


def snapshot_value(version: int, view: View) -> Document:
    """What a snapshot says: the stream's version, and the view of its state."""
    return {"version": version, **view.value}


def _common(entry: Document) -> Iterable[tuple[str, bytes]]:
    """The headers that all records of an entry share."""
    return (
        ("ce_time", format_instant(entry["at"]).encode()),
        ("ce_store", entry["store"].encode()),
        ("ce_correlationid", entry["correlation"].encode()),
        ("ce_causationid", entry["_id"].encode()),
    )

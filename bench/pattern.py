"""The bare side's documents and records: copies of real ones with the ids replaced, nothing decided or checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import ConsumerRecord

from bench.templates import REPLIES, Document
from shared.runtime.kafka import partition_of
from shared.settings import Settings

Headers = list[tuple[str, bytes]]
Published = tuple[str, int, bytes, bytes, Headers]
"""Topic, partition, key, value, headers."""

_IDS = ("ce_id", "ce_subject", "ce_correlationid", "ce_causationid")


@dataclass(frozen=True, slots=True)
class Work:
    """What a record asks for, read by `orjson.loads` and trusted."""

    record: ConsumerRecord[bytes, bytes]
    id: str
    account: str
    number: str
    is_load: bool

    @property
    def stream(self) -> str:
        """The account's stream."""
        return f"account/default/{self.account}"


def work_of(record: ConsumerRecord[bytes, bytes]) -> Work | None:
    """The work in a record; None for the declarations, which the bare side finds done."""
    assert record.key is not None
    assert record.value is not None
    body = orjson.loads(record.value)
    number = body.get("accountNumber")
    if number is None:
        return None
    is_load = "loads" in body["loyaltyPrograms"][0]
    return Work(record, record.headers[1][1].decode(), record.key.decode(), number, is_load)


class Pattern:
    """Makes what a real worker would write and publish, of the same sizes and with as many headers."""

    def __init__(self, templates: Document, settings: Settings) -> None:
        self._entries: Document = templates["entries"]
        self._account: Document = templates["account"]
        self._partitions = settings.partitions
        self._topics = [settings.topic(f"points.{name}") for name in ("events", "changes", "snapshots")]
        records: Document = templates["records"]
        self._headers = {
            (topic, type_): _rest(record["headers"])
            for topic, by_type in records.items()
            for type_, record in by_type.items()
        }
        (change,) = records["points.changes"].values()
        self._change: Document = orjson.loads(change["value"])
        self._view: Document = orjson.loads(records["points.snapshots"]["points/account/v1"]["value"])
        ((type_, reply),) = records.get(REPLIES, {"": None}).items()
        self._reply: Document = orjson.loads(reply["value"]) if reply is not None else {}
        self._reply_headers = self._headers.get((REPLIES, type_), [])

    def entry(self, work: Work, version: int) -> Document:
        """The journal document, for the stream's next `version`."""
        kind = ("open" if version == 1 else "load") if work.is_load else "redeem"
        template: Document = self._entries[kind]
        record, stream = work.record, work.stream
        return {
            **template,
            "_id": work.id,
            "subject": work.account,
            "hash": record.headers[-1][1].decode(),
            "correlation": work.id,
            "causation": work.id,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "result": {**template["result"], "transactionId": work.id},
            "events": [self._event(work, stream, event["data"]) for event in template["events"]],
            "writes": [f"{stream}#{version:012d}"],
        }

    def _event(self, work: Work, stream: str, template: Document) -> Document:
        data = {**template, "account": work.account, "accountNumber": work.number}
        if "transactionId" in template:
            data["transactionId"] = work.id
        return {"stream": stream, "data": data}

    def snapshot(self, work: Work, version: int) -> Document:
        """The snapshot at `version`."""
        state = {**self._account["state"], "number": work.number}
        return {**self._account, "_id": work.stream, "version": version, "state": state}

    def published(self, work: Work, entry: Document) -> list[Published]:
        """The events and changes of an entry, and a reply when there is a pattern of one."""
        events, changes, _ = self._topics
        key, command_id = work.account.encode(), work.id.encode()
        partition = work.record.partition
        found: list[Published] = []
        for event in entry["events"]:
            data = event["data"]
            rest = self._headers["points.events", data["type"].replace(".", "/")]
            found.append((events, partition, key, orjson.dumps(data), _headers(rest, command_id, key)))
            if "sequence" in data:
                value = {
                    **self._change,
                    "account": work.account,
                    "accountNumber": work.number,
                    "transactionId": work.id,
                }
                rest = self._headers["points.changes", "points/changed/v1"]
                found.append((changes, partition, key, orjson.dumps(value), _headers(rest, command_id, key)))
        if self._reply:
            found.append(self._reply_to(work))
        return found

    def _reply_to(self, work: Work) -> Published:
        """The reply, to the address in the command's headers."""
        asked = dict(work.record.headers)
        command_id, topic, place = work.id.encode(), asked["ce_replyto"].decode(), int(asked["ce_replypartition"])
        ids = [("ce_correlationid", asked["ce_correlationid"]), ("ce_causationid", command_id)]
        headers = [*self._reply_headers, ("ce_id", command_id), ("ce_subject", work.account.encode()), *ids]
        return topic, place, command_id, orjson.dumps({**self._reply, "commandId": work.id}), headers

    def snapshot_record(self, work: Work, version: int) -> Published:
        """The account's record for the topic of snapshots."""
        value = {**self._view, "version": version, "account": work.account, "accountNumber": work.number}
        rest = self._headers["points.snapshots", "points/account/v1"]
        key = work.account.encode()
        headers = [*rest, ("ce_id", f"{work.stream}@{version}".encode()), ("ce_subject", key)]
        place = partition_of(work.account, self._partitions)
        return self._topics[2], place, work.stream.encode(), orjson.dumps(value), headers


def _headers(rest: Sequence[tuple[str, bytes]], command_id: bytes, subject: bytes) -> Headers:
    return [
        *rest,
        ("ce_id", command_id),
        ("ce_subject", subject),
        ("ce_correlationid", command_id),
        ("ce_causationid", command_id),
    ]


def _rest(headers: dict[str, Any]) -> Headers:
    return [(name, bytes(value)) for name, value in headers.items() if name not in _IDS]

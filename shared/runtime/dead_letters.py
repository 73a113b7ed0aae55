"""Dead letters (P6): what can never work is kept whole in a collection, and announced without its body."""

import traceback

import orjson

from schemas.envelope import Envelope
from shared.clock import instant, now_ms
from shared.decider import Document
from shared.errors import Poison
from shared.ids import derived_id
from shared.runtime.heads import Unreadable
from shared.runtime.kafka import ConsumerRecord, Record
from shared.runtime.stored import DEAD_LETTER

DETAIL_CHARS_MAX = 2_000


def letter_id(record: ConsumerRecord[bytes, bytes]) -> str:
    """The id of a record's dead letter: where it stood."""
    return f"{record.topic}/{record.partition}/{record.offset}"


def dead_letter(record: ConsumerRecord[bytes, bytes], error: Exception, attempts: int) -> Document:
    """The document of one dead letter: reason, trace, and the record as it was, byte for byte."""
    reason = error.reason if isinstance(error, Poison) else "defect"
    trace = None if isinstance(error, Poison) else "".join(traceback.format_exception(error))[-8_000:]
    command_id = next((value for name, value in record.headers if name == "ce_id"), None)
    letter: Document = {
        "_id": letter_id(record),
        "v": DEAD_LETTER.version,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "reason": reason,
        "detail": str(error)[:DETAIL_CHARS_MAX] if isinstance(error, Poison) else type(error).__name__,
        "attempts": attempts,
        "trace": trace,
        "at": instant(now_ms()),
        "key": record.key,
        "value": record.value,
        "headers": [[name, value] for name, value in record.headers],
    }
    if command_id is not None:
        letter["command_id"] = command_id.decode("utf-8", "replace")
    return letter


def dead_batch(broken: Unreadable) -> Document:
    """The document of a batch that can't be read: where it stands, and all of it, as far as the broker hands it out."""
    kept = "its bytes are the value" if broken.raw is not None else "the broker does not return its bytes"
    return {
        "_id": broken.where,
        "topic": broken.place.topic,
        "partition": broken.place.partition,
        "offset": broken.offset,
        "reason": "unreadable",
        "detail": f"a batch, offsets {broken.offset} to {broken.next_offset - 1}; {kept}; {broken.reason}",
        "attempts": 1,
        "trace": None,
        "at": instant(now_ms()),
        "key": None,
        "value": broken.raw,
        "headers": [],
        "unreadable": True,
    }


def announcement(letter: Document, topic: str, source: str, partition: int) -> Record:
    """The record on `<service>.dead-letters`: all but the raw bytes and the trace."""
    value = {
        "topic": letter["topic"],
        "partition": letter["partition"],
        "offset": letter["offset"],
        "reason": letter["reason"],
        "detail": letter["detail"],
        "attempts": letter["attempts"],
        "commandId": letter.get("command_id"),
    }
    headers = Envelope(
        id=derived_id("dead-letter", letter["_id"]),
        type="fealty.dead_lettered.v1",
        source=source,
        subject=letter["_id"],
    ).headers()
    return Record(topic, partition, letter["_id"].encode(), orjson.dumps(value), headers)

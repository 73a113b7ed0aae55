"""From snapshots on the wire to the documents of the views; what cannot be one is logged, counted and left out.

A document is `{_id, version, view}`: an account by its id, others by their stream; `view` is the snapshot's value.
What was deleted keeps its version and has no view (protocol P9).
"""

import bson
import orjson
import structlog
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from prometheus_client import Counter

from schemas.envelope import Envelope, EnvelopeError
from schemas.points import ACCOUNT_VIEW
from schemas.replies import SnapshotPart
from schemas.text import STORED
from services.edge.views.table import VIEWS
from services.edge.views.upserts import Upsert
from shared.decider import Document
from shared.runtime.kafka import ConsumerRecord

log = structlog.get_logger()

SNAPSHOTS = Counter("fealty_view_snapshots_total", "Snapshots read for the views, by outcome.", ["outcome"])

_TYPES = {kept.type: kept for view in VIEWS.values() for kept in view.snapshots}
"""What the views keep of the snapshots of each type; other types are skipped."""


def of_record(record: ConsumerRecord[bytes, bytes]) -> Upsert | None:
    """The upsert that a record of a snapshots topic asks for; None for a tick, an unknown type, or the unreadable."""
    try:
        envelope = Envelope.from_headers(record.headers)
        if envelope.type not in _TYPES:
            SNAPSHOTS.labels("skipped").inc()
            return None
        value = orjson.loads(record.value or b"")
        if not _deleted(value):
            _TYPES[envelope.type].adapter.validate_python(value, by_alias=True, by_name=False, context=STORED)
        return _upsert(envelope.type, (record.key or b"").decode(), value)
    except (EnvelopeError, ValueError, BSONError, OverflowError) as error:
        SNAPSHOTS.labels("unreadable").inc()
        where = f"{record.topic}/{record.partition}/{record.offset}"
        log.error("a snapshot could not be read", record=where, error=type(error).__name__)
        return None


def of_part(part: SnapshotPart) -> Upsert | None:
    """The upsert that a part of a reply asks for, or None. The service that wrote it is believed to know its shape."""
    try:
        return _upsert(part.type, part.stream, part.value) if part.type in _TYPES else None
    except (ValueError, BSONError, OverflowError) as error:
        SNAPSHOTS.labels("unreadable").inc()
        log.error("a snapshot in a reply could not be read", error=type(error).__name__)
        return None


def _upsert(type_: str, stream: str, value: Document) -> Upsert:
    """The document of one snapshot; its version is the one in the value, over the topic and in replies alike.

    :raises ValueError: when it has no version, or the stream is no account's.
    """
    version = value.get("version")
    if not isinstance(version, int):
        raise ValueError("a snapshot without a version")
    collection, id_ = place_of(type_, stream)
    content = {} if _deleted(value) else {"view": value}
    stamped = _TYPES[type_].shape.stamp({"_id": id_, "version": version, **content})
    return Upsert(collection, id_, version, RawBSONDocument(bson.encode(stamped)))


def known(type_: str) -> bool:
    """Whether the views keep snapshots of a type."""
    return type_ in _TYPES


def place_of(type_: str, stream: str) -> tuple[str, str]:
    """The collection of a stream's snapshot, and its id there.

    :raises ValueError: when it is a snapshot of an account on another stream.
    """
    kind, _, name = stream.split("/", 2)
    if type_ != ACCOUNT_VIEW:
        return _TYPES[type_].collection, stream
    if kind != "account":
        raise ValueError("a snapshot of an account on another stream")
    return _TYPES[type_].collection, name


def _deleted(value: Document) -> bool:
    return isinstance(value, dict) and value.get("deleted") is True

"""How a command ended: as its journal document (P1, P2) and as a reply (P8)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from schemas.replies import Reply, Status
from shared.decider import Accepted, Document, Rejected
from shared.runtime.batch import Plan
from shared.runtime.decode import Incoming, Query

_VERSION_DIGITS = 12
_ACCEPTED, _REJECTED = Status.ACCEPTED.value, Status.REJECTED.value


class RuntimeRefusal(StrEnum):
    """Refusals that come from the runtime and not from a service's rules."""

    TOO_LARGE = "too_large"


def refused_as_too_large(bytes_max: int) -> Rejected:
    """What it would publish does not fit into a record."""
    return Rejected(RuntimeRefusal.TOO_LARGE, f"what this command publishes exceeds {bytes_max} bytes a record")


def entry_of(
    item: Incoming,
    now: datetime,
    verdict: Accepted[Any] | Rejected,
    plan: Plan,
    dump_event: Callable[[Any], Document],
) -> Document:
    """The journal document of one command: everything needed to publish and to answer again, nothing decided twice."""
    envelope, record = item.envelope, item.record
    store = item.command.store
    entry: Document = {
        "_id": envelope.id,
        "type": envelope.type,
        "subject": envelope.subject,
        "store": store,
        "hash": item.request_hash,
        "correlation": envelope.correlation_id or envelope.id,
        "causation": envelope.causation_id,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "at": now,
    }
    if isinstance(verdict, Rejected):
        entry.update(status=_REJECTED, code=str(verdict.code), detail=verdict.detail, pointer=verdict.pointer)
        return entry
    streams = dict.fromkeys(stream for stream, _ in verdict.events)
    entry.update(
        status=_ACCEPTED,
        result=verdict.result,
        events=[{"stream": stream, "data": dump_event(event)} for stream, event in verdict.events],
    )
    if streams:
        entry["writes"] = [f"{stream}#{plan.stream(stream).version + 1:0{_VERSION_DIGITS}d}" for stream in streams]
    if verdict.memo is not None:
        entry["memo"] = verdict.memo
    if verdict.follow_ups:
        entry["follow_ups"] = [
            {"topic": item.topic, "type": item.type, "subject": item.subject, "payload": item.payload}
            for item in verdict.follow_ups
        ]
    return entry


def reply_of(entry: Document) -> Reply:
    """The stored outcome of a command."""
    return Reply.model_construct(
        command_id=entry["_id"],
        status=Status(entry["status"]),
        code=entry.get("code"),
        detail=entry.get("detail"),
        pointer=entry.get("pointer"),
        result=entry.get("result"),
        snapshots=(),
    )


def outcome_of(item: Query, plan: Plan, buried: Mapping[str, Document]) -> Reply:
    """The answer to a poll: stored, buried, still possible, or never (definite, by the broker's clock)."""
    command_id = item.command_id
    entry = plan.entries.get(command_id) or plan.loaded.entries.get(command_id)
    if entry is not None:
        return reply_of(entry)
    letter = buried.get(command_id)
    if letter is not None:
        return Reply(command_id=command_id, status=Status.DEAD_LETTERED, code=letter["reason"], detail=letter["detail"])
    not_after = item.envelope.not_after
    over = not_after is not None and item.record.timestamp > not_after
    return Reply(command_id=command_id, status=Status.NEVER_ACCEPTED if over else Status.PENDING)

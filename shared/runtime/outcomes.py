"""How a command ended: as its journal document (P1, P2) and as a reply (P8)."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

from schemas.envelope import Envelope
from schemas.replies import Reply, SnapshotPart, Status
from shared.decider import Accepted, Document, Forwarded, Rejected
from shared.runtime.batch import Plan
from shared.runtime.decode import Incoming, Query
from shared.runtime.journal import Journal
from shared.runtime.publish import forward_id
from shared.writes import write_of

_ACCEPTED, _REJECTED = Status.ACCEPTED.value, Status.REJECTED.value
_FORWARDS_MAX = 8

FORWARDED = "forwarded"
"""A status of entries that no reply says: whoever decides the forwarded command answers (RULES 4.1.2)."""


class RuntimeRefusal(StrEnum):
    """Refusals that come from the runtime and not from a service's rules."""

    TOO_LARGE = "too_large"


def refused_as_too_large(bytes_max: int) -> Rejected:
    """What it would publish does not fit into a record."""
    return Rejected(RuntimeRefusal.TOO_LARGE, f"what this command publishes exceeds {bytes_max} bytes a record")


def entry_of(
    item: Incoming,
    now: datetime,
    verdict: Accepted[Any] | Rejected | Forwarded,
    plan: Plan,
    dump_event: Callable[[Any], Document],
) -> Document:
    """The journal document of one command: everything needed to publish and to answer again, nothing decided twice.

    :raises ValueError: when it is forwarded to where it is, which would never end.
    """
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
    if isinstance(verdict, Forwarded):
        if verdict.subject == envelope.subject:
            raise ValueError("a command was forwarded to where it is")
        entry.update(
            status=FORWARDED, to=verdict.subject, source=envelope.source, value=record.value, **waiting(envelope)
        )
        return entry
    streams = dict.fromkeys(stream for stream, _ in verdict.events)
    entry.update(
        status=_ACCEPTED,
        result=verdict.result,
        events=[{"stream": stream, "data": dump_event(event)} for stream, event in verdict.events],
    )
    if streams:
        entry["writes"] = [write_of(stream, plan.stream(stream).version + 1) for stream in streams]
    if verdict.memo is not None:
        entry["memo"] = verdict.memo
    if verdict.follow_ups:
        entry["follow_ups"] = [
            {"topic": item.topic, "type": item.type, "subject": item.subject, "payload": item.payload}
            for item in verdict.follow_ups
        ]
    return entry


def waiting(envelope: Envelope) -> Document:
    """Who waits for a command's outcome, as a forwarded entry keeps it: the forward takes it along."""
    return {
        "correlation": envelope.correlation_id or envelope.id,
        "reply_to": envelope.reply_to,
        "reply_partition": envelope.reply_partition,
    }


def reply_of(entry: Document, snapshots: tuple[SnapshotPart, ...] = (), changes: tuple[Document, ...] = ()) -> Reply:
    """The stored outcome of a command, and what goes along with it."""
    return Reply.model_construct(
        command_id=entry["_id"],
        status=Status(entry["status"]),
        code=entry.get("code"),
        detail=entry.get("detail"),
        pointer=entry.get("pointer"),
        result=entry.get("result"),
        snapshots=snapshots,
        changes=changes,
    )


async def outcome_of(item: Query, plan: Plan, journal: Journal) -> Reply:
    """The answer to a poll: stored, buried, still possible, or never (definite, by the broker's clock).

    The outcome of a forwarded command is that of its forward, and pending while that has none.
    """
    command_id, entry = item.command_id, plan.known(item.command_id)
    forwards = 0
    while entry is not None and entry["status"] == FORWARDED and forwards < _FORWARDS_MAX:
        command_id = forward_id(command_id)
        entry = plan.known(command_id) or (await journal.load([command_id], [])).entries.get(command_id)
        forwards += 1
    if entry is not None and entry["status"] != FORWARDED:
        return reply_of(entry)
    letter = (await journal.buried([command_id])).get(command_id)
    if letter is not None:
        return Reply(command_id=command_id, status=Status.DEAD_LETTERED, code=letter["reason"], detail=letter["detail"])
    not_after = item.envelope.not_after
    over = not forwards and not_after is not None and item.record.timestamp > not_after
    return Reply(command_id=item.command_id, status=Status.NEVER_ACCEPTED if over else Status.PENDING)

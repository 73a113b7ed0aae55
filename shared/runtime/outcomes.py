"""How a command ended: as its journal document (P1, P2) and as a reply (P8)."""

from collections.abc import Callable, Collection
from datetime import datetime
from enum import StrEnum
from typing import Any

from schemas.envelope import Envelope
from schemas.replies import Reply, SnapshotPart, Status
from shared.decider import Accepted, Closing, Decider, Document, FollowUp, Forwarded, Rejected, View
from shared.runtime.batch import Plan
from shared.runtime.decode import Incoming
from shared.runtime.entries import (
    ACCEPTED,
    FORWARDED,
    HELD,
    REJECTED,
    Input,
    JournalEntry,
    Outcome,
    StoredFollowUp,
    Waiting,
)
from shared.runtime.kafka import Record
from shared.runtime.publish import RecordBuilder, snapshot_value
from shared.runtime.stored import ENTRY
from shared.writes import write_of


class RuntimeRefusal(StrEnum):
    """Refusals that come from the runtime and not from a service's rules."""

    TOO_LARGE = "too_large"


def refused_as_too_large(bytes_max: int) -> Rejected:
    """What it would publish does not fit into a record."""
    return Rejected(RuntimeRefusal.TOO_LARGE, f"a record that this command publishes would exceed {bytes_max} bytes")


def entry_of(
    item: Incoming,
    now: datetime,
    verdict: Accepted[Any] | Rejected | Forwarded,
    plan: Plan,
    decider: Decider[Any, Any],
    concerns: Callable[[Any], Document],
) -> JournalEntry:
    """The journal document of one command: everything needed to publish and to answer again, nothing decided twice.

    :raises ValueError: when it is forwarded to where it is, which would never end.
    """
    envelope, record = item.envelope, item.record
    store = item.command.store
    entry: JournalEntry = {
        "_id": envelope.id,
        "v": ENTRY.version,
        "type": envelope.type,
        "subject": envelope.subject,
        "status": ACCEPTED,
        "store": store,
        "hash": item.request_hash,
        "correlation": envelope.correlation_id or envelope.id,
        "causation": envelope.causation_id,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "at": now,
    }
    if envelope.actor is not None:
        entry["actor"] = envelope.actor
    if isinstance(verdict, Rejected):
        _refuse(entry, verdict)
        entry["about"] = _about(item, concerns)
        return entry
    if isinstance(verdict, Forwarded):
        if verdict.subject == envelope.subject:
            raise ValueError("a command was forwarded to where it is")
        entry["status"], entry["to"] = FORWARDED, verdict.subject
        entry["source"], entry["value"] = envelope.source, record.value or b""
        entry = {**entry, **waiting(envelope)}
        if envelope.input_id is not None:
            entry["input"] = _input(envelope)
        return entry
    streams = tuple(dict.fromkeys(stream for stream, _ in verdict.events))
    dump_event = decider.dump_event
    entry["result"] = verdict.result
    entry["events"] = [{"stream": stream, "data": dump_event(event)} for stream, event in verdict.events]
    if streams:
        entry["writes"] = [write_of(stream, plan.stream(stream).version + 1) for stream in streams]
    if verdict.memo is not None:
        entry["memo"] = verdict.memo
    if verdict.follow_ups:
        entry["follow_ups"] = [_follow_up(each, verdict, streams, plan, decider) for each in verdict.follow_ups]
    if verdict.held:
        entry["status"], entry["about"] = HELD, _about(item, concerns)
        entry = {**entry, **waiting(envelope)}
    if verdict.closing is not None:
        entry["closing"] = _closing(verdict.closing, plan)
    return entry


def _follow_up(
    wanted: FollowUp, verdict: Accepted[Any], streams: tuple[str, ...], plan: Plan, decider: Decider[Any, Any]
) -> StoredFollowUp:
    """A follow-up as the entry keeps it; with `snapshots` it takes them along, as this command leaves them."""
    document: StoredFollowUp = {
        "topic": wanted.topic,
        "type": wanted.type,
        "subject": wanted.subject,
        "payload": wanted.payload if wanted.text is None else wanted.text,
    }
    if wanted.id is not None:
        document["id"] = wanted.id
    if wanted.snapshots:
        if verdict.states is None:
            raise ValueError("snapshots of states that were not given")
        parts = []
        for stream in streams:
            view, version = decider.views(verdict.states[stream]), plan.stream(stream).version + 1
            if view is not None:
                parts.append(
                    {"stream": stream, "version": version, "type": view.type, "value": snapshot_value(version, view)}
                )
        document["payload"] = {**wanted.payload, "snapshots": parts}
    return document


def _closing(closing: Closing, plan: Plan) -> Outcome:
    """The outcome of a held command, with the address of whoever waits, as the closing one's entry keeps it.

    :raises ValueError: when the command was not held.
    """
    held = plan.known(closing.command_id)
    if held is None or held["status"] != HELD:
        raise ValueError(f"{closing.command_id} is not held")
    outcome: Outcome = {
        "_id": closing.command_id,
        "type": held["type"],
        "subject": held["subject"],
        "status": ACCEPTED,
        "snapshots": list(closing.snapshots),
        "correlation": held["correlation"],
        "reply_to": held["reply_to"],
        "reply_partition": held["reply_partition"],
    }
    if closing.refusal is None:
        outcome["result"] = closing.result
    else:
        _refuse(outcome, closing.refusal)
        outcome["about"] = held.get("about", {})
    return outcome


def _refuse(outcome: Outcome, refusal: Rejected) -> None:
    outcome["status"], outcome["code"] = REJECTED, str(refusal.code)
    outcome["detail"], outcome["pointer"] = refusal.detail, refusal.pointer


def _about(item: Incoming, concerns: Callable[[Any], Document]) -> Document:
    """What a refusal says of its command: who sent it, from which input, and what it is about."""
    about = {"sender": item.envelope.source, **concerns(item.command.payload)}
    if item.envelope.input_id is not None:
        about["input"] = _input(item.envelope)
    return about


def _input(envelope: Envelope) -> Input:
    return {"topic": envelope.input_topic, "source": envelope.input_source, "id": envelope.input_id}


def closed(entry: JournalEntry, close: JournalEntry | None) -> Outcome | None:
    """The outcome of a held command's entry, by the entry that closes it; None when it is held still.

    An outcome is like an entry, so far as a reply is made of it.
    """
    if close is None:
        return None
    return {**close["closing"], "_id": entry["_id"], "events": close["events"], "writes": close.get("writes", [])}


def written_by(outcome: Outcome) -> tuple[str, ...]:
    """The streams that a command wrote, by its entry or its outcome."""
    return tuple([write.rsplit("#", 1)[0] for write in outcome.get("writes", ())])


def outcome_envelope(closing: Outcome, source: str) -> Envelope:
    """The envelope of a held command, so far as answering it needs."""
    return Envelope(
        id=closing["_id"],
        type=closing["type"],
        source=source,
        subject=closing["subject"],
        correlation_id=closing["correlation"],
        reply_to=closing["reply_to"],
        reply_partition=closing["reply_partition"],
    )


def waiting(envelope: Envelope) -> Waiting:
    """Who waits for a command's outcome, as its entry keeps it."""
    return {
        "correlation": envelope.correlation_id or envelope.id,
        "reply_to": envelope.reply_to,
        "reply_partition": envelope.reply_partition,
    }


def reply_of(
    entry: Outcome,
    snapshots: tuple[SnapshotPart, ...] = (),
    changes: tuple[Document, ...] = (),
    replayed: bool = False,
) -> Reply:
    """The stored outcome of a command, and what goes along with it."""
    snapshots += tuple(SnapshotPart.model_validate(each) for each in entry.get("snapshots", ()))
    return Reply.model_construct(
        command_id=entry["_id"],
        status=Status(entry["status"]),
        code=entry.get("code"),
        detail=entry.get("detail"),
        pointer=entry.get("pointer"),
        result=entry.get("result"),
        snapshots=snapshots,
        changes=changes,
        replayed=replayed,
    )


def published_of(plan: Plan, build: RecordBuilder) -> list[Record]:
    """Step 5, first half: everything that will be published, encoded: records, snapshots, and replies.

    Each reply takes the current snapshots of what its command wrote along, be it the first one, a repeat or a poll.
    """
    decider, records = plan.decider, plan.records
    views: dict[str, View | None] = {}
    for name in plan.touched:
        view = views[name] = decider.views(plan.stream(name).state)
        if view is not None:
            records.append(build.snapshot(name, plan.stream(name).version, view))
    for to, reply, streams, replayed in plan.replies:
        if isinstance(reply, Reply):
            records.extend(build.reply(to.record, to.envelope, reply))
        else:
            answer = reply_of(reply, _parts(plan, streams, views), build.changes(reply), replayed)
            records.extend(build.reply(to.record, to.envelope, answer, reply.get("events", ())))
    return records


def _parts(plan: Plan, streams: Collection[str], views: dict[str, View | None]) -> tuple[SnapshotPart, ...]:
    """Streams as they are now, those that are shown; `views` remembers what was made."""
    parts: list[SnapshotPart] = []
    for name in streams:
        if name not in plan.names:  # Written by an entry of an earlier release, whose command named more.
            continue
        working = plan.stream(name)
        if name not in views:
            views[name] = plan.decider.views(working.state)
        if (view := views[name]) is not None:
            value = snapshot_value(working.version, view)
            parts.append(SnapshotPart(stream=name, version=working.version, type=view.type, value=value))
    return tuple(parts)

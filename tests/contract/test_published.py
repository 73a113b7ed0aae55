"""What the points service and its runtime really write, held against the committed documents."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from schemas._envelope_schema import envelope_schema
from schemas.envelope import Envelope
from schemas.generate import registry
from schemas.points import EVENTS, REJECTIONS, PointsChanged
from schemas.programme import ProgrammeState
from schemas.replies import Reply, SnapshotPart, Status
from schemas.topics import TOPICS, Kind
from services.points.changes import changes
from services.points.decider import DECIDER
from services.points.events import dump_event, load_event
from services.points.main import SERVICE
from shared.errors import Poison
from shared.runtime.dead_letters import announcement, dead_letter
from shared.runtime.entries import FORWARDED, JournalEntry, StoredEvent
from shared.runtime.kafka import Record
from shared.runtime.publish import RecordBuilder, snapshot_value
from shared.runtime.ticks import tick_record
from shared.settings import Settings
from tests.contract.examples import ACCOUNT, COMMAND, EXAMPLES
from tests.contract.fitting import committed, complaints
from tests.entries import entry_of

BUILDER = RecordBuilder(SERVICE, Settings.model_construct())
TYPES = registry()
ASKED = Envelope(id=COMMAND, type="t", source="/edge", subject="s", reply_to="edge.replies", reply_partition=0)
STREAMS = {
    f"account/default/{ACCOUNT}": ("points.account_opened.v1", "points.scheduled.v1", "points.loaded.v1"),
    "programme/default/LOY22-BuyVouchers": ("points.programme_applied.v1",),
}
EVENT_EXAMPLES: list[Any] = [value for name in EVENTS for value in EXAMPLES[name]]


def misfits(record: Record) -> list[str]:
    """Why a record is not what the documents say about its topic and type."""
    headers = {name: value.decode() for name, value in record.headers}
    wire_type = TYPES[headers["ce_type"]]
    assert record.topic in wire_type.topics
    return [
        *complaints(envelope_schema(TOPICS[record.topic].kind), headers),
        *complaints(committed(wire_type.name), json.loads(record.value)),
    ]


def entry(status: Status | str, **more: Any) -> JournalEntry:
    """A journal entry, without what publishing does not look at."""
    parts = {
        "_id": COMMAND,
        "type": "points.adjust.v1",
        "subject": ACCOUNT,
        "store": "default",
        "correlation": COMMAND,
        "causation": None,
        "status": str(status),
        "at": datetime(2026, 11, 22, 10, 0, 1, 123_000, UTC),
    }
    return entry_of(**{**parts, **more})


def incoming() -> ConsumerRecord[bytes, bytes]:
    """A record as the consumer gives it."""
    return ConsumerRecord("points.commands", 3, 17, 1_795_000_000_000, 1, b"key", b"{}", None, 3, 2, ())


@pytest.mark.parametrize("event", EVENT_EXAMPLES, ids=[event.type for event in EVENT_EXAMPLES])
def test_events_and_changes(event: Any) -> None:
    document = dump_event(event)
    assert load_event(document) == event
    stream = f"account/default/{ACCOUNT}"
    records = BUILDER.entry(entry(Status.ACCEPTED, events=[{"stream": stream, "data": document}]))
    assert len(records) == (2 if "sequence" in document else 1)
    assert [misfits(record) for record in records] == [[] for _ in records]


def test_a_change_has_every_field() -> None:
    change = changes(dump_event(EXAMPLES["points.activated.v1"][0]))
    assert change is not None
    assert sorted(change) == sorted(PointsChanged.model_json_schema()["properties"])


def test_a_change_from_before_units_were_recorded_is_published_as_it_was() -> None:
    document = dump_event(EXAMPLES["points.activated.v1"][0])
    former = {name: value for name, value in document.items() if name != "unit"}
    assert dump_event(load_event(former)) == former
    change = changes(former)
    assert change is not None
    assert sorted(change) == sorted(PointsChanged.model_json_schema()["required"])
    stream = f"account/default/{ACCOUNT}"
    records = BUILDER.entry(entry(Status.ACCEPTED, events=[{"stream": stream, "data": former}]))
    assert [misfits(record) for record in records] == [[], []]
    assert all(b"unit" not in record.value for record in records)


@pytest.mark.parametrize("command", REJECTIONS)
def test_refusals(command: str) -> None:
    refused = entry(Status.REJECTED, code="too_large", detail="d", pointer=None) | {"type": command}
    (record,) = BUILDER.entry(refused)
    assert misfits(record) == []


@pytest.mark.parametrize(("stream", "types"), STREAMS.items())
def test_snapshots_and_replies(stream: str, types: tuple[str, ...]) -> None:
    state = DECIDER.initial(stream)
    for version, name in enumerate(types, 1):
        state = DECIDER.evolve(state, EXAMPLES[name][0])
        view = DECIDER.views(state)
        assert view is not None
        assert misfits(BUILDER.snapshot(stream, version, view)) == []
        part = SnapshotPart(stream=stream, version=version, type=view.type, value=snapshot_value(version, view))
        reply = Reply(command_id=COMMAND, status=Status.ACCEPTED, result={}, snapshots=(part,))
        (answer,) = BUILDER.reply(incoming(), ASKED, reply)
        assert misfits(answer) == []


def test_a_reply_that_is_too_large_says_what_it_leaves_out() -> None:
    """First the changes, then the snapshots; by stream, with the last sequence and the version to wait for."""
    builder = RecordBuilder(SERVICE, Settings.model_construct(record_bytes_max=1_000))
    stream = f"account/default/{ACCOUNT}"
    moved = [dump_event(EXAMPLES[name][0]) for name in ("points.loaded.v1", "points.redeemed.v1")]
    events: list[StoredEvent] = [
        {"stream": stream, "data": {**each, "sequence": at}} for at, each in enumerate(moved, 7)
    ]
    part = SnapshotPart(stream=stream, version=9, type="points.account.v1", value={"version": 9, "much": ""})
    moves_left = {"stream": stream, "type": None, "version": None, "sequence": 8}
    snapshot = {"stream": stream, "type": part.type, "version": 9, "sequence": None}
    for count, much, left_out in ((0, 1, []), (5, 1, [moves_left]), (5, 1_000, [moves_left, snapshot])):
        big = part.model_copy(update={"value": {**part.value, "much": "x" * much}})
        moves = ({"delta": 1, "text": "x" * 200},) * count
        reply = Reply(command_id=COMMAND, status=Status.ACCEPTED, result={}, snapshots=(big,), changes=moves)
        (answer,) = builder.reply(incoming(), ASKED, reply, events)
        assert misfits(answer) == []
        assert json.loads(answer.value)["leftOut"] == left_out


def test_who_had_it_done_goes_along_with_commands_and_is_never_published() -> None:
    """The journal's `actor` is in follow-ups and forwards; all other records are the same bytes with it and without."""
    stream = f"account/default/{ACCOUNT}"
    events = [{"stream": stream, "data": dump_event(EXAMPLES[name][0])} for name in STREAMS[stream][1:]]
    follow_up = {"topic": "voucher.commands", "type": "t.v1", "subject": "s", "payload": {}}
    closing = entry(Status.REJECTED, code="too_large", detail="d", pointer=None)
    accepted = entry(Status.ACCEPTED, events=events, follow_ups=[follow_up], closing=closing)
    forwarded = entry(FORWARDED, to="s", source="/edge", value=b"{}", reply_to=None, reply_partition=None)
    for bare in (accepted, forwarded, closing):
        with_actor = BUILDER.entry({**bare, "actor": "client:c"})
        for record, other in zip(with_actor, BUILDER.entry(bare), strict=True):
            if TOPICS[record.topic].kind is Kind.COMMANDS:
                assert ("ce_actor", b"client:c") in record.headers
            else:
                assert record == other


def test_ticks_and_dead_letters() -> None:
    assert misfits(tick_record("points", "points.snapshots", 0)) == []
    for error in (Poison("bad_payload", "d"), ValueError("defect")):
        letter = dead_letter(incoming(), error, 1)
        assert misfits(announcement(letter, "points.dead-letters", "/points", 0)) == []


def test_states_of_programmes_are_those_declared() -> None:
    listed = committed("points.programme.v1")["$defs"]["ProgrammeState"]["examples"]
    assert listed == list(ProgrammeState)

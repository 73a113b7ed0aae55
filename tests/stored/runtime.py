"""What the runtime stores: journal entries, snapshots, fences, dead letters, check values, and rebuilds."""

from dataclasses import asdict
from typing import Any, cast

from aiokafka import ConsumerRecord

from cli.rebuild import Report
from schemas.envelope import Envelope
from schemas.points import PointsRefusal
from services.points.decider import DECIDER
from services.points.main import SERVICE
from shared.decider import Accepted, Closing, Command, Document, FollowUp, Forwarded, Rejected, Streams
from shared.runtime.batch import Plan, Working
from shared.runtime.dead_letters import announcement, dead_letter
from shared.runtime.decode import Incoming
from shared.runtime.entries import FORWARDED, HELD, JournalEntry
from shared.runtime.folding import Fold
from shared.runtime.journal import Loaded
from shared.runtime.outcomes import closed, entry_of, reply_of
from shared.runtime.publish import RecordBuilder
from shared.runtime.stored import DEAD_LETTER, ENTRY, FENCE, REBUILD, SNAPSHOT
from shared.secrecy import CHECK_VALUE, check_value
from shared.settings import Settings
from tests.contract.examples import ACCOUNT, COMMAND, EXAMPLES, NOW
from tests.stored.kinds import Kind

_STREAM = f"account/s/{ACCOUNT}"
_HELD = "0199d2a5-7c00-7000-8000-0000000000bb"
_HEADERS = (("ce_id", COMMAND.encode()),)
_RECORD = ConsumerRecord("points.commands", 3, 17, 1_795_000_000_000, 1, b"key", b"{}", None, 3, 2, _HEADERS)
_BUILD = RecordBuilder(SERVICE, Settings.model_construct())


def _incoming(id_: str) -> Incoming:
    envelope = Envelope(
        id=id_,
        type="points.adjust.v1",
        source="/edge",
        subject=ACCOUNT,
        store="s",
        correlation_id=COMMAND,
        causation_id=COMMAND,
        reply_to="edge.replies",
        reply_partition=1,
        input_topic="webshop.orders",
        input_source="/shop",
        input_id="order-1",
    )
    command = Command(id_, envelope.type, "s", ACCOUNT, EXAMPLES["points.place_order.v1"][0], NOW)
    return Incoming(_RECORD, envelope, command, Streams((_STREAM,)), "hash")


def _plan() -> Plan:
    plan = Plan(DECIDER, frozenset([_STREAM]), frozenset([COMMAND]), Loaded({}, {}, {}))
    plan.streams[_STREAM] = Working(0, 0, DECIDER.initial(_STREAM), NOW, 3)
    return plan


def _entry(id_: str, verdict: Accepted[Any] | Rejected | Forwarded, plan: Plan) -> JournalEntry:
    return entry_of(_incoming(id_), NOW, verdict, plan, DECIDER, SERVICE.concerns)


def _entries() -> list[Document]:
    """One of each way to end, each with all that it may have."""
    plan, state = _plan(), DECIDER.initial(_STREAM)
    opened = EXAMPLES["points.account_opened.v1"][0]
    follow_up = FollowUp("voucher.commands", "voucher.void.v1", ACCOUNT, {"a": 1}, id=_HELD, snapshots=True)
    result = {"transactionId": COMMAND, "balances": [], "issuedVouchers": []}
    events = ((_STREAM, opened), (_STREAM, EXAMPLES["points.loaded.v1"][0]))
    state = DECIDER.evolve(state, opened)
    held = _entry(_HELD, Accepted((), result, held=True), plan)
    plan.entries[_HELD] = held
    snapshot = {"stream": _STREAM, "version": 1, "type": "t", "value": {}}
    refused = Rejected(PointsRefusal.ACCOUNT_CLOSED, "it is closed", "/accountNumber")
    verdicts: tuple[Accepted[Any] | Rejected | Forwarded, ...] = (
        Accepted(events, result, (follow_up,), "memo", {_STREAM: state}, closing=Closing(_HELD, {}, None, (snapshot,))),
        Accepted(events, result, closing=Closing(_HELD, {}, refused)),
        refused,
        Forwarded("another"),
    )
    return [cast(Document, each) for each in (held, *(_entry(COMMAND, verdict, plan) for verdict in verdicts))]


def _read_entry(document: Document) -> Document:
    """What is published, and answered, of a stored entry."""
    entry = cast(JournalEntry, ENTRY.upgrade(document))
    _BUILD.entry(entry)
    if entry["status"] not in (FORWARDED, HELD):
        reply_of(entry)
    if "closing" in entry:
        outcome = closed(cast(JournalEntry, {"_id": entry["closing"]["_id"]}), entry)
        assert outcome is not None
        reply_of(outcome)
    return cast(Document, entry)


def _snapshots() -> list[Document]:
    plan = _plan()
    plan.streams[_STREAM].version = 1
    written = plan.append([_RECORD])
    fold = Fold(_STREAM, DECIDER)
    event = DECIDER.dump_event(EXAMPLES["points.account_opened.v1"][0])
    fold.add(1, cast(JournalEntry, {"events": [{"stream": _STREAM, "data": event}], "at": NOW, "partition": 3}))
    return [{**each, "state": {}} for each in (written.streams[0][1], fold.snapshot())]


def _fences() -> list[Document]:
    return [_plan().append([_RECORD]).fences[0][1]]


def _dead_letters() -> list[Document]:
    replayed = {**dead_letter(_RECORD, ValueError("defect"), 3), "replayed_at": NOW}
    return [replayed, {**replayed, "key": None, "value": None, "headers": [], "trace": None, "erased": True}]


def _read_dead_letter(document: Document) -> Document:
    letter = DEAD_LETTER.upgrade(document)
    announcement(letter, "points.dead-letters", "/points", 3)
    return letter


def _rebuilds() -> list[Document]:
    kept = {**asdict(Report(unfoldable={"a": "b"})), "after": "a#1"}
    del kept["going_on_after"]
    part = {**kept, "_id": "part/0", "unfoldable": [["a", "b"]]}
    return [REBUILD.stamp(part), REBUILD.stamp({"_id": "parts", "parts": [[0, "", "b"]]})]


RUNTIME = [
    Kind(ENTRY, _entries, _read_entry),
    Kind(SNAPSHOT, _snapshots, SNAPSHOT.upgrade),
    Kind(FENCE, _fences, FENCE.upgrade),
    Kind(DEAD_LETTER, _dead_letters, _read_dead_letter),
    Kind(REBUILD, _rebuilds, REBUILD.upgrade),
    Kind(CHECK_VALUE, lambda: [check_value("FEALTY_SECRET", "a")], CHECK_VALUE.upgrade),
]

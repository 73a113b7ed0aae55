"""The steps of one batch, on a real journal and a real broker, with the pump left out."""

import asyncio
from datetime import timedelta

import orjson
import pytest

from schemas.envelope import Envelope
from schemas.replies import GET_OUTCOME, Reply, SnapshotPart, Status
from shared.clock import now_ms
from shared.decider import entry_key
from shared.errors import Conflict, Relinquished, Stopped
from shared.ids import derived_id, new_id
from shared.runtime.batch import Plan, States
from shared.runtime.entries import JournalEntry
from shared.runtime.journal import Append, Journal, Loaded
from shared.runtime.publish import RecordBuilder, encoded_reply
from shared.runtime.signing import signed
from tests.entries import entry_of
from tests.harness import Command, Headers, header, payload
from tests.real.counter import COUNT, COUNTER, DECIDER, DEFECT, DELETED, FOLLOWED, UNDO
from tests.real.steps import Bench

pytestmark = pytest.mark.real


async def test_a_redelivered_batch_publishes_the_same_bytes_again(bench: Bench) -> None:
    for by in (1, 2, -3, 4):
        await bench.count(by)
    await bench.processor().handle(await bench.batch())
    first = await bench.installation.read("points.events")
    await bench.processor().handle(await bench.batch())
    both = await bench.installation.read("points.events")
    content = [(record.key, record.value, record.headers) for record in both]
    assert len(first) == 4
    assert content == content[:4] * 2
    assert await bench.sum() == 7


async def test_a_repeat_elsewhere_gets_the_stored_reply_and_nothing_else(bench: Bench) -> None:
    command = Command(COUNT, "c", {"by": 5})
    reply_to: Headers = [
        ("ce_replyto", bench.installation.settings.topic("edge.replies").encode()),
        ("ce_replypartition", b"1"),
    ]
    for _ in range(3):
        await bench.installation.send("points.commands", command.value, [*command.headers(), *reply_to], "c")
    await bench.processor().handle(await bench.batch())
    assert len(await bench.installation.read("points.events")) == 1
    replies = [payload(record) for record in await bench.installation.read("edge.replies")]
    assert [reply["result"] for reply in replies] == [{"sum": 5}] * 3
    assert [reply["snapshots"][0]["value"] for reply in replies] == [{"version": 1, "sum": 5}] * 3


async def test_the_same_id_with_another_request_is_refused(bench: Bench) -> None:
    reply_to: Headers = [
        ("ce_replyto", bench.installation.settings.topic("edge.replies").encode()),
        ("ce_replypartition", b"1"),
    ]
    id_ = new_id()
    for by in (5, 6):
        command = Command(COUNT, "c", {"by": by}, id_)
        await bench.installation.send("points.commands", command.value, [*command.headers(), *reply_to], "c")
    await bench.processor().handle(await bench.batch())
    statuses = [payload(record)["status"] for record in await bench.installation.read("edge.replies")]
    assert statuses == ["accepted", "idempotency_key_reused"]
    assert await bench.sum() == 5


async def test_a_defect_is_isolated_and_its_neighbours_are_booked(bench: Bench) -> None:
    sent = [await bench.count(DEFECT if number in (3, 17) else 1) for number in range(20)]
    await bench.processor().handle(await bench.batch())
    letters = await bench.installation.collection("points", "dead_letters").find().to_list()
    assert {letter["command_id"] for letter in letters} == {sent[3], sent[17]}
    assert {letter["reason"] for letter in letters} == {"defect"}
    assert all("a defect in the rules" in letter["trace"] for letter in letters)
    assert await bench.sum() == 18


async def test_follow_ups_are_published_with_derived_ids_and_never_dead_lettered(bench: Bench) -> None:
    cause = await bench.count(FOLLOWED)
    await bench.processor().handle(await bench.batch())
    follow_up = (await bench.installation.read("points.commands"))[-1]
    assert header(follow_up, "ce_id") == derived_id("follow-up", cause, 0)
    assert (header(follow_up, "ce_causationid"), header(follow_up, "ce_source")) == (cause, "/points")
    await bench.processor().handle(await bench.batch())
    assert await bench.sum() == FOLLOWED + 1
    wrong, own = b'{"by": "much"}', Envelope(id=new_id(), type=COUNT, source="/points", subject="c")
    before, headers = await bench.count(2), signed(bench.installation.secret, own, wrong).headers()
    offset = await bench.installation.send("points.commands", wrong, [*headers], "c")
    behind = await bench.count(4)
    with pytest.raises(Stopped) as stopped:
        await bench.processor().handle(await bench.batch())
    assert stopped.value.offset == offset
    assert await bench.installation.entry(before) is not None, "what stands before it is done"
    assert await bench.installation.entry(behind) is None, "what stands behind it waits"
    assert await bench.installation.collection("points", "dead_letters").count_documents({}) == 0


async def test_the_entries_of_other_commands_are_there_for_deciding(bench: Bench) -> None:
    counted, refused = await bench.count(5), await bench.count(-1)
    alone = Command(UNDO, "c", {"id": new_id()}, "00000000-0000-4000-8000-000000000001")
    itself = Command(UNDO, "c", {"id": "00000000-0000-4000-8000-000000000002"}, "00000000-0000-4000-8000-000000000002")
    undone = [Command(UNDO, "c", {"id": id_}) for id_ in (counted, refused)]
    for command in (*undone, alone, itself, itself):
        await bench.send(command, **bench.reply_to)
    await bench.processor().handle(await bench.batch())  # The entries are made in this batch,
    undone_later = Command(UNDO, "c", {"id": counted})
    await bench.send(undone_later, **bench.reply_to)
    await bench.processor().handle(await bench.batch())  # or read from the journal.
    seen = {reply["commandId"]: reply["result"] or reply["code"] for reply in await bench.replies()}
    assert seen == {
        undone[0].id: {"undone": 1},
        undone[1].id: "not_counted",
        alone.id: "unknown",
        itself.id: "unknown",
        undone_later.id: {"undone": 1},
    }
    assert await bench.sum() == -5


def test_an_entry_that_was_not_named_is_not_there() -> None:
    states = States(Plan(DECIDER, frozenset(), frozenset({"named"}), Loaded({}, {}, {})))
    assert states[entry_key("named")] is None
    with pytest.raises(KeyError):
        states[entry_key("another")]


async def test_changes_come_with_the_reply_and_with_each_repeat(bench: Bench) -> None:
    command = Command(COUNT, "c", {"by": 5})
    for request in ("first", "second"):
        await bench.send(command, **bench.reply_to, correlationid=request)
    await bench.count(-1, **bench.reply_to)
    await bench.processor().handle(await bench.batch())
    assert [payload(record) for record in await bench.installation.read("points.changes")] == [{"delta": 5}]
    assert [reply["changes"] for reply in await bench.replies()] == [[{"delta": 5}], [{"delta": 5}], []]
    assert [reply["replayed"] for reply in await bench.replies()] == [False, True, False]


async def test_a_redelivery_is_no_replay(bench: Bench) -> None:
    """Whoever waits has sent the command once, and may have lost the first reply."""
    await bench.count(5, **bench.reply_to)
    batch = await bench.batch()
    for _ in range(2):
        await bench.processor().handle(batch)
    assert [(reply["status"], reply["replayed"]) for reply in await bench.replies()] == [("accepted", False)] * 2


@pytest.mark.parametrize(
    "reply",
    [
        Reply(command_id="c", status=Status.REJECTED, code="negative", detail="only up: «−1»", pointer="/by"),
        Reply(
            command_id="c",
            status=Status.ACCEPTED,
            result={"sum": 5, "none": None},
            snapshots=(SnapshotPart(stream="s", version=1, type="t", value={"sum": 5, "parts": [1.5, True]}),),
            changes=({"delta": 5}, {"delta": -5}),
        ),
    ],
)
def test_a_reply_is_written_as_its_model_says(reply: Reply) -> None:
    assert encoded_reply(reply) == reply.model_dump_json(by_alias=True).encode()
    assert Reply.model_validate_json(encoded_reply(reply)) == reply


async def test_a_reply_leaves_out_what_would_make_it_too_large(bench: Bench) -> None:
    await bench.count(1, **bench.reply_to)
    (record,) = await bench.installation.read("points.commands")
    settings = bench.installation.settings.model_copy(update={"record_bytes_max": 1000})
    build, envelope = RecordBuilder(COUNTER, settings), Envelope.from_headers(record.headers)
    part = {"stream": "s", "version": 1, "type": "t", "value": {"much": ""}}
    for changes, much, kept in ((1, 1, (1, 1)), (200, 1, (0, 1)), (200, 1000, (0, 0)), (1, 1000, (0, 0))):
        snapshot = {**part, "value": {"much": "x" * much}}
        reply = Reply.model_validate(
            {"commandId": "c", "status": Status.ACCEPTED, "snapshots": [snapshot], "changes": [{"delta": 1}] * changes}
        )
        (answer,) = build.reply(record, envelope, reply)
        value = orjson.loads(answer.value)
        assert (len(value["changes"]), len(value["snapshots"])) == kept


async def test_what_was_deleted_is_a_version_without_content(bench: Bench) -> None:
    await bench.count(5, **bench.reply_to)
    await bench.count(DELETED - 5, **bench.reply_to)
    await bench.processor().handle(await bench.batch())
    deleted = {"version": 2, "deleted": True}
    (snapshot,) = await bench.installation.read("points.snapshots")
    assert (snapshot.key, header(snapshot, "ce_type")) == (b"counter/default/c", "points.counter.v1")
    assert payload(snapshot) == deleted
    assert [reply["snapshots"][0]["value"] for reply in await bench.replies()] == [deleted] * 2


async def test_too_late_is_dropped_and_never_is_definite(bench: Bench) -> None:
    reply_to = bench.installation.settings.topic("edge.replies")
    late = await bench.count(1, notafter="1000", replyto=reply_to, replypartition="0")
    booked = await bench.count(2)
    soon = now_ms() + 60_000
    for asked, not_after in ((late, 1000), (booked, 1000), (new_id(), soon)):
        query = Envelope(
            id=new_id(), type=GET_OUTCOME, source="/tests", subject=asked, causation_id=asked,
            reply_to=reply_to, reply_partition=0, not_after=not_after,
        )  # fmt: skip
        await bench.installation.send("points.commands", b"{}", [*query.headers()], "c")
    await bench.processor().handle(await bench.batch())
    statuses = [payload(record)["status"] for record in await bench.installation.read("edge.replies")]
    assert statuses == ["too_late", "never_accepted", "accepted", "pending"]
    assert await bench.installation.entry(late) is None
    assert await bench.sum() == 2


async def test_time_never_runs_backwards_in_a_stream(bench: Bench) -> None:
    first = await bench.count(1)
    await bench.processor().handle(await bench.batch())
    snapshots = bench.installation.collection("points", "snapshots")
    ahead = (await snapshots.find_one({"_id": "counter/default/c"}))["booked_at"].replace(year=2999)
    await snapshots.update_one({"_id": "counter/default/c"}, {"$set": {"booked_at": ahead}})
    second = await bench.count(1)
    await bench.processor().handle(await bench.batch())
    entries = [await bench.installation.entry(id_) for id_ in (first, second)]
    assert [entry["at"].year for entry in entries if entry] == [entries[0]["at"].year, 2999]  # type: ignore[index]


async def test_it_is_too_late_to_publish_after_the_lease(bench: Bench) -> None:
    await bench.count(1)
    batch = await bench.batch(publish_for_s=0.3)

    def slow(point: str) -> None:
        if point == "after_transaction":
            bench.wanted.set()
            batch.lease._publish_until_s = 0.0

    with pytest.raises(Relinquished):
        await bench.processor(slow).handle(batch)
    assert await bench.installation.read("points.events") == []
    assert await bench.sum() == 1, "it is booked, and its redelivery publishes it"


async def test_many_may_prepare_the_same_store_at_once(bench: Bench) -> None:
    settings = bench.installation.settings.model_copy(update={"prefix": f"{bench.installation.settings.prefix}again."})
    journals = [Journal(settings.mongodb, settings.database("points"), 10_000) for _ in range(8)]
    await asyncio.gather(*(journal.prepare() for journal in journals))
    assert "snapshots" in await journals[0].database.list_collection_names()
    await bench.installation.mongo.drop_database(settings.database("points"))
    for journal in journals:
        journal.close()


@pytest.mark.parametrize("before", [None, timedelta(days=6)])
async def test_how_long_dead_letters_are_kept_may_change(bench: Bench, before: timedelta | None) -> None:
    """A start with another age changes the index that an earlier one has made, also to none and back."""
    settings = bench.installation.settings.model_copy(update={"prefix": f"{bench.installation.settings.prefix}aging."})
    journal = Journal(settings.mongodb, settings.database("points"), 10_000)
    for kept in (before, timedelta(days=3), timedelta(days=3), None, None, timedelta(days=6)):
        await journal.prepare(kept)
        index = (await journal.dead_letters.index_information())["at_1"]
        asked = 2**31 - 1 if kept is None else int(kept.total_seconds())
        assert index.get("expireAfterSeconds", 2**31 - 1) == asked
    await bench.installation.mongo.drop_database(settings.database("points"))
    journal.close()


async def test_an_old_fence_stops_a_transaction_that_shares_nothing_else(bench: Bench) -> None:
    def refusal(id_: str) -> JournalEntry:
        return entry_of(_id=id_, status="rejected")

    fence = {"_id": "fence/points.commands/0", "version": 1}
    await bench.journal.append(Append(entries=[refusal("a")], fences=[(None, fence)]))
    read = (await bench.journal.load([], [fence["_id"]])).fences  # type: ignore[list-item]
    taken_over = Append(entries=[refusal("b")], fences=[(1, {**fence, "version": 2})])
    await bench.journal.append(taken_over)
    zombie = Append(entries=[refusal("c")], fences=[(read["fence/points.commands/0"], {**fence, "version": 2})])
    with pytest.raises(Conflict):
        await bench.journal.append(zombie)
    assert await bench.installation.entry("c") is None, "a refusal of a zombie is not journalled either"


async def test_a_newer_version_or_a_known_command_stops_a_transaction(bench: Bench) -> None:
    def stream(version: int) -> dict[str, object]:
        return {"_id": "counter/default/c", "version": version, "state": {"sum": version}}

    await bench.journal.append(
        Append(entries=[entry_of(_id="a")], streams=[(0, stream(1))], fences=[fence_at(None, 1)])
    )
    await bench.journal.append(Append(entries=[entry_of(_id="b")], streams=[(1, stream(2))], fences=[fence_at(1, 2)]))
    for append in (
        Append(entries=[entry_of(_id="c")], streams=[(1, stream(2))], fences=[fence_at(2, 3)]),
        Append(entries=[entry_of(_id="c")], streams=[(0, stream(1))], fences=[fence_at(2, 3)]),
        Append(entries=[entry_of(_id="a")], streams=[(2, stream(3))], fences=[fence_at(2, 3)]),
    ):
        with pytest.raises(Conflict):
            await bench.journal.append(append)
    assert await bench.sum() == 2
    assert await bench.installation.entry("c") is None


def fence_at(read: int | None, moved_to: int) -> tuple[int | None, dict[str, object]]:
    """One partition's fence, moved."""
    return read, {"_id": "fence/points.commands/0", "version": moved_to}

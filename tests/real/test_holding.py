"""A command that is held has its outcome from another one, which closes it and answers whoever waits (rules 4.2.2)."""

import pytest

from shared.ids import closing_id
from tests.harness import Command, header, payload
from tests.real.counter import CLEAR, COUNT, HELD
from tests.real.steps import Bench

pytestmark = pytest.mark.real

STATUSES = ["status", "commandId", "result", "code", "pointer"]


async def step(bench: Bench, times: int = 1) -> None:
    for _ in range(times):
        await bench.processor().handle(await bench.batch())


async def test_it_is_answered_when_it_is_closed_and_once(bench: Bench) -> None:
    await bench.count(5)
    sent = await bench.count(HELD, **bench.reply_to, correlationid="asked")
    await step(bench)
    assert await bench.replies() == [], "who holds does not answer"
    entry = await bench.installation.entry(sent)
    assert entry is not None
    assert (entry["status"], len(entry["writes"]), await bench.sum()) == ("held", 1, 5)
    await step(bench)
    (reply,) = await bench.replies()
    assert [reply[name] for name in STATUSES] == ["accepted", sent, {"sum": 5 + HELD}, None, None]
    (answered,) = await bench.installation.read("edge.replies")
    assert (header(answered, "ce_correlationid"), answered.partition) == ("asked", 1)
    # What was current when it was held, from the follow-up, and what is current now: views take the newer.
    assert [(part["version"], part["value"]["sum"]) for part in reply["snapshots"]] == [(3, 5 + HELD), (2, 5)]
    assert reply["changes"] == [{"delta": HELD}]
    assert await bench.sum() == 5 + HELD


async def test_a_refusal_is_told_to_whoever_waits_and_published(bench: Bench) -> None:
    sent = await bench.count(HELD, **bench.reply_to)
    await step(bench, 2)
    (reply,) = await bench.replies()
    assert [reply[name] for name in STATUSES] == ["rejected", sent, None, "not_counted", "/by"]
    (refused,) = [
        record
        for record in await bench.installation.read("points.events")
        if header(record, "ce_type") == "points.count_rejected.v1"
    ]
    assert payload(refused) == {
        "command": COUNT,
        "code": "not_counted",
        "detail": "nothing was counted before",
        "pointer": "/by",
        "sender": "/tests",
    }
    ids = [header(record, "ce_id") for record in await bench.installation.read("points.events")]
    assert len(set(ids)) == 3, "two events and the refusal, each with an id of its own"
    assert await bench.sum() == 0


async def test_a_redelivery_answers_with_the_same_bytes(bench: Bench) -> None:
    sent = await bench.count(HELD, **bench.reply_to)
    await step(bench)
    batch = await bench.batch()  # The held one again, and the one that closes it.
    for _ in range(2):
        await bench.processor().handle(batch)
    first, again = await bench.installation.read("edge.replies")
    assert (first.value, payload(first)["commandId"]) == (again.value, sent)
    assert payload(first)["replayed"] is False
    closes = [
        (record.value, record.headers)
        for record in await bench.installation.read("points.commands")
        if header(record, "ce_id") == closing_id(sent)
    ]
    assert len(closes) == 3
    assert all(close == closes[0] for close in closes)
    assert await bench.sum() == 0


async def test_once_it_is_closed_a_repeat_and_a_poll_are_told_the_outcome(bench: Bench) -> None:
    await bench.count(5)
    held = Command(COUNT, "c", {"by": HELD})
    await bench.send(held)
    await step(bench, 2)
    await bench.send(held, **bench.reply_to, correlationid="again")
    await bench.ask(held.id)
    await step(bench)
    replies = [[reply[name] for name in STATUSES[:3]] for reply in await bench.replies()]
    assert replies == [["accepted", held.id, {"sum": 5 + HELD}]] * 2
    assert [reply["replayed"] for reply in await bench.replies()] == [True, False], "a poll is no request"
    assert await bench.sum() == 5 + HELD


async def test_before_it_is_closed_a_repeat_and_a_poll_are_told_pending(bench: Bench) -> None:
    held = Command(COUNT, "c", {"by": HELD})
    await bench.send(held)
    await bench.send(held, **bench.reply_to)
    await bench.ask(held.id)
    await step(bench)
    replies = [[reply[name] for name in STATUSES[:2]] for reply in await bench.replies()]
    assert replies == [["pending", held.id], ["pending", held.id]]


async def test_what_is_personal_stays_in_the_journal_until_it_is_erased(bench: Bench) -> None:
    sent = [
        await bench.send(Command(COUNT, subject, {"by": 1, "note": f"secret of {subject}"})) for subject in ("c", "d")
    ]
    await step(bench)
    entries = [await bench.installation.entry(each) for each in sent]
    assert [entry and entry["events"][0]["data"]["personal"]["note"] for entry in entries] == [
        "secret of c",
        "secret of d",
    ]
    await bench.send(Command(CLEAR, "c", {"erase": True}))
    await step(bench)
    erased, kept = [await bench.installation.entry(each) for each in sent]
    assert erased is not None
    assert erased["events"][0]["data"] == {"type": "points.counted.v1", "by": 1, "dueAt": None}
    assert kept is not None
    assert kept["events"][0]["data"]["personal"] == {"note": "secret of d"}
    for topic in ("points.events", "points.changes", "points.snapshots"):
        assert not [record for record in await bench.installation.read(topic) if b"secret" in (record.value or b"")]


async def test_dead_letters_lose_what_was_sent_too(bench: Bench) -> None:
    for subject in ("c", "d"):
        await bench.send(Command(COUNT, subject, {"by": "secret"}))
    await bench.send(Command(CLEAR, "c", {"erase": True}))
    await step(bench)
    await bench.send(Command(CLEAR, "c", {"erase": True}))
    await step(bench)
    letters = await bench.installation.collection("points", "dead_letters").find({}).to_list()
    assert {letter["key"]: letter["value"] is None for letter in letters} == {None: True, b"d": False}

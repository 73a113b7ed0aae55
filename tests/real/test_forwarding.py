"""A command that belongs elsewhere goes on there, with its reply address, and is answered from there (rules 4.1.2)."""

import pytest

from shared.runtime.publish import forward_id
from tests.harness import Command, header, payload
from tests.real.counter import COUNT, DEFECT
from tests.real.steps import Bench

pytestmark = pytest.mark.real

STATUSES = ["status", "commandId", "result"]


async def forwards(bench: Bench) -> list[dict[str, str | None]]:
    """What was forwarded to the counter `c`, by the envelopes."""
    names = ("id", "source", "subject", "correlationid", "causationid", "replypartition", "notafter", "requesthash")
    return [
        {name: header(record, f"ce_{name}") for name in names}
        for record in await bench.installation.read("points.commands")
        if record.key == b"c"
    ]


async def test_it_goes_on_with_its_address_and_is_answered_once(bench: Bench) -> None:
    more = {**bench.reply_to, "correlationid": "asked", "notafter": "9" * 13, "requesthash": "ab" * 32}
    sent = await bench.count(5, "hop-0", **more)
    await bench.processor().handle(await bench.batch())
    assert await bench.replies() == [], "who forwards does not answer"
    assert await forwards(bench) == [
        {
            "id": forward_id(sent),
            "source": "/tests",
            "subject": "c",
            "correlationid": "asked",
            "causationid": sent,
            "replypartition": "1",
            "notafter": None,
            "requesthash": None,
        }
    ]
    await bench.processor().handle(await bench.batch())
    (reply, *_) = await bench.replies()
    assert [reply[name] for name in STATUSES] == ["accepted", forward_id(sent), {"sum": 5}]
    (answered, *_) = await bench.installation.read("edge.replies")
    assert header(answered, "ce_correlationid") == "asked"
    entry = await bench.installation.entry(sent)
    assert entry is not None
    assert (entry["status"], entry["to"]) == ("forwarded", "c")
    assert "writes" not in entry
    assert "events" not in entry
    assert (await bench.sum("hop-0"), await bench.sum()) == (0, 5)


async def test_a_redelivery_forwards_the_same_bytes_again(bench: Bench) -> None:
    sent = await bench.count(5, "hop-0", **bench.reply_to)
    batch = await bench.batch()
    for _ in range(2):
        await bench.processor().handle(batch)
    first, again = [record for record in await bench.installation.read("points.commands") if record.key == b"c"]
    assert (first.value, first.headers) == (again.value, again.headers)
    await bench.processor().handle(await bench.batch())
    assert await bench.sum() == 5
    assert {reply["commandId"] for reply in await bench.replies()} == {forward_id(sent)}


async def test_a_repeat_elsewhere_is_answered_where_its_caller_waits(bench: Bench) -> None:
    sent = Command(COUNT, "hop-0", {"by": 5})
    await bench.send(sent, **bench.reply_to, correlationid="first", requesthash="ab" * 32)
    await bench.processor().handle(await bench.batch())
    # The same request, in other words: the edge knows that by its hash.
    again = Command(COUNT, "hop-0", {"by": 5, "due_at": None}, sent.id)
    await bench.send(again, **{**bench.reply_to, "replypartition": "2"}, correlationid="second", requesthash="ab" * 32)
    await bench.send(sent, **bench.reply_to, correlationid="other", requesthash="cd" * 32)
    await bench.processor().handle(await bench.batch())
    await bench.processor().handle(await bench.batch())
    replies = {
        (header(record, "ce_correlationid"), record.partition, payload(record)["status"], payload(record)["replayed"])
        for record in await bench.installation.read("edge.replies")
    }
    assert replies == {
        ("first", 1, "accepted", False),
        ("second", 2, "accepted", True),
        ("other", 1, "idempotency_key_reused", False),
    }
    assert await bench.sum() == 5


async def test_polling_follows_the_forwards_to_the_outcome(bench: Bench) -> None:
    sent = await bench.count(5, "hop-1")
    await bench.processor().handle(await bench.batch())
    await bench.ask(sent)
    await bench.processor().handle(await bench.batch())  # On its way from `hop-0` to `c`,
    assert [reply["status"] for reply in await bench.replies()] == ["pending"]
    for _ in range(2):  # decided there, and asked again.
        await bench.processor().handle(await bench.batch())
    (*_, reply) = await bench.replies()
    assert [reply[name] for name in STATUSES] == ["accepted", forward_id(forward_id(sent)), {"sum": 5}]


@pytest.mark.parametrize(("hops", "status"), [(8, "accepted"), (9, "pending")])
async def test_polling_follows_eight_forwards_and_no_more(bench: Bench, hops: int, status: str) -> None:
    sent = await bench.count(5, f"hop-{hops - 1}")
    for _ in range(hops + 1):
        await bench.processor().handle(await bench.batch())
    assert await bench.sum() == 5
    await bench.ask(sent)
    await bench.processor().handle(await bench.batch())
    assert [reply["status"] for reply in await bench.replies()] == [status]


async def test_a_defect_where_it_goes_is_a_dead_letter_and_its_outcome(bench: Bench) -> None:
    sent = await bench.count(DEFECT, "hop-0")
    for _ in range(2):
        await bench.processor().handle(await bench.batch())
    await bench.ask(sent)
    await bench.processor().handle(await bench.batch())
    (reply,) = await bench.replies()
    assert [reply[name] for name in STATUSES] == ["dead_lettered", forward_id(sent), None]


async def test_a_command_that_is_forwarded_to_where_it_is_ends_in_dead_letters(bench: Bench) -> None:
    sent = await bench.count(5, "hop-self")
    await bench.processor().handle(await bench.batch())
    letters = await bench.installation.collection("points", "dead_letters").find().to_list()
    assert [(letter["command_id"], letter["reason"]) for letter in letters] == [(sent, "defect")]
    assert "forwarded to where it is" in letters[0]["trace"]

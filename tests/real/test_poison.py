"""Records that can never work: each ends in dead letters with its reason, and its neighbours are booked on time."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from schemas.envelope import Envelope
from shared.errors import Stopped
from shared.ids import account_id, new_id
from shared.runtime import burial
from shared.runtime.signing import signed
from tests.commands import Command
from tests.harness import Headers, Installation, eventually, header, payload
from tests.real.counter import COUNT
from tests.real.steps import Bench

pytestmark = pytest.mark.real

NUMBER = "P-1"
SUBJECT = account_id("default", NUMBER)
PROGRAMME = "LOY22-BuyVouchers"
REPLIES = "edge.replies"


def body(value: str, extra: str = "") -> bytes:
    """A transaction's JSON with `value` put in as it is."""
    return (
        f'{{"accountNumber": "{NUMBER}", "loyaltyPrograms": [{{"loyaltyPointDefinitionId": "{PROGRAMME}", '
        f'"loads": [{{"value": {value}}}]}}]{extra}}}'
    ).encode()


def envelope(**more: Any) -> Headers:
    """A good envelope, but for `more`."""
    good = Envelope(id=new_id(), type="points.post_transaction.v1", source="/tests", subject=SUBJECT)
    return [*good._replace(**more).headers()]


def reply_at(partition: int) -> dict[str, Any]:
    """An address of replies without the installation's prefix, put right when it is sent."""
    return {"reply_to": REPLIES, "reply_partition": partition}


def forged(source: str) -> Headers:
    """A service's name, signed by who does not know the secret."""
    claimed = Envelope.from_headers(envelope(source=source))
    return [*signed(b"not the secret", claimed, body("1")).headers()]


def without(name: str) -> Headers:
    return [(key, value) for key, value in envelope() if key != name]


def changed(name: str, value: bytes | None) -> Headers:
    return [(key, value if key == name else old) for key, old in envelope()]


POISON: dict[str, tuple[bytes | None, Callable[[], Headers], str]] = {
    "bad JSON": (b'{"accountNumber": ', envelope, "bad_payload"),
    "no JSON at all": (b"\xff\xfe\x00", envelope, "bad_payload"),
    "another type of value": (b'["a list"]', envelope, "bad_payload"),
    "a value in text": (body('"10"'), envelope, "bad_payload"),
    "an unknown field": (body("1", ', "colour": "red"'), envelope, "bad_payload"),
    "NaN": (body("NaN"), envelope, "bad_payload"),
    "infinity": (body("1e999"), envelope, "bad_payload"),
    "two to the 63rd": (body(str(2**63)), envelope, "bad_payload"),
    "deep nesting": (b"[" * 100_000, envelope, "bad_payload"),
    "an unknown type": (body("1"), lambda: envelope(type="points.make_rich.v1"), "unknown_type"),
    "no headers": (body("1"), list, "bad_envelope"),
    "no id": (body("1"), lambda: without("ce_id"), "bad_envelope"),
    "no subject": (body("1"), lambda: without("ce_subject"), "bad_envelope"),
    "another version of CloudEvents": (body("1"), lambda: changed("ce_specversion", b"0.3"), "bad_envelope"),
    "an id that is no UUID": (body("1"), lambda: envelope(id="order-1"), "bad_envelope"),
    "a null header": (body("1"), lambda: changed("ce_subject", None), "bad_envelope"),
    "a header that is not UTF-8": (body("1"), lambda: changed("ce_subject", b"\xff\xfe"), "bad_envelope"),
    "a reply address elsewhere": (body("1"), lambda: envelope(reply_to="points.events"), "bad_envelope"),
    "a reply partition that there is not": (body("1"), lambda: envelope(**reply_at(99)), "bad_envelope"),
    "a reply partition of 30 digits": (body("1"), lambda: envelope(**reply_at(10**30)), "bad_envelope"),
    "a service's name without its signature": (body("1"), lambda: envelope(source="/points"), "bad_envelope"),
    "a service's name with another signature": (body("1"), lambda: forged("/voucher"), "bad_envelope"),
    "a service's name, and nothing else that is right": (b"{", lambda: envelope(source="/customer"), "bad_envelope"),
    "a null value": (None, envelope, "no_value"),
    "a mebibyte": (body("1", ', "context": {"comment": "' + "x" * 2**20 + '"}'), envelope, "too_large"),
}


async def test_poison_ends_in_dead_letters_and_its_neighbours_are_booked(installation: Installation) -> None:
    neighbours: list[str] = []
    offsets: dict[int, str] = {}
    async with installation.points():
        started = asyncio.get_running_loop().time()
        for name, (value, headers, _) in POISON.items():
            neighbour = Command.transaction(NUMBER, PROGRAMME, load=1)
            neighbours.append(neighbour.id)
            await installation.command(neighbour)
            replies = installation.settings.topic(REPLIES).encode()
            sent: Headers = [(key, replies if old == REPLIES.encode() else old) for key, old in headers()]
            offsets[await installation.send("points.commands", value, sent, SUBJECT)] = name
        await installation.settled(neighbours, timeout_s=20)
        assert asyncio.get_running_loop().time() - started < 20
        await installation.drained()
    letters = {letter["offset"]: letter async for letter in installation.collection("points", "dead_letters").find()}
    assert {offsets[offset]: letter["reason"] for offset, letter in letters.items()} == {
        name: reason for name, (_, _, reason) in POISON.items()
    }
    for offset, letter in letters.items():
        assert letter["value"] == POISON[offsets[offset]][0], "the record is kept byte for byte"
    announced = await installation.read("points.dead-letters")
    assert {payload(record)["offset"] for record in announced} == set(offsets)
    assert all(record.value is not None and len(record.value) < 4096 for record in announced)
    entry = await installation.entry(neighbours[-1])
    assert entry is not None
    assert entry["result"]["balances"][0]["pointsBalance"] == len(POISON)


INPUT_POISON: dict[str, tuple[bytes | None, Headers | None, str]] = {
    "bad JSON": (b"{", None, "malformed_json"),
    "a key given twice": (b'{"context": {}, "Context": {}}', None, "duplicate_key"),
    "a list": (b"[]", None, "not_an_object"),
    "an unknown field": (b'{"colour": "red"}', None, "validation_failed"),
    "a wrong type": (b'{"loyaltyPrograms": "all"}', None, "validation_failed"),
    "a null value": (None, None, "no_value"),
    "no headers": (b"{}", [], "bad_envelope"),
    "a time that is none": (b"{}", [*envelope(id="t-1", time="yesterday")], "bad_envelope"),
}


async def test_poison_inputs_end_in_dead_letters_and_their_neighbours_are_booked(installation: Installation) -> None:
    def headers(type_: str = "loyalty.transaction.v1") -> Headers:
        return [*Envelope(id=new_id(), type=type_, source="/oms", subject="I-1").headers()]

    good = b'{"LoyaltyPrograms": [{"LoyaltyPointDefinitionld": "LOY22-BuyVouchers", "Loads": [{"Value": 1}]}]}'
    reasons = {}
    async with installation.points():
        for value, given, reason in INPUT_POISON.values():
            await installation.send("oms.fulfilments", good, headers(), "I-1")
            offset = await installation.send("oms.fulfilments", value, headers() if given is None else given, "I-1")
            reasons[offset] = reason
        offset = await installation.send("oms.fulfilments", b"{}", headers("order.guessed.v1"), "I-1")
        reasons[offset] = "unknown_type"
        journal = installation.collection("points", "journal")
        account = account_id("default", "I-1")
        await eventually(lambda: journal.count_documents({"subject": account}), len(INPUT_POISON), 30)
        letters = installation.collection("points", "dead_letters")
        await eventually(lambda: letters.count_documents({}), len(reasons), 30)
    found = {letter["offset"]: letter["reason"] async for letter in letters.find()}
    assert found == reasons


async def test_whoever_waits_for_a_poisoned_command_is_told(installation: Installation) -> None:
    waiting = envelope(reply_to=installation.settings.topic("edge.replies"), reply_partition=1)
    async with installation.points():
        await installation.send("points.commands", b"{", waiting, SUBJECT)
        await eventually(lambda: count_of(installation, "edge.replies"), 1)
    (reply,) = await installation.read("edge.replies")
    assert reply.partition == 1
    assert header(reply, "ce_type") == "fealty.reply.v1"
    assert (payload(reply)["status"], payload(reply)["code"]) == ("dead_lettered", "bad_payload")


async def count_of(installation: Installation, topic: str) -> int:
    """How many records there are in a topic."""
    return len(await installation.read(topic))


async def test_an_id_that_comes_again_with_another_body_is_a_dead_letter_and_a_refusal_names_its_input(
    installation: Installation,
) -> None:
    number, source = "R-1", "/oms"

    async def send(id_: str, points: str) -> None:
        headers = Envelope(id=id_, type="loyalty.transaction.v1", source=source, subject=number).headers()
        await installation.send("oms.fulfilments", transaction(points), [*headers], number)

    letters = installation.collection("points", "dead_letters")
    async with installation.points():
        await send("f-1", "10")
        await send("f-1", "10")
        await send("f-1", "11")
        await eventually(lambda: letters.count_documents({"reason": "id_reused"}), 1)
        await installation.send("oms.fulfilments", redemption(), [*envelope(**input_of("f-3", number))], number)
        await eventually(lambda: refusals(installation), 1)
    letter = await letters.find_one({"reason": "id_reused"})
    assert letter["detail"].startswith("ce_id f-1 of ce_source /oms was used before with another body")
    assert dict(letter["headers"])["ce_inputid"] == b"f-1"
    (refused,) = [each for each in await installation.read("points.events") if is_refusal(each)]
    told = payload(refused)
    assert told["input"] == {"topic": "oms.fulfilments", "source": source, "id": "f-3"}
    assert told["accountNumber"] == number
    assert header(refused, "ce_correlationid") == "f-3", "the input named no other"


def transaction(points: str) -> bytes:
    """The body of a load as an input has it."""
    part = f'{{"loyaltyPointDefinitionId": "{PROGRAMME}", "loads": [{{"value": {points}}}]}}'
    return f'{{"loyaltyPrograms": [{part}]}}'.encode()


def redemption() -> bytes:
    """A redemption of more than there is."""
    return transaction("1000000").replace(b"loads", b"redemptions")


def input_of(id_: str, number: str) -> dict[str, str]:
    """What the envelope of an input says otherwise."""
    return {"id": id_, "type": "loyalty.transaction.v1", "source": "/oms", "subject": number}


def is_refusal(record: Any) -> bool:
    """Whether an event is a refusal."""
    return (header(record, "ce_type") or "").endswith("_rejected.v1")


async def refusals(installation: Installation) -> int:
    """How many there are."""
    return sum(map(is_refusal, await installation.read("points.events")))


async def test_a_burial_that_fails_itself_ends_without_a_reply(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await bench.count(1, **bench.reply_to)
    failed = await bench.count(2, **bench.reply_to)
    await bench.count(3)
    processor = bench.processor()
    reply = processor._build.reply

    def failing(record: Any, envelope: Envelope, *answer: Any) -> Any:
        if envelope.id == failed:
            raise ValueError("nobody can be told")
        return reply(record, envelope, *answer)

    monkeypatch.setattr(processor._build, "reply", failing)
    await processor.handle(await bench.batch())
    (letter,) = [each async for each in bench.installation.collection("points", "dead_letters").find()]
    assert (letter["command_id"], letter["reason"], letter["detail"]) == (failed, "defect", "ValueError")
    assert [each["status"] for each in await bench.replies()] == ["accepted"]
    assert await bench.sum() == 4, "its neighbours are booked, and nothing of it"


async def test_what_cannot_even_be_buried_stops_its_partition(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await bench.count(1)
    await bench.installation.send("points.commands", b"{", envelope(type=COUNT, subject="c"), "c")

    def failing(*_: Any) -> Any:
        raise ValueError("no letter either")

    monkeypatch.setattr(burial, "announcement", failing)
    with pytest.raises(Stopped, match="no letter either"):
        await bench.processor().handle(await bench.batch())
    assert await bench.sum() == 1, "what stands before it is booked"

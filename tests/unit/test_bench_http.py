"""The benchmark's HTTP rows, their parts without servers: what is timed, what is sent, what the bare side answers."""

import asyncio
from collections import Counter
from io import StringIO
from itertools import pairwise
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import cast

import orjson
import pytest
from rich.console import Console

from bench import http_giftcards
from bench.arena import Arena
from bench.asking import Caller
from bench.checks import Changes
from bench.http_customers import unfit
from bench.http_giftcards import CARDS, LOADED_CENTS, Counters, cards_of, check
from bench.movements import Message, declarations, record
from bench.pacing import moments, offered, side_by_side
from bench.pattern import Pattern, work_of
from bench.report import Report
from bench.templates import KINDS, REPLIES, TOPICS, load, save
from bench.tills import ACCOUNTS, Tills, places, serial_of
from bench.trial import Trial
from schemas.envelope import Envelope
from shared.decider import Document
from shared.ids import new_id
from shared.runtime.kafka import Record
from tests.unit.test_bench import PARTITIONS, SETTINGS, record_of, size, template_of, worked

SERVED_MS = 20.0


async def test_latency_counts_from_when_a_request_was_due_and_nobody_waits_for_another() -> None:
    all_are_asked = asyncio.Barrier(5)
    one_at_a_time = asyncio.Lock()

    async def ask(_: int) -> None:
        await asyncio.wait_for(all_are_asked.wait(), 30)
        async with one_at_a_time:
            await asyncio.sleep(SERVED_MS / 1e3)

    found = await offered(ask, 0, [0.0, 0.001, 0.002, 0.003, 0.004])
    for number, latency_ms in enumerate(sorted(found)):
        assert latency_ms > (number + 1) * SERVED_MS - 10  # What it waited for the others, and its own time.


async def test_a_loop_that_comes_late_is_counted_too() -> None:
    async def ask(number: int) -> None:
        if number == 7:
            time_s = perf_counter()
            while perf_counter() - time_s < 0.05:
                pass  # Nothing else runs, and the next is due meanwhile.

    found = await offered(ask, 7, [0.0, 0.01])
    assert found[1] > 35


def test_moments_are_the_same_for_a_seed_and_as_many_a_second_as_wanted() -> None:
    found = [*moments(100, 5_000, seed=3)]
    assert found == [*moments(100, 5_000, seed=3)]
    assert found != [*moments(100, 5_000, seed=4)]
    gaps = [later - earlier for earlier, later in pairwise(found)]
    assert mean(gaps) == pytest.approx(0.01, rel=0.05)
    assert sum(gap < 0.005 for gap in gaps) / len(gaps) == pytest.approx(0.39, abs=0.03)  # 1 - e^-0.5


def command(number: int, more: Document) -> Message:
    """A transaction as the edge sends it."""
    place = places(PARTITIONS)[0]
    envelope = Envelope(
        id=new_id(),
        type="points.post_transaction.v1",
        source="/edge",
        subject=place.account,
        store="default",
        correlation_id=new_id(),
        reply_to=SETTINGS.topic(REPLIES),
        reply_partition=5,
        not_after=1_795_000_060_000,
        request_hash="0" * 64,
    )
    part = {"loyaltyPointDefinitionId": "LOY22-BuyVouchers", "loads": [{"value": 1_000 + number}], **more}
    return record(envelope, {"accountNumber": place.number, "loyaltyPrograms": [part]}, PARTITIONS)


async def test_the_bare_side_answers_as_many_records_of_the_same_size_the_reply_among_them(tmp_path: Path) -> None:
    redeems = {"redemptions": [{"value": 100}]}
    commands = [*declarations(PARTITIONS), *(command(number, redeems) for number in range(5))]
    asked = [record_of(message, offset) for offset, message in enumerate(commands)]
    real = await worked(asked)
    entry = real.written.entries[-1]
    assert [event["data"]["type"] for event in entry["events"]] == ["points.loaded.v1", "points.redeemed.v1"]
    by_topic: dict[str, list[Record]] = {topic: [] for topic in (*TOPICS, REPLIES)}
    for each in real.published:
        by_topic[each.topic.removeprefix(SETTINGS.prefix)].append(each)
    work = work_of(asked[-1])
    assert work is not None
    templates: Document = {
        "entries": dict.fromkeys(KINDS, entry),
        "account": real.snapshots()[work.stream],
        "records": {topic: template_of(found) for topic, found in by_topic.items()},
    }
    save(templates, tmp_path / "round_trip.bson")
    pattern = Pattern(load(tmp_path / "round_trip.bson"), SETTINGS)
    made = pattern.entry(work, 5)
    published = pattern.published(work, made)
    wanted = real.caused_by(cast(Document, entry))
    assert [each.topic for each in wanted].count(SETTINGS.topic(REPLIES)) == 1
    assert Counter((each.topic, each.partition) for each in wanted) == Counter(each[:2] for each in published)
    reply = next(each for each in wanted if each.topic == SETTINGS.topic(REPLIES))
    answered = published[-1]
    assert size(answered) == pytest.approx(size(reply), abs=4)
    assert answered[1] == 5
    headers = dict(answered[4])
    assert headers["ce_correlationid"] == dict(asked[-1].headers)["ce_correlationid"]
    assert orjson.loads(answered[3])["commandId"] == work.id


class Edge:
    """Stands for an edge: keeps what is posted, by its key, and says a status."""

    def __init__(self) -> None:
        self.statuses = [200]
        self.connections = self.asked = 0
        self.posted: dict[str, tuple[str, Document]] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        while head := await reader.readline():
            fields = dict(
                line.split(": ", 1) for line in (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
            )
            body = orjson.loads(await reader.readexactly(int(fields["Content-Length"])))
            assert fields["Authorization"] == "Bearer a.b.c"
            self.asked += 1
            self.posted[fields["Idempotency-Key"]] = (head.decode().split()[1], body)
            await asyncio.sleep(0.001)
            status = self.statuses.pop() if len(self.statuses) > 1 else self.statuses[0]
            writer.write(f"HTTP/1.1 {status} Said\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        writer.close()


async def test_tills_know_what_must_stand_there_in_the_end() -> None:
    edge = Edge()
    server = await asyncio.start_server(edge.serve, "127.0.0.1", 0)
    async with server:
        tills = Tills(server.sockets[0].getsockname()[1], "a.b.c", True, places(PARTITIONS))
        await side_by_side(tills.open_accounts, 2 * ACCOUNTS, 4)
        await side_by_side(tills.ask, 300, 4)
        tills.hang_up()
    assert edge.connections == 4
    assert len(edge.posted) == 2 * ACCOUNTS + 300
    stands: Counter[str] = Counter()
    for path, body in edge.posted.values():
        (part,) = body["loyaltyPrograms"]
        number = path.split("/")[-2]
        stands[number] += part["loads"][0]["value"] - part["redemptions"][0]["value"]
        stands[number] -= 500 * len(part.get("purchases", ()))
    assert stands == tills.wanted
    assert (tills.sent, tills.open, tills.wrong) == (300, [], [])
    path, body = edge.posted["bench-217"]
    assert places(PARTITIONS)[17].number in path
    assert body["loyaltyPrograms"][0]["voucherRedemptions"] == [{"serialId": serial_of(217)}]


async def test_a_refusal_is_told_and_what_has_no_outcome_yet_is_asked_for_again_under_its_key() -> None:
    edge = Edge()
    edge.statuses = [200, 503, 202, 504, 202, 409]
    server = await asyncio.start_server(edge.serve, "127.0.0.1", 0)
    async with server:
        tills = Tills(server.sockets[0].getsockname()[1], "a.b.c", False, places(PARTITIONS))
        await side_by_side(tills.ask, 4, 1)
        assert tills.wrong == ["409 {}"]
        assert [key for key, _, _ in tills.open] == ["bench-1", "bench-2", "bench-3"]
        posted = dict(edge.posted)
        await tills.finish()
    assert (tills.open, tills.wrong, tills.sent) == ([], ["409 {}"], 4)
    assert edge.posted == posted
    assert edge.asked == 4 + 3 + 1


async def test_counters_know_what_must_be_left_on_each_card_and_what_is_not_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    edge = Edge()
    server = await asyncio.start_server(edge.serve, "127.0.0.1", 0)
    async with server:
        counters = Counters(server.sockets[0].getsockname()[1], "a.b.c", cards_of())
        await side_by_side(counters.warm_up, CARDS, 4)
        await side_by_side(counters.ask, 3 * CARDS, 4)
        counters.hang_up()
    assert (counters.sent, len(edge.posted), counters.open, counters.wrong) == (4 * CARDS, 4 * CARDS, [], [])
    redeemed: Counter[str] = Counter()
    for path, body in edge.posted.values():
        assert path == "/api/v1.0/Switch/giftcard/Redeem"
        redeemed[body["cardId"]] += round(body["amount"] * 100)
    assert {card: -cents for card, cents in counters.left.items()} == redeemed
    counters.left.update(dict.fromkeys(counters.cards, LOADED_CENTS))

    class Looking:
        """Answers a cent too little of the first card."""

        async def post(self, path: str, body: bytes, key: str) -> tuple[int, bytes]:
            card = orjson.loads(body)["cardId"]
            return 200, orjson.dumps({"balance": (counters.left[card] - (card == counters.cards[0])) / 100})

    class Quiet:
        """An arena with nothing in it."""

        def database_of(self, _service: str) -> "Quiet":
            return self

        def __getitem__(self, _name: str) -> "Quiet":
            return self

        async def count_documents(self, _query: Document) -> int:
            return 0

    async def no_changes(_arena: Quiet, topic: str) -> Changes:
        return Changes(read=CARDS + counters.sent - 1)

    async def verified(_arena: Quiet, _service: str) -> None:
        return None

    monkeypatch.setattr(http_giftcards, "read_changes", no_changes)
    monkeypatch.setattr(http_giftcards, "verify", verified)
    wrong = await check(cast(Arena, Quiet()), counters, cast(Caller, Looking()))
    assert [each.partition(" ")[0] for each in wrong] == [counters.cards[0], str(CARDS + counters.sent - 1)]


def test_a_side_that_reads_twice_or_shows_nobody_is_told() -> None:
    paths = [f"/Customer/{number}" for number in range(100)]
    assert [*unfit(Counter(customers=100, programmes=3, oauth_clients=1), b'{"id": "0"}', paths)] == []
    (twice,) = unfit(Counter(customers=200), b'{"id": "0"}', paths)
    assert twice == "100 requests took these reads: {'customers': 200}"
    assert [*unfit(Counter(customers=100, programmes=100), b'{"id": "0"}', paths)]
    assert [*unfit(Counter(customers=100), b"null", paths)] == ["this is not the customer: null"]


def test_a_trial_shows_what_a_quiet_machine_should() -> None:
    shown = [
        Trial("HTTP transaction", "p50", "ms", 1.5, at_most=True, reference=15, real=[14.0], other=[10.0]),
        Trial("HTTP transaction", "p99", "ms", None, at_most=True, real=[20.0], other=[10.0]),
        Trial(
            "HTTP get customer", "HTTP get customer", "requests a second", 0.6, reference=800, real=[5.0], other=[10.0]
        ),
    ]
    written = StringIO()
    Report({}, {}, trials=shown).show(Console(width=120, file=written))
    lines = written.getvalue().splitlines()
    (p50,), (p99,), (rate,) = ([line.split() for line in lines if name in line] for name in ("p50", "p99", "HTTP get"))
    assert p50[-6:] == ["≤", "1.5", "×", "reached", "≤", "15"]
    assert p99[-3:] == ["2.00", "×", "–"]
    assert rate[-4:] == ["60%", "missed", "≥", "800"]

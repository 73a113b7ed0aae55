"""The benchmark's further rows, their pure parts: copies are what a worker would have written, and ratios are right."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import bson
import orjson
import pytest

from bench.asking import callers, latencies_ms, p50_p99
from bench.copies import dated, entry_at, place_of
from bench.movements import Load, declarations, messages
from bench.rebuilding import copied_entries, copied_snapshots, differences
from bench.report import Report
from bench.statements import movement_at
from bench.trial import Trial
from cli.rebuild import Fold
from services.edge.views import changes
from services.points.main import SERVICE
from shared.decider import Document
from shared.writes import split
from tests.entries import entry_of
from tests.unit.test_bench import PARTITIONS, record_of, worked


@pytest.fixture(scope="module")
async def written() -> tuple[list[Document], list[Document]]:
    """The entries and the snapshots of accounts that a real worker wrote, as the database gives them back."""
    commands = [*declarations(PARTITIONS), *messages(Load(300, 20), PARTITIONS)]
    real = await worked([record_of(message, offset) for offset, message in enumerate(commands)])
    posted = [each for each in real.written.entries if each["type"] == "points.post_transaction.v1"]
    entries = [cast(Document, each) for each in posted]
    return entries, [each for name, each in real.snapshots().items() if name.startswith("account/")]


def folded(entries: list[Document]) -> dict[str, Document]:
    """What entries fold to, by stream."""
    folds: dict[str, Fold] = {}
    for entry in entries:
        for write in entry["writes"]:
            stream, version = split(write)
            folds.setdefault(stream, Fold(stream, SERVICE.decider)).add(version, entry_of(**entry))
    return {stream: fold.snapshot() for stream, fold in folds.items()}


async def test_copied_entries_fold_to_the_copied_snapshots(written: tuple[list[Document], list[Document]]) -> None:
    entries, snapshots = written
    copies = [*copied_entries(entries, 3, PARTITIONS)]
    wanted = {each["_id"]: each for each in copied_snapshots(snapshots, 3, PARTITIONS)}
    assert len(wanted) == 3 * len(snapshots) == 60
    found = folded(copies)
    assert found == wanted
    assert {name: bson.encode(each) for name, each in found.items()} == {
        name: bson.encode(each) for name, each in wanted.items()
    }


async def test_copies_are_as_large_as_the_real_ones_and_no_id_is_there_twice(
    written: tuple[list[Document], list[Document]],
) -> None:
    entries, _ = written
    copies = [*copied_entries(entries, 2, PARTITIONS)]
    ids = Counter(entry["_id"] for entry in [*entries, *copies])
    writes = Counter(write for entry in [*entries, *copies] for write in entry["writes"])
    assert len(ids) == len(writes) == 3 * len(entries)
    for number, entry in enumerate(entries):
        for copy in copies[2 * number : 2 * number + 2]:
            assert list(copy) == list(entry)
            assert len(bson.encode(copy)) == len(bson.encode(entry))
            assert {event["data"]["account"] for event in copy["events"]} == {copy["subject"]}
            assert entry["subject"] not in str(copy)
            assert entry["_id"] not in str(copy)


async def test_an_opened_account_can_be_due(written: tuple[list[Document], list[Document]]) -> None:
    opening = next(entry for entry in written[0] if len(entry["events"]) == 2)
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    place = place_of("6302001000000000001", PARTITIONS)
    entry = entry_at(dated(opening, now - timedelta(days=1), now - timedelta(hours=1)), place, "an-id")
    (snapshot,) = folded([entry]).values()
    assert snapshot["_id"] == place.stream
    assert snapshot["partition"] == place.partition
    assert snapshot["booked_at"] == now - timedelta(days=1)
    assert snapshot["state"]["due_at"] == now - timedelta(hours=1)
    assert SERVICE.wake is not None
    wake = SERVICE.wake(snapshot["_id"], snapshot["state"])
    assert wake is not None
    assert (wake.type, wake.subject) == ("points.book_due.v1", place.account)


async def test_movements_of_statements_are_ones_that_the_edge_takes(
    written: tuple[list[Document], list[Document]],
) -> None:
    event = written[0][0]["events"][-1]["data"]
    source = {"order": None, "receipt": None, "shop": None, "till": None, "operator": None, **event["source"]}
    change: dict[str, Any] = {**event, "source": source, "reason": None}
    found = [movement_at(change, "6303000000000000001", sequence) for sequence in range(1, 101)]
    assert all(changes.of_value(movement) is not None for movement in found)
    assert Counter(movement["kind"] for movement in found) == {"load": 50, "redeem": 50}
    assert Counter(movement["programme"] for movement in found if movement["kind"] == "redeem") == {
        "LOY22-BuyVouchers": 25,
        "CASHBACK": 25,
    }
    assert sorted(movement["bookedAt"] for movement in found) == [movement["bookedAt"] for movement in found]


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    floor = Trial("rebuild", "rebuild", "events a second", 0.5, real=[40.0, 90.0, 60.0], other=[100.0, 100.0, 100.0])
    assert floor.ratio == pytest.approx(0.6)
    assert floor.reached is True
    ceiling = Trial("statement", "a page", "ms", 1.5, at_most=True, real=[3.2], other=[2.0])
    assert ceiling.ratio == pytest.approx(1.6)
    assert ceiling.reached is False
    shown = Trial("sweep", "sweep", "commands a second", None, real=[1.0], other=[2.0])
    assert (shown.ratio, shown.reached) == (0.5, None)
    assert Trial("rebuild", "rebuild", "events a second", 0.5).ratio is None


def test_what_a_row_found_wrong_fails_the_benchmark_and_a_missed_target_does_not() -> None:
    missed = Trial("statement", "a page", "ms", 1.5, at_most=True, real=[9.0], other=[1.0])
    report = Report({}, {}, trials=[missed])
    assert report.wrong == []
    missed.wrong.append("not the same work")
    assert report.wrong == ["statement: not the same work"]
    document = orjson.loads(orjson.dumps(report.document()))
    assert document["checks_failed"] == ["statement: not the same work"]
    assert document["trials"][0]["reached"] is False


def test_snapshots_that_are_not_as_they_were_are_told() -> None:
    before = {"a": b"1", "b": b"2", "c": b"3"}
    assert differences(before, dict(before), "round 1", "") == []
    (told,) = differences(before, {"a": b"1", "b": b"x", "d": b"4"}, "round 1", "rebuilt: 3 streams\n")
    assert told == "round 1: 2 snapshots are not as they were, 1 are new; rebuilt: 3 streams"


def test_percentiles() -> None:
    assert p50_p99([float(number) for number in range(1, 102)]) == (51.0, 100.0)


async def test_a_caller_keeps_its_connection_and_tells_what_is_not_200() -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while line := await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            status = 200 if b"/good" in line else 404
            writer.write(f"HTTP/1.1 {status} Said\r\nContent-Length: 4\r\n\r\nbody".encode())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, callers(server.sockets[0].getsockname()[1], 2, "a.b.c") as team:
        assert await team[0].get("/good") == (200, b"body")
        assert len(await latencies_ms(team, ["/good"] * 11)) == 11
        with pytest.raises(ValueError, match="/bad: 404 body"):
            await latencies_ms(team[:1], ["/bad"])
        assert connections == 2

"""Concurrent upserts into the views share one bulk write, and each caller gets the outcome of its own."""

import asyncio
from collections.abc import Sequence

import pytest
from bson.raw_bson import RawBSONDocument

from services.edge.views.applying import Applier, Portions
from services.edge.views.upserts import Upsert
from shared.errors import TooSlow, Unavailable

_EMPTY = RawBSONDocument(b"\x05\x00\x00\x00\x00")


def upsert(id_: str, version: int = 1) -> Upsert:
    """An upsert whose content does not matter."""
    return Upsert("accounts", id_, version, _EMPTY)


class Writer:
    """Writes slowly, and fails a given number of times."""

    def __init__(self, failures: int = 0) -> None:
        self.written: list[list[tuple[str, int]]] = []
        self.failures = failures

    async def __call__(self, upserts: list[Upsert]) -> None:
        """One bulk."""
        self.written.append([(item.id, item.version) for item in upserts])
        await asyncio.sleep(0.01)
        if self.failures:
            self.failures -= 1
            raise Unavailable("away")


async def test_concurrent_upserts_are_written_in_one_bulk() -> None:
    writer = Writer()
    applier = Applier(writer)
    await asyncio.gather(applier([upsert("a")]), applier([upsert("b")]), applier([upsert("a", 2)]))
    assert writer.written == [[("a", 1), ("b", 1), ("a", 2)]]


async def test_upserts_during_a_write_go_into_the_next_bulk() -> None:
    writer = Writer()
    applier = Applier(writer)
    first = asyncio.create_task(applier([upsert("a")]))
    await asyncio.sleep(0.005)
    await asyncio.gather(first, applier([upsert("b")]), applier([upsert("c")]))
    await applier([upsert("d")])
    assert writer.written == [[("a", 1)], [("b", 1), ("c", 1)], [("d", 1)]]


async def test_a_failed_bulk_fails_its_own_callers_only() -> None:
    applier = Applier(Writer(failures=1))
    first = asyncio.create_task(applier([upsert("a")]))
    await asyncio.sleep(0.005)
    second = asyncio.create_task(applier([upsert("b")]))
    with pytest.raises(Unavailable):
        await first
    await second


async def test_a_cancelled_caller_does_not_block_the_bulk() -> None:
    writer = Writer()
    applier = Applier(writer)
    left = asyncio.create_task(applier([upsert("a")]))
    other = asyncio.create_task(applier([upsert("b")]))
    await asyncio.sleep(0.005)
    left.cancel()
    await other
    assert writer.written == [[("a", 1), ("b", 1)]]


class Slow:
    """Fails with `TooSlow` if a portion costs more than the limit."""

    def __init__(self, costs: list[int], time: int) -> None:
        self.costs, self.time = costs, time
        self.written: set[int] = set()

    async def __call__(self, items: Sequence[int]) -> None:
        """One portion."""
        if sum(self.costs[item] for item in items) > self.time:
            raise TooSlow("slow")
        self.written.update(items)


async def test_a_feed_makes_progress_with_slow_records() -> None:
    portions, costs = Portions(), [1] * 40 + [90] * 10 + [1] * 40
    slow, rounds = Slow(costs, 100), 0
    while True:  # As a feed retries its batch.
        rounds += 1
        try:
            await portions.write(range(len(costs)), slow)
            break
        except TooSlow:
            assert rounds < 20
    assert slow.written == {*range(len(costs))}
    smallest = portions.size
    for _ in range(12):
        await portions.write([0], slow)
    assert portions.size > smallest, "once it goes, portions are large again"

"""What comes with replies is written together, and whoever waits learns how it went."""

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
    """Writes slowly, and fails as often as told."""

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


async def test_what_comes_together_is_one_bulk() -> None:
    writer = Writer()
    applier = Applier(writer)
    await asyncio.gather(applier([upsert("a")]), applier([upsert("b")]), applier([upsert("a", 2)]))
    assert writer.written == [[("a", 1), ("b", 1), ("a", 2)]]


async def test_what_comes_meanwhile_goes_with_the_next() -> None:
    writer = Writer()
    applier = Applier(writer)
    first = asyncio.create_task(applier([upsert("a")]))
    await asyncio.sleep(0.005)
    await asyncio.gather(first, applier([upsert("b")]), applier([upsert("c")]))
    await applier([upsert("d")])
    assert writer.written == [[("a", 1)], [("b", 1), ("c", 1)], [("d", 1)]]


async def test_a_failure_is_told_to_its_own_and_not_to_the_next() -> None:
    applier = Applier(Writer(failures=1))
    first = asyncio.create_task(applier([upsert("a")]))
    await asyncio.sleep(0.005)
    second = asyncio.create_task(applier([upsert("b")]))
    with pytest.raises(Unavailable):
        await first
    await second


async def test_who_left_hinders_nobody() -> None:
    writer = Writer()
    applier = Applier(writer)
    left = asyncio.create_task(applier([upsert("a")]))
    other = asyncio.create_task(applier([upsert("b")]))
    await asyncio.sleep(0.005)
    left.cancel()
    await other
    assert writer.written == [[("a", 1), ("b", 1)]]


class Slow:
    """Fails when a portion costs more than there is time for."""

    def __init__(self, costs: list[int], time: int) -> None:
        self.costs, self.time = costs, time
        self.written: set[int] = set()

    async def __call__(self, items: Sequence[int]) -> None:
        """One portion."""
        if sum(self.costs[item] for item in items) > self.time:
            raise TooSlow("slow")
        self.written.update(items)


async def test_a_feed_comes_on_whatever_its_records_cost() -> None:
    portions, costs = Portions(), [1] * 40 + [90] * 10 + [1] * 40
    slow, rounds = Slow(costs, 100), 0
    while True:  # As the batch is fed again and again.
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

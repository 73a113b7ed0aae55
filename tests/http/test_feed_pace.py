"""How soon a feed takes its next batch: at once, or a moment after a small one, with what came meanwhile."""

import asyncio
from collections import deque
from typing import Any, cast

import pytest

from services.edge.views import feeds
from services.edge.views.feeds import Feed
from services.edge.views.views import Views
from shared.runtime.app import make_broker
from shared.runtime.consumer import Batch
from shared.runtime.health import Health
from shared.runtime.kafka import TopicPartition
from shared.runtime.polling import Polled
from shared.settings import Settings


class Clock:
    """Time that passes while somebody sleeps or polls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 100.0
        monkeypatch.setattr(feeds, "monotonic_s", lambda: self.now_s)
        monkeypatch.setattr(asyncio, "sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class Reader:
    """Has a batch of so many records each time, which came after so many seconds; notes when it was asked."""

    def __init__(self, clock: Clock, *batches: tuple[int, float]) -> None:
        self.clock, self.batches = clock, deque(batches)
        self.asked_s: list[float] = []

    async def poll(self) -> Polled:
        self.asked_s.append(round(self.clock.now_s - 100, 3))
        count, waited_s = self.batches.popleft()
        self.clock.now_s += waited_s
        return Polled({TopicPartition("t", 0): cast(Any, [None] * count)} if count else {})


@pytest.mark.parametrize(
    ("batches", "asked_s"),
    [
        pytest.param([(1, 0), (1, 0), (1, 0)], [0, 0.2, 0.4], id="small ones, one after the other"),
        pytest.param([(1, 0.5), (1, 0.5)], [0, 0.5], id="lone records"),
        pytest.param([(0, 0.5), (0, 0.5)], [0, 0.5], id="nothing"),
        pytest.param([(500, 0), (500, 0)], [0, 0], id="large ones"),
        pytest.param([(1, 0.15), (1, 0)], [0, 0.2], id="one soon after it was asked for"),
    ],
)
async def test_small_batches_are_taken_apart(
    monkeypatch: pytest.MonkeyPatch, batches: list[tuple[int, float]], asked_s: list[float]
) -> None:
    settings, clock = Settings.model_construct(), Clock(monkeypatch)
    health = Health(60)

    async def handle(_: Batch) -> None:
        raise AssertionError("what was polled is applied by a stub")

    feed = Feed(make_broker(settings), "points.changes", settings, health, Views(settings, health), handle)
    reader = Reader(clock, *batches)
    applied: list[int] = []

    async def apply(records: Any) -> None:
        applied.append(len(records))

    monkeypatch.setattr(feed, "_reader", reader)
    monkeypatch.setattr(feed, "_apply", apply)
    for _ in batches:
        await feed._turn()
    assert reader.asked_s == asked_s
    assert applied == [count for count, _ in batches if count]

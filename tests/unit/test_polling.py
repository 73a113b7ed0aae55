"""What a consumer's exception costs: nothing that it had handed out, and no partition but the broken one."""

from collections.abc import Mapping
from typing import Any

import pytest

from shared.errors import Unavailable
from shared.runtime import polling
from shared.runtime.heads import Head, Unreadable
from shared.runtime.kafka import ConsumerRecord, TopicPartition
from shared.runtime.polling import UNSERVED_MAX, Poller
from shared.settings import Settings

A, B = TopicPartition("t", 0), TopicPartition("t", 1)


def record(place: TopicPartition, offset: int) -> ConsumerRecord[bytes, bytes]:
    return ConsumerRecord(place.topic, place.partition, offset, 0, 0, b"", b"", None, 0, 0, ())


class Consumer:
    """Two partitions; each poll takes the next of `turns`: records, or what is raised. Positions move all the same."""

    def __init__(self, *turns: Mapping[TopicPartition, int] | Exception) -> None:
        self.turns = list(turns)
        self.positions: dict[TopicPartition, int] = {}

    def assignment(self) -> set[TopicPartition]:
        return {A, B}

    def paused(self) -> set[TopicPartition]:
        return set()

    async def getmany(self, **_: Any) -> dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]:
        turn = self.turns.pop(0) if self.turns else {}
        if isinstance(turn, Exception):
            self.positions = {A: 1_000, B: 1_000}
            raise turn
        return {place: [record(place, offset)] for place, offset in turn.items()}

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.positions[place] = offset

    async def committed(self, place: TopicPartition) -> int | None:
        return 7 if place == B else None

    async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 3)

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {A: 3, B: 9}


def poller(consumer: Any) -> Poller:
    return Poller(Settings(), lambda: consumer)


def heads(monkeypatch: pytest.MonkeyPatch, found: Mapping[TopicPartition, Head]) -> None:
    async def read_heads(_: Settings, places: Mapping[TopicPartition, int]) -> dict[TopicPartition, Head]:
        return {place: found.get(place, Head((), None)) for place in places}

    monkeypatch.setattr(polling, "read_heads", read_heads)


def broken(place: TopicPartition, offset: int, raw: bytes | None = b"raw") -> Unreadable:
    return Unreadable(place, offset, offset + 1, "broken", raw)


@pytest.mark.parametrize("error", [KeyError((1, "DEFAULT")), ValueError("no batch"), OSError("a codec's")])
async def test_an_error_of_the_client_is_waited_out_and_skips_nothing(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    heads(monkeypatch, {})
    consumer = Consumer({A: 41}, error, {A: 42})
    polls = poller(consumer)
    await polls.poll(1)
    with pytest.raises(Unavailable):
        await polls.poll(1)
    assert consumer.positions == {A: 42, B: 7}, "where it stood, and where the group has committed"
    assert polls.failures == 1
    assert [each.offset for each in (await polls.poll(1)).records] == [42]
    assert polls.failures == 0


async def test_a_partition_that_was_never_polled_nor_committed_begins_at_its_beginning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heads(monkeypatch, {})
    consumer = Consumer(KeyError())
    with pytest.raises(Unavailable):
        await poller(consumer).poll(1)
    assert consumer.positions == {A: 3, B: 7}


async def test_what_stands_before_an_unreadable_batch_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = Consumer(ValueError(), ValueError())
    polls = poller(consumer)
    heads(monkeypatch, {B: Head([record(B, 7), record(B, 8)], broken(B, 9))})
    first = await polls.poll(1, 1)
    assert ([each.offset for each in first.records], [*first.unreadable]) == ([7], [])
    assert consumer.positions == {A: 3, B: 8}
    heads(monkeypatch, {B: Head((), broken(B, 8))})
    then = await polls.poll(1)
    assert (then.records, list(then.unreadable)) == ([], [broken(B, 8)])


async def test_a_broker_that_cannot_serve_a_partition_is_noticed_although_the_client_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(polling, "QUIET_S", -1.0)
    heads(monkeypatch, {B: Head((), broken(B, 7, None))})
    polls = poller(Consumer())
    found = [list((await polls.poll(1)).unreadable) for _ in range(UNSERVED_MAX)]
    assert found == [*[[]] * (UNSERVED_MAX - 1), [broken(B, 7, None)]]

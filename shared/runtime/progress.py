"""Whether every consumer of a process gets on: measured against the broker's own end of each partition.

The consumer itself is not believed: one that got stuck knows of no end that it does not reach.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog

from shared.errors import Unavailable
from shared.metrics import LAG
from shared.runtime.broker import Ends, dead_task, position_of
from shared.runtime.health import Part
from shared.runtime.kafka import AIOKafkaConsumer, TopicPartition
from shared.settings import Settings

log = structlog.get_logger()


class Reader(Protocol):
    """Whoever reads a topic: a pump, a feed, the listener for replies."""

    @property
    def consumer(self) -> AIOKafkaConsumer:
        """The client that it reads with."""

    @property
    def state(self) -> Part:
        """The part of the process that it is."""

    def in_hand(self) -> Mapping[TopicPartition, int | None]:
        """What it reads now: the first offset that it works on, None when it works on nothing."""


class Progress:
    """Measures until it is cancelled. A part that has work, and gets nowhere, is not alive (health.py)."""

    def __init__(self, settings: Settings, readers: Sequence[Reader]) -> None:
        self._readers = readers
        self._interval_s = min(5.0, settings.stall_timeout_s / 4)
        self._dead: dict[str, int] = {}
        self._ends = Ends(settings)

    async def run(self) -> None:
        """Measure every few seconds."""
        try:
            while True:
                await asyncio.sleep(self._interval_s)
                await asyncio.gather(*(self._measure(reader) for reader in self._readers))
        finally:
            await self._ends.close()

    async def _measure(self, reader: Reader) -> None:
        client = reader.consumer
        if (task := dead_task(client)) is not None:
            if self._dead.get(reader.state.name) == id(client):  # Still: nobody has replaced it.
                reader.state.died(f"the client's {task} has ended")
            self._dead[reader.state.name] = id(client)
            return
        places = reader.in_hand()
        try:
            ends = await self._ends.of(places)
        except Unavailable as error:  # Whether the broker is away is told elsewhere.
            log.debug("the end offsets of a topic could not be read", part=reader.state.name, reason=str(error))
            return
        lag = 0
        for place, end in ends.items():
            begun = places[place]
            done = await position_of(reader.consumer, place) if begun is None else begun
            behind = max(0, end - (done or 0))
            LAG.labels(place.topic, str(place.partition)).set(behind)
            lag += behind
        for place in ends.keys() - reader.in_hand().keys():  # Handed over meanwhile: its new owner measures it.
            LAG.remove(place.topic, str(place.partition))
        reader.state.lag(lag)

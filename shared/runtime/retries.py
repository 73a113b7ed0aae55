"""Batches that are given up again and again: tried on without limit (P5), and reported."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.metrics import STUCK
from shared.runtime.health import Part
from shared.runtime.kafka import TopicPartition

_TIMES_MAX = 3
"""How often a batch may outlast its lease, conflicts included, before its partitions are reported."""


@dataclass(slots=True)
class GivenUp:
    """Counts, by partition of one topic, the batches given up in a row. `state` isn't ready once they are many."""

    topic: str
    state: Part
    _times: dict[TopicPartition, int] = field(default_factory=dict)

    def count(self, places: Mapping[TopicPartition, int], reason: str) -> None:
        """A batch was given up; `places` has its first offsets."""
        for place, offset in places.items():
            times = self._times[place] = self._times.get(place, 0) + 1
            if times >= _TIMES_MAX:
                self.state.stuck(f"{place.topic}/{place.partition}", f"offset {offset}, {reason}")
        self._report()

    def free(self, places: Iterable[TopicPartition]) -> None:
        """These partitions have got on, or are another's."""
        if self._times:
            for place in places:
                self._times.pop(place, None)
                self.state.freed(f"{place.topic}/{place.partition}")
            self._report()

    def _report(self) -> None:
        STUCK.labels(self.topic).set(len(self.state.stuck_at))

"""The partitions of one pump that were stopped: named by readiness and by a metric, until they are handed over."""

from dataclasses import dataclass, field

import structlog

from shared.metrics import STOPPED
from shared.runtime.health import Part
from shared.runtime.kafka import TopicPartition

log = structlog.get_logger()

REASON_CHARS_MAX = 200


@dataclass(slots=True)
class Stops:
    """Where each partition was stopped. `state` is the part of the process that isn't ready because of it."""

    state: Part
    offsets: dict[TopicPartition, int] = field(default_factory=dict)

    def add(self, place: TopicPartition, offset: int, reason: str) -> None:
        """A partition was stopped before `offset`."""
        log.error(
            "a partition was stopped; `fealty doctor` shows what to do",
            topic=place.topic,
            partition=place.partition,
            offset=offset,
            reason=reason[:REASON_CHARS_MAX],
        )
        self._forget_metric(place)
        self.offsets[place] = offset
        STOPPED.labels(place.topic, str(place.partition), str(offset)).set(1)
        self.state.stopped(f"{place.topic}/{place.partition}/{offset}")

    def clear(self) -> None:
        """The partitions were handed over, or are given again: whoever has them now finds out anew."""
        for place in list(self.offsets):
            self._forget_metric(place)
        self.state.resumed()

    def _forget_metric(self, place: TopicPartition) -> None:
        offset = self.offsets.pop(place, None)
        if offset is not None:
            STOPPED.remove(place.topic, str(place.partition), str(offset))

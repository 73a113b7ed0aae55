"""The exception tree.

FealtyError
├── Unavailable        a server is away or does not answer in time: back off and do the same again
│   └── TooSlow        it answers, and ended a query that took too long: ask for less, or later
├── Conflict           another process wrote first: load again and decide again
├── Relinquished       a rebalance or a stop wants the partitions: leave the batch, it will be redelivered
├── Poison             a record that can never work: dead letters
└── Stopped            one of our own follow-ups cannot be done: its partition stops and an operator must look
"""

from typing import Protocol


class Placed(Protocol):
    """Anything that stands somewhere in a topic."""

    topic: str
    partition: int
    offset: int


class FealtyError(Exception):
    """Base of everything raised on purpose."""


class Unavailable(FealtyError):
    """MongoDB or Kafka is away or slow; nothing is lost, the same work is tried again."""


class TooSlow(Unavailable):
    """One operation was ended at its time limit; others may well be done."""


class Conflict(FealtyError):
    """The transaction met a newer fence, version or command id and was aborted as a whole."""


class Relinquished(FealtyError):
    """The batch was given up undone, because its partitions are wanted elsewhere or its time is over (P7)."""


class Poison(FealtyError):
    """A record that can never work. `reason` is a short code, the text says more."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Stopped(FealtyError):
    """A follow-up cannot be done; it is never dead-lettered, so its partition stops before it (P6)."""

    def __init__(self, topic: str, partition: int, offset: int, detail: str) -> None:
        super().__init__(f"{topic}/{partition}/{offset}: {detail}")
        self.topic = topic
        self.partition = partition
        self.offset = offset

    def holds_up(self, record: "Placed") -> bool:
        """Whether a record stands in the same partition, there or behind."""
        same = record.topic == self.topic and record.partition == self.partition
        return same and record.offset >= self.offset

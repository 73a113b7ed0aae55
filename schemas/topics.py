"""The one table of topics: who owns each, how it is partitioned, and how long it remembers (protocol P10)."""

from dataclasses import dataclass
from enum import StrEnum

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
RECORD_BYTES_MAX = 2 * 1024 * 1024


class Kind(StrEnum):
    """What a topic is for; decides how long it keeps its records."""

    COMMANDS = "commands"
    EVENTS = "events"
    CHANGES = "changes"
    SNAPSHOTS = "snapshots"
    REPLIES = "replies"
    INPUT = "input"
    DEAD_LETTERS = "dead-letters"


_CONFIGS: dict[Kind, dict[str, str]] = {
    # Six days and half a day's segments, so that nothing is left after seven; the broker's clock is the time (P4).
    Kind.COMMANDS: {
        "retention.ms": str(6 * DAY_MS),
        "segment.ms": str(12 * HOUR_MS),
        "message.timestamp.type": "LogAppendTime",
    },
    Kind.REPLIES: {"retention.ms": str(6 * DAY_MS), "segment.ms": str(12 * HOUR_MS)},
    Kind.EVENTS: {"retention.ms": str(28 * DAY_MS)},
    Kind.INPUT: {"retention.ms": str(28 * DAY_MS)},
    Kind.DEAD_LETTERS: {"retention.ms": str(28 * DAY_MS)},
    # The public streams never expire.
    Kind.CHANGES: {"retention.ms": "-1", "retention.bytes": "-1"},
    Kind.SNAPSHOTS: {
        "cleanup.policy": "compact",
        "segment.ms": str(12 * HOUR_MS),
        "max.compaction.lag.ms": str(12 * HOUR_MS),
    },
}


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic, without the installation's prefix. `description` goes into the AsyncAPI document."""

    name: str
    kind: Kind
    owner: str
    description: str
    keyed_by: str

    @property
    def config(self) -> dict[str, str]:
        """The broker's settings for it."""
        return {**_CONFIGS[self.kind], "max.message.bytes": str(RECORD_BYTES_MAX)}


TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        Topic("oms.fulfilments", Kind.INPUT, "oms", "What the order management system fulfilled.", "anything"),
        Topic("webshop.orders", Kind.INPUT, "webshop", "Orders placed and amended.", "order"),
        Topic("points.commands", Kind.COMMANDS, "points", "The one road into the points service.", "account"),
        Topic("points.events", Kind.EVENTS, "points", "What happened to points, and refusals.", "account"),
        Topic("points.changes", Kind.CHANGES, "points", "Every balance movement, for ever.", "account"),
        Topic("points.snapshots", Kind.SNAPSHOTS, "points", "The latest state of each aggregate.", "stream"),
        Topic(
            "points.dead-letters",
            Kind.DEAD_LETTERS,
            "points",
            "What can never work, without its body.",
            "record",
        ),
        Topic("voucher.commands", Kind.COMMANDS, "voucher", "The one road into the voucher service.", "holder"),
        Topic("voucher.events", Kind.EVENTS, "voucher", "What happened to vouchers, and refusals.", "voucher"),
        Topic("voucher.changes", Kind.CHANGES, "voucher", "Every step of a voucher's life, for ever.", "voucher"),
        Topic("voucher.snapshots", Kind.SNAPSHOTS, "voucher", "The latest state of each aggregate.", "stream"),
        Topic(
            "voucher.dead-letters",
            Kind.DEAD_LETTERS,
            "voucher",
            "What can never work, without its body.",
            "record",
        ),
        Topic("customer.commands", Kind.COMMANDS, "customer", "The one road into the customer service.", "customer"),
        Topic("customer.events", Kind.EVENTS, "customer", "What happened to customers, and refusals.", "customer"),
        Topic("customer.snapshots", Kind.SNAPSHOTS, "customer", "The latest state of each customer.", "stream"),
        Topic(
            "customer.dead-letters",
            Kind.DEAD_LETTERS,
            "customer",
            "What can never work, without its body.",
            "record",
        ),
        Topic("edge.replies", Kind.REPLIES, "edge", "Outcomes, for whoever waits for them.", "command"),
    )
}

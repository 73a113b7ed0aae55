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


def _of_service(name: str, *, about: str, commands_by: str, events_by: str, changes: str = "") -> tuple[Topic, ...]:
    """The topics of a stateful service; of `changes` it has a stream only when it is said what one is."""
    return (
        Topic(f"{name}.commands", Kind.COMMANDS, name, f"The one road into the {name} service.", commands_by),
        Topic(f"{name}.events", Kind.EVENTS, name, f"What happened to {about}, and refusals.", events_by),
        *([Topic(f"{name}.changes", Kind.CHANGES, name, changes, events_by)] if changes else ()),
        Topic(f"{name}.snapshots", Kind.SNAPSHOTS, name, "The latest state of each aggregate.", "stream"),
        Topic(f"{name}.dead-letters", Kind.DEAD_LETTERS, name, "What can never work, without its body.", "record"),
    )


TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        Topic("oms.fulfilments", Kind.INPUT, "oms", "What the order management system fulfilled.", "anything"),
        Topic("webshop.orders", Kind.INPUT, "webshop", "Orders placed and amended.", "order"),
        *_of_service(
            "points",
            about="points",
            commands_by="account",
            events_by="account",
            changes="Every balance movement, for ever.",
        ),
        *_of_service(
            "voucher",
            about="vouchers",
            commands_by="holder",
            events_by="voucher",
            changes="Every step of a voucher's life, for ever.",
        ),
        *_of_service(
            "giftcard",
            about="gift cards",
            commands_by="card",
            events_by="card",
            changes="Every mutation of a gift card, for ever.",
        ),
        *_of_service("customer", about="customers", commands_by="customer", events_by="customer"),
        Topic("edge.replies", Kind.REPLIES, "edge", "Outcomes, for whoever waits for them.", "command"),
    )
}

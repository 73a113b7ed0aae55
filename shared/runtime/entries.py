"""The journal's entry: all that is kept of one command (protocol P1, P2), as MongoDB has it."""

from datetime import datetime
from typing import NotRequired, TypedDict

from shared.decider import Document

ACCEPTED, REJECTED = "accepted", "rejected"
"""How an entry ends that has an outcome; as replies say it, too."""

FORWARDED = "forwarded"
"""A status of entries that no reply says: whoever decides the forwarded command answers (rules 4.1.2)."""

HELD = "held"
"""Another one: whoever closes the held command answers (rules 4.2.2)."""


class StoredEvent(TypedDict):
    """An event as it is published, and what is personal beside it, with the stream that it is on."""

    stream: str
    data: Document


class StoredFollowUp(TypedDict):
    """A command that this one causes; a payload that is a text is the JSON to send."""

    topic: str
    type: str
    subject: str
    payload: Document | str
    id: NotRequired[str]


class Input(TypedDict):
    """The record of another system that a command was made of."""

    topic: str | None
    source: str | None
    id: str | None


class Waiting(TypedDict):
    """Who waits for a command's outcome: a forward, and whoever closes a held command, takes it along."""

    correlation: str
    reply_to: str | None
    reply_partition: int | None


class Outcome(TypedDict):
    """What a reply and a refusal event are made of. What was accepted has a result, what was rejected a code."""

    _id: str
    type: str
    subject: str
    status: str
    correlation: str
    result: NotRequired[Document]
    code: NotRequired[str]
    detail: NotRequired[str]
    pointer: NotRequired[str | None]
    about: NotRequired[Document]
    events: NotRequired[list[StoredEvent]]
    writes: NotRequired[list[str]]
    snapshots: NotRequired[list[Document]]
    reply_to: NotRequired[str | None]
    reply_partition: NotRequired[int | None]


class JournalEntry(Outcome):
    """One command: its outcome, where its record stood, and what publishing all of it again needs.

    `writes` lists `stream#version` of each stream that it changed. `closing` is the outcome of the held command that
    this one closes. A forwarded one keeps where it goes (`to`), what it came with, and who waits; so does a held one.
    """

    v: int
    store: str
    hash: str
    causation: str | None
    topic: str
    partition: int
    offset: int
    at: datetime
    actor: NotRequired[str]
    memo: NotRequired[str]
    follow_ups: NotRequired[list[StoredFollowUp]]
    closing: NotRequired[Outcome]
    to: NotRequired[str]
    source: NotRequired[str]
    value: NotRequired[bytes]
    input: NotRequired[Input]

"""What a runtime answers to whoever sent a command, and how an operation is named (protocol P8)."""

from enum import StrEnum
from typing import Any

from schemas.base import Published

REPLY = "fealty.reply.v1"
GET_OUTCOME = "fealty.get_outcome.v1"
TICK = "fealty.tick.v1"


class Status(StrEnum):
    """How a command ended, or why there is nothing to say yet."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PENDING = "pending"
    NEVER_ACCEPTED = "never_accepted"
    TOO_LATE = "too_late"
    DEAD_LETTERED = "dead_lettered"
    KEY_REUSED = "idempotency_key_reused"


class SnapshotPart(Published):
    """A snapshot that came with the reply, so that the next read sees the write.

    `value` has the version too, and otherwise nothing but `deleted: true` when the stream was deleted (P9).
    """

    stream: str
    version: int
    type: str
    value: dict[str, Any]


class LeftOut(Published):
    """What did not fit into a reply, of one stream: its snapshot, of `type`, or its changes up to `sequence`.

    Their topics bring it; who answers from views waits until they have it.
    """

    stream: str
    type: str | None = None
    version: int | None = None
    sequence: int | None = None


class Reply(Published):
    """`fealty.reply.v1`: the outcome of command `command_id`; `code` and `pointer` belong to a refusal.

    `changes` are the values that the command put on the public change stream, in order. `replayed` is whether an
    earlier request, by its correlation id, brought the same command, whose outcome this is.
    """

    command_id: str
    status: Status
    code: str | None = None
    detail: str | None = None
    pointer: str | None = None
    result: dict[str, Any] | None = None
    snapshots: tuple[SnapshotPart, ...] = ()
    changes: tuple[dict[str, Any], ...] = ()
    replayed: bool = False
    left_out: tuple[LeftOut, ...] = ()

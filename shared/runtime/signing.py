"""Signatures of the commands that services send on their own: what fails of these stops a partition (P6).

Whoever may write to a topic of commands may name a service as the source; only who knows the installation's secret
can sign as one (docs/decisions/0019).
"""

import hmac

from schemas.envelope import Envelope
from schemas.topics import TOPICS, Kind
from shared.hashing import keyed_hash

FOLLOW_UP_SOURCES = frozenset(f"/{topic.owner}" for topic in TOPICS.values() if topic.kind is Kind.COMMANDS)
"""Sources of commands that a journal entry of ours caused; callers, reactions and sweeps have others."""


def signed(secret: bytes, envelope: Envelope, value: bytes) -> Envelope:
    """The envelope of a command with this value, signed when its source is a service."""
    if envelope.source not in FOLLOW_UP_SOURCES:
        return envelope
    return envelope._replace(signature=_signature(secret, envelope, value))


def is_forged(secret: bytes, envelope: Envelope, value: bytes | None) -> bool:
    """Whether a command calls a service its source that has not signed it."""
    if envelope.source not in FOLLOW_UP_SOURCES:
        return False
    return not hmac.compare_digest(
        (envelope.signature or "").encode(), _signature(secret, envelope, value or b"").encode()
    )


def _signature(secret: bytes, envelope: Envelope, value: bytes) -> str:
    said = (envelope.id, envelope.type, envelope.source, envelope.subject, envelope.store or "")
    return keyed_hash(secret, "follow-up", *said, value)

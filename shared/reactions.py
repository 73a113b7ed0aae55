"""What a reaction is: a pure function that translates a record of another system into commands of this service."""

from collections.abc import Callable
from dataclasses import dataclass

from schemas.envelope import Envelope


@dataclass(frozen=True, slots=True)
class ReactionContext:
    """What a reaction may know besides the record: the installation's store, and the secret of request hashes (P3)."""

    store: str
    secret: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """A command as it goes to the service's command topic: envelope attributes and the payload's JSON.

    A repeat of the record gives the same `id` and `request_hash` again, so that it has one effect (P3).
    """

    id: str
    type: str
    subject: str
    store: str
    value: bytes
    request_hash: str
    correlation_id: str
    causation_id: str


Reaction = Callable[[Envelope, bytes, ReactionContext], list[Translated]]
"""Raises `shared.errors.Poison` for what can never work."""

"""Signing keys: the current key signs; retired keys verify until all tokens that they signed have expired."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

TOKEN_LIFE_S = 3_600
SKEW_S = 30
"""The tolerated difference between the clocks of two edge processes."""

_KEY_BYTES = 32
_KEY_ID_BYTES = 8
_OUTLIVES = timedelta(seconds=TOKEN_LIFE_S + 2 * SKEW_S)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key for HMAC-SHA256. `retired_at` is when another key replaced it; None for the current key."""

    id: str
    secret: bytes
    retired_at: datetime | None = None

    def accepted(self, now: datetime) -> bool:
        """Whether a token signed with it can still be valid."""
        return self.retired_at is None or now < self.retired_at + _OUTLIVES


@dataclass(frozen=True, slots=True)
class Keyring:
    """The current key, and all keys that may have signed a valid token, the current one included."""

    current: SigningKey
    all: tuple[SigningKey, ...]

    def find(self, id_: str, now: datetime) -> SigningKey | None:
        """The key with this id; None if there is none or it is not accepted any more."""
        return next((key for key in self.all if key.id == id_ and key.accepted(now)), None)

    def rotated(self, now: datetime) -> "Keyring":
        """The keyring with a new current key, without the keys that are not accepted any more."""
        retired = SigningKey(self.current.id, self.current.secret, now)
        kept = (key for key in self.all if key.id != retired.id and key.accepted(now))
        return ring_of(new_key(), (*kept, retired))


def ring_of(current: SigningKey, others: Iterable[SigningKey] = ()) -> Keyring:
    """The keyring of a current key and retired ones."""
    return Keyring(current, (*others, current))


def new_key() -> SigningKey:
    """A new key of 256 random bits, with a random id."""
    return SigningKey(secrets.token_hex(_KEY_ID_BYTES), secrets.token_bytes(_KEY_BYTES))

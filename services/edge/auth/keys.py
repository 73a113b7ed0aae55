"""Signing keys: one signs, and those before it are accepted until what they signed has expired."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

TOKEN_LIFE_S = 3_600
SKEW_S = 30
"""By so much may the clocks of two edges differ."""

_KEY_BYTES = 32
_KEY_ID_BYTES = 8
_OUTLIVES = timedelta(seconds=TOKEN_LIFE_S + 2 * SKEW_S)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key for HMAC-SHA256. `retired_at` is when another took its place; None while it signs."""

    id: str
    secret: bytes
    retired_at: datetime | None = None

    def accepted(self, now: datetime) -> bool:
        """Whether a token that it signed can still be good."""
        return self.retired_at is None or now < self.retired_at + _OUTLIVES


@dataclass(frozen=True, slots=True)
class Keyring:
    """The key that signs now, and all that may have signed a token that is still good, that one included."""

    current: SigningKey
    all: tuple[SigningKey, ...]

    def find(self, id_: str, now: datetime) -> SigningKey | None:
        """The key of this id, unless there is none or its time is over."""
        return next((key for key in self.all if key.id == id_ and key.accepted(now)), None)

    def rotated(self, now: datetime) -> "Keyring":
        """With a new key that signs; what nobody can need any more is gone."""
        retired = SigningKey(self.current.id, self.current.secret, now)
        kept = (key for key in self.all if key.id != retired.id and key.accepted(now))
        return ring_of(new_key(), (*kept, retired))


def ring_of(current: SigningKey, others: Iterable[SigningKey] = ()) -> Keyring:
    """A keyring."""
    return Keyring(current, (*others, current))


def new_key() -> SigningKey:
    """256 random bits under a random id."""
    return SigningKey(secrets.token_hex(_KEY_ID_BYTES), secrets.token_bytes(_KEY_BYTES))

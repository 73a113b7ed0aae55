"""Ids: UUIDv7 for new ones, UUIDv5 for derived ones, always as text."""

from functools import lru_cache
from hashlib import sha1
from uuid import UUID

import uuid_utils

NAMESPACE = UUID("5e1f0a52-3f0e-5d1c-9a70-1d6b0c1e7a11")
"""The root of every derived id. Changing it would make every derived id another one."""

_ROOT = NAMESPACE.bytes
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""The digit that carries RFC 9562's variant, by what the hash has in its place."""


def new_id() -> str:
    """A new UUIDv7."""
    return str(uuid_utils.uuid7())


def derived_id(*parts: str | int) -> str:
    """A UUIDv5 over `parts`; lengths are part of the name, so that no two lists give the same.

    Written out, since a batch derives a thousand and the library's way takes three times as long.
    """
    name = "".join([f"{len(text)}:{text}" for text in map(str, parts)])
    digest = sha1(_ROOT + name.encode(), usedforsecurity=False).hexdigest()
    variant = _VARIANT[digest[16]]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


@lru_cache(maxsize=65_536)
def account_id(store: str, opening_number: str) -> str:
    """The immutable id of the account that `opening_number` opens in `store` (rules 4.1.2)."""
    return derived_id("account", store, opening_number)


def mutation_id(store: str, card_id: str, transaction_id: str) -> str:
    """The id of the command that mutates a gift card under its caller's transaction id (rules 4.4.5)."""
    return derived_id("giftcard", store, card_id, transaction_id)


def closing_id(command_id: str) -> str:
    """The id of the command that closes one which is held (rules 4.2.2)."""
    return derived_id("close", command_id)


def input_command_id(source: str, event_id: str) -> str:
    """The command id of an input record (P3)."""
    return derived_id("input", source, event_id)


def keyed_command_id(store: str, client: str, key: str) -> str:
    """The command id of a request with an idempotency key (P3)."""
    return derived_id("key", store, client, key)

"""A set of secret keys with ids: the first one makes what is new, the others check what was made with them."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Self

KEY_BYTES = 32

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_WANTED = "write ID:KEY, separated by commas, with the key that is used from now on first"


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A key of 32 bytes and the id by which stored data name it."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeySet:
    """At least one key; no id is there twice."""

    keys: tuple[SecretKey, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """The keys of `ID:KEY,ID:KEY`, each key being the base64 of 32 bytes.

        :raises ValueError: it names no key, or an id twice, or one is malformed; the text says which, without a key.
        """
        keys = tuple([_key(place, part.strip()) for place, part in enumerate(text.split(","), 1) if part.strip()])
        if not keys:
            raise ValueError(f"there is no key: {_WANTED}")
        ids = [key.id for key in keys]
        if twice := next((id_ for place, id_ in enumerate(ids) if id_ in ids[:place]), None):
            raise ValueError(f"the id {twice} is there twice: each key has its own id")
        return cls(keys)

    @property
    def current(self) -> SecretKey:
        """The key with which new data are made."""
        return self.keys[0]

    def find(self, id_: str) -> SecretKey | None:
        """The key with this id."""
        return next((key for key in self.keys if key.id == id_), None)


def _key(place: int, part: str) -> SecretKey:
    id_, colon, encoded = part.partition(":")
    if not colon or not _ID.fullmatch(id_):
        raise ValueError(f"key {place} has no id of 1 to 64 letters, digits, '.', '_' or '-': {_WANTED}")
    try:
        secret = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != KEY_BYTES:
        raise ValueError(
            f"the key {id_} is not the base64 of {KEY_BYTES} bytes: create one with `openssl rand -base64 {KEY_BYTES}`"
        )
    return SecretKey(id_, secret)

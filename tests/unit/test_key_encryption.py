"""Signing keys as they are stored: nobody reads them without the installation's secret."""

from typing import Any

import pytest
from pydantic import SecretStr

from services.edge.auth.key_encryption import KeyCipher
from services.edge.auth.keys import SigningKey, new_key
from shared.secrecy import SecretChanged
from shared.settings import Settings


def cipher(secret: str) -> KeyCipher:
    """Of an installation with this secret."""
    return KeyCipher(Settings(secret=SecretStr(secret)))


def test_a_sealed_key_is_read_with_the_secret_alone() -> None:
    key = new_key()
    stored = cipher("one").encrypt(key)
    assert cipher("one").decrypt(stored) == key
    with pytest.raises(SecretChanged, match=r"^FEALTY_SECRET is not the one"):
        cipher("another").decrypt(stored)


def test_nothing_of_a_key_is_seen_in_what_is_stored_and_it_never_looks_alike() -> None:
    key = new_key()
    first, second = (cipher("one").encrypt(key) for _ in range(2))
    assert key.secret not in first["sealed"]
    assert first["sealed"] != second["sealed"]


@pytest.mark.parametrize("change", [{"id": "b"}, {"sealed": b"0" * 60}, {"sealed": b""}], ids=str)
def test_a_key_that_was_exchanged_is_refused(change: dict[str, Any]) -> None:
    stored = cipher("one").encrypt(SigningKey("a", b"k" * 32))
    with pytest.raises(SecretChanged):
        cipher("one").decrypt({**stored, **change})

"""Encryption of stored signing keys under the installation's secret (AES-256-GCM), each bound to its id."""

import secrets
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.edge.auth.keys import SigningKey
from shared.secrecy import SecretChanged
from shared.settings import Settings

_NONCE_BYTES = 12


class KeyCipher:
    """Encrypts and decrypts signing keys, so that the database or a backup of it is not enough to sign tokens."""

    def __init__(self, settings: Settings) -> None:
        secret = settings.secret.get_secret_value().encode()
        self._cipher = AESGCM(HKDF(SHA256(), 32, None, b"fealty signing keys").derive(secret))

    def encrypt(self, key: SigningKey) -> dict[str, Any]:
        """The stored form of a key."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        encrypted = nonce + self._cipher.encrypt(nonce, key.secret, key.id.encode())
        return {"id": key.id, "sealed": encrypted, "retired_at": key.retired_at}

    def decrypt(self, document: dict[str, Any]) -> SigningKey:
        """The key of a stored form, which may be older than the encryption.

        :raises SecretChanged: the key was encrypted under another secret, or for another id.
        """
        id_, retired_at = document["id"], document["retired_at"]
        if "plain" in document:
            return SigningKey(id_, bytes(document["plain"]), retired_at)
        encrypted = bytes(document["sealed"])
        try:
            secret = self._cipher.decrypt(encrypted[:_NONCE_BYTES], encrypted[_NONCE_BYTES:], id_.encode())
        except (InvalidTag, ValueError) as error:
            raise SecretChanged(
                "FEALTY_SECRET is not the one under which the signing keys were encrypted: set that one again "
                "(docs/operations.md#secrets)"
            ) from error
        return SigningKey(id_, secret, retired_at)

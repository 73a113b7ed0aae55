"""Signing keys as they are stored: encrypted under the installation's secret (AES-256-GCM), each bound to its id."""

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


class Seal:
    """Encrypts keys and decrypts them; who reads the database, or a backup of it, signs nothing."""

    def __init__(self, settings: Settings) -> None:
        secret = settings.secret.get_secret_value().encode()
        self._cipher = AESGCM(HKDF(SHA256(), 32, None, b"fealty signing keys").derive(secret))

    def close(self, key: SigningKey) -> dict[str, Any]:
        """A key's part of the stored document."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, key.secret, key.id.encode())
        return {"id": key.id, "sealed": sealed, "retired_at": key.retired_at}

    def open(self, document: dict[str, Any]) -> SigningKey:
        """The key of a part, which may be from before keys were encrypted.

        :raises SecretChanged: it was encrypted under another secret, or for another id.
        """
        id_, retired_at = document["id"], document["retired_at"]
        if "plain" in document:
            return SigningKey(id_, bytes(document["plain"]), retired_at)
        sealed = bytes(document["sealed"])
        try:
            secret = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], id_.encode())
        except (InvalidTag, ValueError) as error:
            raise SecretChanged(
                "FEALTY_SECRET is not the one under which the signing keys were encrypted: set that one again "
                "(docs/operations.md#secrets)"
            ) from error
        return SigningKey(id_, secret, retired_at)

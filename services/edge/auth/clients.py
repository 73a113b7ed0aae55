"""Clients: the systems that call the API, each with one store and its scopes (OAuth 2, RFC 6749)."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType

SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "api_crm": "Customers, as Switch and Crm describe them.",
        "api_loyalty": "Transactions of points and vouchers, as LoyaltyVault describes them.",
        "api_void": "Voiding vouchers in a transaction; needed beside the scope of the transaction's route.",
        "api_reverse": "Undoing transactions that the client itself has sent: `POST …/reversals`, and nothing else.",
        "api_switch": "Gift cards, as Switch describes them.",
        "api_admin": "Everything under `/v1/`: accounts, statements, corrections.",
    }
)
"""The scopes, with their descriptions."""

NAME_CHARS_MAX = 64

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A stored client, with a digest of its secret.

    The digest is plain SHA-256: a secret has 256 random bits, so it cannot be guessed. A slow password hash would add
    no protection, and would make each token request expensive.
    """

    id: str
    name: str
    store: str
    scopes: tuple[str, ...]
    secret_digest: bytes
    disabled: bool
    created_at: datetime
    used_at: datetime | None

    def has_secret(self, secret: str) -> bool:
        """Whether `secret` is the client's secret, compared in constant time."""
        return hmac.compare_digest(self.secret_digest, digest_of(secret))


def new_secret() -> str:
    """256 random bits as 43 characters of base64url."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def digest_of(secret: str) -> bytes:
    """The SHA-256 digest of a secret, which is what is stored."""
    return sha256(secret.encode(errors="replace")).digest()

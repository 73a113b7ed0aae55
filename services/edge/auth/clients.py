"""Clients: the systems that call the edge, each bound to one store and to what it may do (OAuth 2, RFC 6749)."""

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
"""What a client may be allowed, and what that is."""

NAME_CHARS_MAX = 64

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client as it is stored; of its secret only a digest.

    A secret is 256 bits from a secure random source, so that no list of guesses comes anywhere near it: what makes a
    password hash slow would protect nothing here, and would cost the edge with each request for a token.
    """

    id: str
    name: str
    store: str
    scopes: tuple[str, ...]
    secret_digest: bytes
    disabled: bool
    created_at: datetime
    used_at: datetime | None

    def knows(self, secret: str) -> bool:
        """Whether `secret` is its secret; takes as long for a wrong one, whatever is right in it."""
        return hmac.compare_digest(self.secret_digest, digest_of(secret))


def new_secret() -> str:
    """256 random bits as 43 characters of base64url."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def digest_of(secret: str) -> bytes:
    """SHA-256 of a secret, as it is stored."""
    return sha256(secret.encode(errors="replace")).digest()

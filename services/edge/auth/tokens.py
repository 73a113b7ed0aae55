"""Access tokens: JSON Web Tokens, signed with HMAC-SHA256, with a client, its store and scopes.

Claims: `iss` (this installation), `sub` (the client's id), `store`, `scope` (space-separated), `iat`, `exp`, `jti`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import jwt

from services.edge.auth.clients import Client
from services.edge.auth.keys import SKEW_S, TOKEN_LIFE_S, SigningKey
from services.edge.http.problems import Problem
from shared.ids import new_id
from shared.settings import Settings

ALGORITHM = "HS256"
"""The only algorithm that is accepted, whatever the header of a token names."""

_CLAIMS = ("iss", "sub", "store", "scope", "iat", "exp", "jti")
_CHARS_MAX = 4_096


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request: a client, its store, and the scopes of its token."""

    client: str
    store: str
    scopes: frozenset[str]

    @property
    def actor(self) -> str:
        """The caller's name in the journal, in statements and in the access log."""
        return f"client:{self.client}"

    def need(self, *scopes: str) -> None:
        """Require one of these scopes.

        :raises Problem: `insufficient_scope`; its header names the first of them, the narrowest.
        """
        if self.scopes.isdisjoint(scopes):
            header = f'Bearer realm="fealty", error="insufficient_scope", scope="{scopes[0]}"'
            detail = f"This operation needs the scope {' or '.join(scopes)}."
            raise Problem("insufficient_scope", detail, headers={"WWW-Authenticate": header})


@dataclass(frozen=True, slots=True)
class Verified:
    """The content of a valid token; it is valid until `expires_at_s`, in seconds since the epoch."""

    caller: Caller
    expires_at_s: int


def issuer_of(settings: Settings) -> str:
    """The issuer of this installation's tokens."""
    return f"urn:fealty:{settings.prefix}edge"


def sign(client: Client, scopes: Collection[str], key: SigningKey, issuer: str, now_s: int) -> str:
    """A token for a client, valid for an hour from `now_s`."""
    claims = {
        "iss": issuer,
        "sub": client.id,
        "store": client.store,
        "scope": " ".join(scopes),
        "iat": now_s,
        "exp": now_s + TOKEN_LIFE_S,
        "jti": new_id(),
    }
    return jwt.encode(claims, key.secret, ALGORITHM, {"kid": key.id})


def key_id_of(token: str) -> str:
    """The key id in a token's header, not verified.

    :raises Problem: `token_invalid`.
    """
    if len(token) > _CHARS_MAX:
        raise unauthorized("token_invalid", "The token is too long to be valid.")
    try:
        id_ = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError as error:
        raise unauthorized("token_invalid", "The token cannot be read.") from error
    if not isinstance(id_, str):
        raise unauthorized("token_invalid", "The token does not name its key.")
    return id_


def verify(token: str, key: SigningKey, issuer: str) -> Verified:
    """The content of a token that this key signed and that is valid now, with a tolerance of `SKEW_S`.

    :raises Problem: `token_expired` or `token_invalid`.
    """
    try:
        claims = jwt.decode(token, key.secret, [ALGORITHM], {"require": [*_CLAIMS]}, issuer=issuer, leeway=SKEW_S)
    except jwt.ExpiredSignatureError as error:
        raise expired() from error
    except jwt.PyJWTError as error:
        raise unauthorized("token_invalid", "The token was not signed by this installation, or was changed.") from error
    if not _claims_valid(claims):
        raise unauthorized("token_invalid", "The token has claims that this installation never signs.")
    caller = Caller(claims["sub"], claims["store"], frozenset(claims["scope"].split()))
    return Verified(caller, claims["exp"] + SKEW_S)


def expired() -> Problem:
    """401: the token has expired."""
    return unauthorized("token_expired", "The token has expired. Request a new one.")


def unauthorized(code: str, detail: str) -> Problem:
    """401: the token is not accepted (RFC 6750 3)."""
    header = f'Bearer realm="fealty", error="invalid_token", error_description="{detail}"'
    return Problem(code, detail, headers={"WWW-Authenticate": header})


def _claims_valid(claims: dict[str, Any]) -> bool:
    """Whether the claims have the types and at most the lifetime of issued tokens.

    So a token that was forged with an old key cannot be valid for years.
    """
    texts = all(isinstance(claims[name], str) for name in ("sub", "store", "scope"))
    times = type(claims["iat"]) is int and type(claims["exp"]) is int
    return texts and times and claims["exp"] - claims["iat"] <= TOKEN_LIFE_S

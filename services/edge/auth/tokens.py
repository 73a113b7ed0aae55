"""Access tokens: JSON Web Tokens, signed with HMAC-SHA256, that say who calls, for which store, and what for.

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
"""The only one that is accepted, whatever a token's header says."""

_CLAIMS = ("iss", "sub", "store", "scope", "iat", "exp", "jti")
_CHARS_MAX = 4_096


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request: a client, bound to a store, with the scopes of its token."""

    client: str
    store: str
    scopes: frozenset[str]

    @property
    def actor(self) -> str:
        """Who it is, as the journal, the statements and the access log say it."""
        return f"client:{self.client}"

    def need(self, *scopes: str) -> None:
        """Go on only with one of these scopes; routes name theirs, and what a body asks for may need another.

        :raises Problem: `insufficient_scope`; the header names the first of them, the narrowest.
        """
        if self.scopes.isdisjoint(scopes):
            told = f'Bearer realm="fealty", error="insufficient_scope", scope="{scopes[0]}"'
            detail = f"This operation needs the scope {' or '.join(scopes)}."
            raise Problem("insufficient_scope", detail, headers={"WWW-Authenticate": told})


@dataclass(frozen=True, slots=True)
class Verified:
    """What a good token says; `expires_at_s` is the second since the epoch at which it is good no longer."""

    caller: Caller
    expires_at_s: int


def issuer_of(settings: Settings) -> str:
    """Who signs this installation's tokens."""
    return f"urn:fealty:{settings.prefix}edge"


def sign(client: Client, scopes: Collection[str], key: SigningKey, issuer: str, now_s: int) -> str:
    """A token for a client, good for an hour from `now_s` on."""
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
    """The id of the key that a token names.

    :raises Problem: `token_invalid`.
    """
    if len(token) > _CHARS_MAX:
        raise refused("token_invalid", "The token is too long to be valid.")
    try:
        id_ = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError as error:
        raise refused("token_invalid", "The token cannot be read.") from error
    if not isinstance(id_, str):
        raise refused("token_invalid", "The token does not name its key.")
    return id_


def verify(token: str, key: SigningKey, issuer: str) -> Verified:
    """What a token says, when this key signed it and it is good now, give or take half a minute.

    :raises Problem: `token_expired` or `token_invalid`.
    """
    try:
        claims = jwt.decode(token, key.secret, [ALGORITHM], {"require": [*_CLAIMS]}, issuer=issuer, leeway=SKEW_S)
    except jwt.ExpiredSignatureError as error:
        raise expired() from error
    except jwt.PyJWTError as error:
        raise refused("token_invalid", "The token was not signed by this installation, or was changed.") from error
    if not _ours(claims):
        raise refused("token_invalid", "The token has claims that this installation never signs.")
    caller = Caller(claims["sub"], claims["store"], frozenset(claims["scope"].split()))
    return Verified(caller, claims["exp"] + SKEW_S)


def expired() -> Problem:
    """401: a token was good once."""
    return refused("token_expired", "The token has expired. Request a new one.")


def refused(code: str, detail: str) -> Problem:
    """401: a request without a token that is good (RFC 6750 3)."""
    told = f'Bearer realm="fealty", error="invalid_token", error_description="{detail}"'
    return Problem(code, detail, headers={"WWW-Authenticate": told})


def _ours(claims: dict[str, Any]) -> bool:
    """Whether the claims have the types and the life that we give; who has an old key cannot sign for years to come."""
    texts = all(isinstance(claims[name], str) for name in ("sub", "store", "scope"))
    times = type(claims["iat"]) is int and type(claims["exp"]) is int
    return texts and times and claims["exp"] - claims["iat"] <= TOKEN_LIFE_S

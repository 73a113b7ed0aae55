"""Authentication and authorization of requests: the token, its client, and the scope of the route."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from starlette.requests import Request
from structlog.contextvars import bind_contextvars

from services.edge.auth import tokens
from services.edge.auth.keys import Keyring, SigningKey
from services.edge.auth.rates import RateLimiter
from services.edge.auth.tokens import Caller, Verified
from services.edge.http.problems import Problem
from services.edge.views.views import Views
from shared.clock import instant, monotonic_s, now_ms
from shared.settings import Settings

PUBLIC_ROUTES = frozenset(
    {
        "/oauth/token",
        "/health/live",
        "/health/ready",
        "/openapi.json",
        "/docs",
        "/docs/start.js",
        "/docs/swagger-ui-bundle.js",
        "/docs/swagger-ui.css",
    }
)
"""Routes that need no token; every other route needs one."""

CLIENT_REFRESH_S, CLIENT_STALE_S = 20.0, 60.0
"""After `CLIENT_REFRESH_S` a cached client is read again in the background; after `CLIENT_STALE_S` its requests wait
for that read. So a disabled client is refused within a minute, and a busy client never waits for the database."""

_ANONYMOUS_SHARE = 10
"""The rate limit of requests without a valid token, per address, is that of a client divided by this."""

_TOKENS_MAX = 4_096
_CLIENTS_MAX = 4_096
_KEYS_INTERVAL_S = 1.0
"""The minimum time between two reads of the keys, however many tokens name unknown keys."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _ClientState:
    """Whether a client was enabled, and when that was read."""

    enabled: bool
    at_s: float


class Access:
    """Verifies tokens. Each token is decoded once and cached until it expires; later requests cost microseconds."""

    def __init__(self, views: Views, settings: Settings) -> None:
        self._views = views
        self.issuer = tokens.issuer_of(settings)
        self.client_rates = RateLimiter(settings.client_requests_per_s)
        self.anonymous_rates = RateLimiter(max(1, settings.client_requests_per_s // _ANONYMOUS_SHARE))
        self._ring: Keyring | None = None
        self._ring_at_s = float("-inf")
        self._ring_read: asyncio.Task[None] | None = None
        self._verified: OrderedDict[str, Verified] = OrderedDict()
        self._clients: OrderedDict[str, _ClientState] = OrderedDict()
        self._client_reads: dict[str, asyncio.Task[_ClientState]] = {}

    async def start(self) -> None:
        """Read the signing keys; the first process creates the first key.

        :raises Unavailable: the database cannot be reached.
        """
        await self._read_ring()

    async def caller(self, request: Request, *scopes: str) -> Caller:
        """The caller of a request whose token is valid and has one of the scopes.

        :raises Problem: `unauthenticated`, `token_expired`, `token_invalid`, `insufficient_scope` or
            `too_many_requests`.
        :raises Unavailable: the database of the keys and the clients cannot be reached.
        """
        try:
            caller = await self._authenticate(_bearer(request))
        except Problem:
            self.anonymous_rates.take(address_of(request))
            raise
        self.client_rates.take(caller.client)
        if scopes:
            caller.need(*scopes)
        return caller

    async def _authenticate(self, token: str) -> Caller:
        verified = self._verified.get(token)
        if verified is None:
            verified = await self._verify(token)
            _cache(self._verified, token, verified, _TOKENS_MAX)
        else:
            self._verified.move_to_end(token)
            if now_ms() >= verified.expires_at_s * 1000:
                del self._verified[token]
                raise tokens.expired()
        caller = verified.caller
        if not await self._enabled(caller.client):
            raise tokens.unauthorized("token_invalid", "The token's client is disabled.")
        bind_contextvars(actor=caller.actor, store=caller.store)  # For the access log, refused requests included.
        return caller

    async def _verify(self, token: str) -> Verified:
        id_ = tokens.key_id_of(token)
        key = self._key(id_)
        if key is None:
            await self._read_ring()
            key = self._key(id_)
        if key is None:
            raise tokens.unauthorized("token_invalid", "The token was signed with an unknown key.")
        return tokens.verify(token, key, self.issuer)

    def _key(self, id_: str) -> SigningKey | None:
        return None if self._ring is None else self._ring.find(id_, instant(now_ms()))

    async def _read_ring(self) -> None:
        """Read the keys: one read for all requests that wait, at most one in `_KEYS_INTERVAL_S`.

        :raises Unavailable: the database cannot be reached.
        """
        if self._ring_read is None:
            self._ring_read = asyncio.create_task(self._read_ring_at_interval())
        await asyncio.shield(self._ring_read)

    async def _read_ring_at_interval(self) -> None:
        await asyncio.sleep(self._ring_at_s + _KEYS_INTERVAL_S - monotonic_s())
        self._ring_read, self._ring_at_s = (
            None,
            monotonic_s(),
        )  # Later requests may have a newer key: they start a new read.
        async with self._views.credentials() as credentials:
            self._ring = await credentials.keys()

    async def _enabled(self, id_: str) -> bool:
        state = self._clients.get(id_)
        if state is None:
            return (await asyncio.shield(self._read_client(id_))).enabled
        if (age_s := monotonic_s() - state.at_s) >= CLIENT_REFRESH_S:
            read = self._read_client(id_)
            if age_s >= CLIENT_STALE_S:
                state = await asyncio.shield(read)
        return state.enabled

    def _read_client(self, id_: str) -> "asyncio.Task[_ClientState]":
        """Read whether a client is enabled: one read for all waiting requests; after a failure the next one retries."""
        read = self._client_reads.get(id_)
        if read is None:
            read = self._client_reads[id_] = asyncio.create_task(self._read_client_now(id_))
            read.add_done_callback(partial(self._client_read_ended, id_))
        return read

    async def _read_client_now(self, id_: str) -> _ClientState:
        began_s = monotonic_s()
        async with self._views.credentials() as credentials:
            client = await credentials.client(id_)
        state = _ClientState(client is not None and not client.disabled, began_s)
        _cache(self._clients, id_, state, _CLIENTS_MAX)
        return state

    def _client_read_ended(self, id_: str, read: "asyncio.Task[_ClientState]") -> None:
        del self._client_reads[id_]
        if not read.cancelled():
            read.exception()  # Mark it as retrieved: waiting requests raise it, a background refresh may fail.


def address_of(request: Request) -> str:
    """The address that a request comes from; a trusted proxy names the address of the original sender."""
    return request.client.host if request.client is not None else ""


def _bearer(request: Request) -> str:
    """The bearer token of a request.

    :raises Problem: `unauthenticated`: the request has none, or several.
    """
    headers = request.headers.getlist("authorization")
    if len(headers) == 1:
        scheme, _, token = headers[0].partition(" ")
        if scheme.lower() == "bearer" and (token := token.strip()):
            return token
    detail = "Send one header `Authorization: Bearer` with a token from /oauth/token."
    raise Problem("unauthenticated", detail, headers={"WWW-Authenticate": 'Bearer realm="fealty"'})


def _cache(cache: OrderedDict[str, Value], key: str, value: Value, entries_max: int) -> None:
    """Put a value into an LRU cache of at most `entries_max` entries."""
    cache[key] = value
    cache.move_to_end(key)
    if len(cache) > entries_max:
        cache.popitem(last=False)

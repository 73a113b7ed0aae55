"""Who may call a route: its scope, the token of the request, and the client that the token is for."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from starlette.requests import Request
from structlog.contextvars import bind_contextvars

from services.edge.auth import tokens
from services.edge.auth.keys import Keyring, SigningKey
from services.edge.auth.rates import Rates
from services.edge.auth.tokens import Caller, Verified
from services.edge.http.problems import Problem
from services.edge.views.views import Views
from shared.clock import instant, monotonic_s, now_ms
from shared.settings import Settings

OPEN = frozenset(
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
"""The routes that anybody may call; every other one has a scope."""

CLIENT_REFRESH_S, CLIENT_STALE_S = 20.0, 60.0
"""A client is read again in the background after the one, and before any request goes on after the other: so a
disabled one is refused within a minute, and no request of a busy one waits for the database."""

_STRANGERS_SHARE = 10
"""Of what a client may send a second, an address may send this part without a good token."""

_TOKENS_MAX = 4_096
_CLIENTS_MAX = 4_096
_KEYS_INTERVAL_S = 1.0
"""Tokens with made-up keys have the keys read again no more often than this."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Looked:
    """A client as it was seen when."""

    enabled: bool
    at_s: float


class Access:
    """Verifies tokens. Each is decoded once and remembered until it expires: what is left costs microseconds."""

    def __init__(self, views: Views, settings: Settings) -> None:
        self._views = views
        self.issuer = tokens.issuer_of(settings)
        self.rates = Rates(settings.client_requests_per_s)
        self.strangers = Rates(max(1, settings.client_requests_per_s // _STRANGERS_SHARE))
        self._ring: Keyring | None = None
        self._ring_at_s = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._verified: OrderedDict[str, Verified] = OrderedDict()
        self._clients: OrderedDict[str, _Looked] = OrderedDict()
        self._looking: dict[str, asyncio.Task[_Looked]] = {}

    async def start(self) -> None:
        """Read the keys; whoever is first makes the first one.

        :raises Unavailable: when the server is away.
        """
        await self._read_ring()

    async def caller(self, request: Request, *scopes: str) -> Caller:
        """Who sent a request, when their token is good and has one of the scopes.

        :raises Problem: `unauthenticated`, `token_expired`, `token_invalid`, `insufficient_scope` or
            `too_many_requests`.
        :raises Unavailable: when the server that knows the keys and the clients is away.
        """
        try:
            caller = await self._known(_bearer(request))
        except Problem:
            self.strangers.take(address_of(request))
            raise
        self.rates.take(caller.client)
        if scopes:
            caller.need(*scopes)
        return caller

    async def _known(self, token: str) -> Caller:
        verified = self._verified.get(token)
        if verified is None:
            verified = await self._verify(token)
            _remember(self._verified, token, verified, _TOKENS_MAX)
        else:
            self._verified.move_to_end(token)
            if now_ms() >= verified.expires_at_s * 1000:
                del self._verified[token]
                raise tokens.expired()
        caller = verified.caller
        if not await self._enabled(caller.client):
            raise tokens.refused("token_invalid", "The token's client is disabled.")
        bind_contextvars(actor=caller.actor, store=caller.store)  # For the access log, refusals included.
        return caller

    async def _verify(self, token: str) -> Verified:
        id_ = tokens.key_id_of(token)
        key = self._key(id_)
        if key is None:
            await self._read_ring()
            key = self._key(id_)
        if key is None:
            raise tokens.refused("token_invalid", "The token was signed with an unknown key.")
        return tokens.verify(token, key, self.issuer)

    def _key(self, id_: str) -> SigningKey | None:
        return None if self._ring is None else self._ring.find(id_, instant(now_ms()))

    async def _read_ring(self) -> None:
        """Read the keys, once for all who wait for them, and no more often than once in a while.

        :raises Unavailable: when the server is away.
        """
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_ring_soon())
        await asyncio.shield(self._reading)

    async def _read_ring_soon(self) -> None:
        await asyncio.sleep(self._ring_at_s + _KEYS_INTERVAL_S - monotonic_s())
        self._reading, self._ring_at_s = None, monotonic_s()  # Who comes from now on may have a newer key.
        async with self._views.credentials() as credentials:
            self._ring = await credentials.keys()

    async def _enabled(self, id_: str) -> bool:
        looked = self._clients.get(id_)
        if looked is None:
            return (await asyncio.shield(self._look(id_))).enabled
        if (age_s := monotonic_s() - looked.at_s) >= CLIENT_REFRESH_S:
            looking = self._look(id_)
            if age_s >= CLIENT_STALE_S:
                looked = await asyncio.shield(looking)
        return looked.enabled

    def _look(self, id_: str) -> "asyncio.Task[_Looked]":
        """Look whether a client may call, once for all who ask meanwhile; after a failure, the next one looks again."""
        looking = self._looking.get(id_)
        if looking is None:
            looking = self._looking[id_] = asyncio.create_task(self._look_now(id_))
            looking.add_done_callback(partial(self._looked, id_))
        return looking

    async def _look_now(self, id_: str) -> _Looked:
        began_s = monotonic_s()
        async with self._views.credentials() as credentials:
            client = await credentials.client(id_)
        looked = _Looked(client is not None and not client.disabled, began_s)
        _remember(self._clients, id_, looked, _CLIENTS_MAX)
        return looked

    def _looked(self, id_: str, looking: "asyncio.Task[_Looked]") -> None:
        del self._looking[id_]
        if not looking.cancelled():
            looking.exception()  # Whoever waits is told; in the background it may fail.


def address_of(request: Request) -> str:
    """Where a request comes from; a trusted proxy says so of those that it passes on."""
    return request.client.host if request.client is not None else ""


def _bearer(request: Request) -> str:
    """The token of a request.

    :raises Problem: `unauthenticated` when there is none, or more than one.
    """
    given = request.headers.getlist("authorization")
    if len(given) == 1:
        scheme, _, token = given[0].partition(" ")
        if scheme.lower() == "bearer" and (token := token.strip()):
            return token
    detail = "Send one header `Authorization: Bearer` with a token from /oauth/token."
    raise Problem("unauthenticated", detail, headers={"WWW-Authenticate": 'Bearer realm="fealty"'})


def _remember(known: OrderedDict[str, Value], name: str, value: Value, most: int) -> None:
    """Put a value last; the first goes when there are too many."""
    known[name] = value
    known.move_to_end(name)
    if len(known) > most:
        known.popitem(last=False)

"""An edge without servers: its commands are recorded and accepted; its clients and keys are in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import Response

from services.edge import main
from services.edge.auth.clients import SCOPES, Client, digest_of
from services.edge.auth.keys import Keyring, new_key, ring_of
from services.edge.auth.tokens import sign
from services.edge.bus.commands import CommandRequest
from services.edge.edge import Edge
from services.edge.http.answers import answer
from shared.clock import instant, now_ms
from shared.ids import new_id
from shared.settings import Settings
from tests.http.declared import check_declared


def a_client(*scopes: str, **more: Any) -> Client:
    """A client with these scopes, or with all."""
    fields = {"id": new_id(), "name": "c", "store": "default", "disabled": False, "used_at": None, **more}
    return Client(scopes=scopes or tuple(SCOPES), secret_digest=digest_of("s"), created_at=instant(now_ms()), **fields)


@dataclass
class FakeCredentials:
    """The keys and clients of an edge without a database, and the reads of each."""

    ring: Keyring = field(default_factory=lambda: ring_of(new_key()))
    by_id: dict[str, Client] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)

    async def keys(self) -> Keyring:
        """As the store's."""
        self.reads.append("keys")
        return self.ring

    async def client(self, id_: str) -> Client | None:
        """As the store's."""
        self.reads.append(id_)
        return self.by_id.get(id_)

    async def record_use(self, _: Client) -> None:
        """As the store's."""


@dataclass
class Offline:
    """The application, an HTTP client with all scopes, and the commands that the application sent."""

    app: FastAPI
    edge: Edge
    client: httpx.AsyncClient
    fake_credentials: FakeCredentials = field(default_factory=FakeCredentials)
    commands: list[CommandRequest] = field(default_factory=list)

    @asynccontextmanager
    async def credentials(self) -> AsyncIterator[FakeCredentials]:
        """The fake of the views' database."""
        yield self.fake_credentials

    def token(self, client: Client, *scopes: str, signed_at_s: int | None = None) -> str:
        """A token of a client, which is stored; with all of its scopes, or with these."""
        self.fake_credentials.by_id[client.id] = client
        issuer = self.edge.access.issuer
        at_s = now_ms() // 1000 if signed_at_s is None else signed_at_s
        return sign(client, scopes or client.scopes, self.fake_credentials.ring.current, issuer, at_s)

    async def execute(self, command: CommandRequest, _: Any = None) -> Response:
        """The fake of the bus."""
        self.commands.append(command)
        return answer({"transactionId": "t"})


@pytest.fixture
async def offline(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Offline]:
    """An edge that was never started."""
    edge = Edge(Settings(record_bytes_max=20_000))
    app = main.application(edge)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    hooks = {"response": [check_declared]}
    async with httpx.AsyncClient(transport=transport, base_url="http://edge", event_hooks=hooks) as client:
        offline = Offline(app, edge, client)
        monkeypatch.setattr(edge.bus, "execute", offline.execute)
        monkeypatch.setattr(edge.views, "credentials", offline.credentials)
        client.headers["Authorization"] = f"Bearer {offline.token(a_client())}"
        yield offline

"""An edge without servers: what it would send is recorded, and accepted."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import Response

from services.edge import main
from services.edge.answers import answer
from services.edge.bus import Ask
from services.edge.edge import Edge
from shared.settings import Settings


@dataclass
class Offline:
    """The application, an HTTP client for it, and the commands that it was asked to send."""

    app: FastAPI
    edge: Edge
    client: httpx.AsyncClient
    asked: list[Ask] = field(default_factory=list)

    async def execute(self, ask: Ask) -> Response:
        """Stands in for the bus."""
        self.asked.append(ask)
        return answer({"transactionId": "t"})


@pytest.fixture
async def offline(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Offline]:
    """An edge that was never started."""
    edge = Edge(Settings(record_bytes_max=20_000))
    app = main.application(edge)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
        offline = Offline(app, edge, client)
        monkeypatch.setattr(edge.bus, "execute", offline.execute)
        yield offline

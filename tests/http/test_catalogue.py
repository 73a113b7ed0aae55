"""The catalogue in the edge's memory: of two concurrent reads, the newer one stays."""

import asyncio
from typing import Any

import pytest

from services.edge.views.catalogue import PROGRAMMES
from services.edge.views.views import Views
from shared.runtime.health import Health
from shared.settings import Settings


class Slow:
    """A database whose first reading takes until it is let go; each finds what is there when it begins."""

    def __init__(self) -> None:
        self.stored: list[dict[str, Any]] = []
        self.let_go = asyncio.Event()
        self._first = True

    def __getitem__(self, name: str) -> "Found":
        waits, self._first = self._first, self._first and name != PROGRAMMES
        return Found(self.stored if name == PROGRAMMES else [], self.let_go if waits else None)


class Found:
    """A collection, and what a query on it gives."""

    def __init__(self, stored: list[dict[str, Any]], let_go: asyncio.Event | None) -> None:
        self._stored = stored
        self._let_go = let_go
        self._found: list[dict[str, Any]] = []

    def find(self, _: Any) -> "Found":
        self._found = [*self._stored]
        return self

    async def to_list(self, _: Any) -> list[dict[str, Any]]:
        if self._let_go is not None:
            await self._let_go.wait()
        return self._found


async def test_a_slow_older_read_does_not_replace_a_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue, database = Views(Settings(), Health(60)).catalogue, Slow()
    monkeypatch.setattr(catalogue._connection, "_database", database)
    older = asyncio.create_task(catalogue.read())
    await asyncio.sleep(0)
    database.stored.append({"_id": "programme/default/P", "view": {"programme": {"id": "P"}}})
    newer = asyncio.create_task(catalogue.read())
    await asyncio.sleep(0.01)
    database.let_go.set()
    await asyncio.gather(older, newer)
    assert [*catalogue.of("default").programmes] == ["P"]

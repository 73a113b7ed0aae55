"""The edge's views as one thing: connected at start, fed by topics, and written from replies."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from schemas.replies import SnapshotPart
from schemas.topics import TOPICS, Kind
from services.edge.auth.store import Credentials
from services.edge.views.connection import Connection, Database
from services.edge.views.table import Table
from services.edge.views.writing import SnapshotWriter
from shared.decider import Document
from shared.runtime.consumer import Batch
from shared.runtime.health import Health
from shared.settings import Settings


class Views(Table):
    """What this installation's edges last saw of the services, by view (table.py).

    Clients and signing keys lie in the same database.
    """

    def __init__(self, settings: Settings, health: Health) -> None:
        self._settings = settings
        self._state = health.part("edge:views")
        self.connection = Connection(settings)
        super().__init__(self.connection)
        self.snapshots = SnapshotWriter(self.connection, self.catalogue)

    async def start(self) -> None:
        """Connect, and create the indexes.

        :raises Unavailable: when the server is away.
        """
        self.connection.connect()
        async with self.connection.preparing() as database:
            for view in self.all:
                await view.prepare(database)
        await self.catalogue.read()
        self._state.joined()

    async def stop(self) -> None:
        """Disconnect."""
        await self.connection.close()

    async def check(self) -> None:
        """Turn once: look for what other edges may have been fed."""
        self._state.beat()
        if self.connection.connected:
            await self.catalogue.check()

    def feeds(self) -> Iterator[tuple[str, Callable[[Batch], Awaitable[None]]]]:
        """The topics that the views are made of, each with what takes its batches."""
        yield from ((topic.name, self.snapshots.feed) for topic in TOPICS.values() if topic.kind is Kind.SNAPSHOTS)
        yield from ((view.topic, view.feed) for view in self.all if view.topic is not None)

    async def apply(self, parts: Sequence[SnapshotPart], values: Sequence[Document], store: str) -> bool:
        """Write the snapshots and the changes that came with a reply to a caller of `store`.

        True when the next read sees them all.

        When that fails the outcome stands nevertheless: the feeds bring the same once the server answers.
        """
        written = await asyncio.gather(
            self.snapshots.apply(parts), self.statements.apply(values), self.giftcard_history.apply(store, values)
        )
        return all(written)

    @asynccontextmanager
    async def credentials(self) -> AsyncIterator[Credentials]:
        """The clients and the signing keys, for a look or a write.

        :raises Unavailable: when the server is away or slow.
        """
        async with self.database() as database:
            yield Credentials(database, self._settings)

    def database(self) -> AbstractAsyncContextManager[Database]:
        """The edge's own database, for a look or a durable write. Raises as :meth:`credentials`."""
        return self.connection.keeping()

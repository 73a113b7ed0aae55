"""What a view is: collections with their indexes, what they are fed with, and reads."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from pydantic import TypeAdapter
from pymongo import IndexModel

from services.edge.views.connection import Connection, Database
from services.edge.views.upserts import create
from shared.runtime.consumer import Batch
from shared.shapes import Shape


class Stored(NamedTuple):
    """A collection and its indexes."""

    name: str
    indexes: Sequence[IndexModel] = ()


class SnapshotType(NamedTuple):
    """The snapshots of one type: how they are checked, and in which collection and shape they are kept."""

    type: str
    adapter: TypeAdapter[Any]
    collection: str
    shape: Shape


class View:
    """A row of the table of views (table.py). A class says its collections, and one of two ways to be fed.

    `snapshots`: states of aggregates from any `<service>.snapshots`, written by writing.py where newer. Or a
    `topic`, whose batches come to :meth:`feed`. Reads are methods, which raise :class:`Unavailable`.
    """

    collections: ClassVar[tuple[Stored, ...]]
    snapshots: ClassVar[tuple[SnapshotType, ...]] = ()
    topic: ClassVar[str | None] = None

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def prepare(self, database: Database) -> None:
        """Create the indexes; done at each start, by several processes at once too."""
        for each in self.collections:
            if each.indexes:
                await create(database[each.name], each.indexes)

    async def feed(self, batch: Batch) -> None:
        """Write what a batch of `topic` brings; what is unreadable is logged, counted and left out.

        :raises Unavailable: when the server is away or slow; the batch is to be fed again.
        """
        raise NotImplementedError

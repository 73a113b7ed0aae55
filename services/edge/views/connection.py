"""The connection to the edge's own database: every use is bounded in time, and the driver's errors become ours."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pymongo
from pymongo import AsyncMongoClient, WriteConcern
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError

from shared.errors import TooSlow, Unavailable
from shared.servers import mongodb_options
from shared.settings import Settings

Database = AsyncDatabase[dict[str, Any]]

_DURABLE = WriteConcern(w="majority", j=True)
"""For the feed: once its offset is committed, nobody brings the snapshot again."""
_SEEN = WriteConcern(w=1, j=False)
"""For what comes with a reply: the next read sees it, and the feed brings it again, durably."""
_READ_TIMEOUT_S = 2.0
_PREPARE_TIMEOUT_S = 60.0
"""An index that is new to a large collection takes its time."""
_APPLY_TIMEOUT_S = 1.0


class Connection:
    """The database of the views, for one of four purposes, each with its own bound of time and write concern.

    Each context manager raises :class:`Unavailable` when the server is away, and :class:`TooSlow` when it is slow.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._client: AsyncMongoClient[dict[str, Any]] | None = None
        self._database: Database | None = None

    @property
    def connected(self) -> bool:
        """Whether :meth:`connect` was called."""
        return self._database is not None

    def connect(self) -> None:
        """Make the client, once; the server is asked with the first use."""
        if self._client is not None:
            return
        timeout_ms = self.settings.request_timeout_ms
        self._client = AsyncMongoClient(
            **mongodb_options(self.settings.mongodb, timeout_ms), socketTimeoutMS=timeout_ms * 3
        )
        self._database = self._client.get_database(self.settings.database("edge"), write_concern=_SEEN)

    async def close(self) -> None:
        """Disconnect."""
        if self._client is not None:
            await self._client.close()

    def reading(self) -> AbstractAsyncContextManager[Database]:
        """For a request that reads."""
        return self._within(_READ_TIMEOUT_S)

    def keeping(self) -> AbstractAsyncContextManager[Database]:
        """For a request's durable write."""
        return self._within(_READ_TIMEOUT_S, _DURABLE)

    def applying(self) -> AbstractAsyncContextManager[Database]:
        """For what came with a reply."""
        return self._within(_APPLY_TIMEOUT_S)

    def feeding(self) -> AbstractAsyncContextManager[Database]:
        """For what a feed brings."""
        return self._within(self.settings.request_timeout_ms / 1000, _DURABLE)

    def preparing(self) -> AbstractAsyncContextManager[Database]:
        """For the creation of indexes."""
        return self._within(_PREPARE_TIMEOUT_S)

    @asynccontextmanager
    async def _within(self, timeout_s: float, concern: WriteConcern | None = None) -> AsyncIterator[Database]:
        """Bound what happens inside, in the server too (`maxTimeMS`); the driver's errors become ours.

        Readiness is not touched: whether the server is away is found out by asking it, and not by what was asked of it.
        """
        if self._database is None:
            raise Unavailable("the views are not connected yet")
        database = self._database if concern is None else self._database.with_options(write_concern=concern)
        try:
            with pymongo.timeout(timeout_s):
                yield database
        except PyMongoError as error:
            if error.timeout and not isinstance(error, ServerSelectionTimeoutError):
                raise TooSlow(f"MongoDB: not done within {timeout_s:g} s") from error
            raise Unavailable(f"MongoDB: {type(error).__name__}") from error

"""`python -m bench.bare_route`: the other side of Get Customer. It reads the customer's document, and returns it.

The same server with the same settings, the same driver, the same document by its `_id`: no framework, no token, no
answer made of it.
"""

from typing import Any

import orjson
import uvloop
from pymongo import AsyncMongoClient

from services.edge.views.customers import CUSTOMERS, stream_of
from shared.runtime.http import make_server
from shared.runtime.tuning import tune_memory
from shared.servers import mongodb_options
from shared.settings import Settings

_JSON = [(b"content-type", b"application/json")]


class Route:
    """An ASGI application that takes the end of any path for a customer's id; of nobody it returns null."""

    def __init__(self, settings: Settings) -> None:
        self._client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(**mongodb_options(settings.mongodb))
        self._customers = self._client[settings.database("edge")][CUSTOMERS]
        self._store = settings.store

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer."""
        if scope["type"] == "lifespan":
            for done in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{done}.complete"})
            return
        who = scope["path"].rpartition("/")[2]
        found = await self._customers.find_one({"_id": stream_of(self._store, who)})
        body = orjson.dumps(found)
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [*_JSON, length]})
        await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    tune_memory()
    uvloop.run(make_server(Route(Settings()), Settings()).serve())

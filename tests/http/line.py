"""Raw connections to the real server, with an application that echoes what it received."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from shared.runtime.connections import REFUSALS
from shared.runtime.http import make_server
from shared.settings import Settings

SLOW_S = 0.6
LARGE = b"x" * 20_000_000


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the length of the body and the fields that it was given; `/large` with a lot, `/deaf` at once."""
    if scope["type"] == "lifespan":
        for done in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{done}.complete"})
        return
    size, more = 0, scope["path"] != "/deaf"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    if scope["path"] == "/slow":
        await asyncio.sleep(SLOW_S)
    fields = {name.decode(): value.decode()[:100] for name, value in scope["headers"]}
    received = {"size": size, "fields": fields, "client": scope["client"][0]}
    body = LARGE if scope["path"] == "/large" else json.dumps(received).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


class Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, raw: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(raw)
        await self.writer.drain()

    async def flood(self, bytes_max: int) -> int:
        """Send until the server cuts the connection; how much that was."""
        sent = 0
        try:
            while sent < bytes_max:
                await self.send(b"a" * 65_536)
                sent += 65_536
        except ConnectionError:
            pass
        return sent

    async def answer(self) -> tuple[int, dict[str, str], Any]:
        """Status, fields and body of the next answer."""
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)).decode()
        first, *lines = head.rstrip().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines)
        return int(first.split()[1]), fields, json.loads(await self.reader.readexactly(int(fields["content-length"])))

    async def ended(self) -> None:
        """Read until the server has closed."""
        try:
            while await asyncio.wait_for(self.reader.read(65_536), 5):
                pass
        except ConnectionError:
            pass

    async def refused(self, code: str) -> None:
        """The answer is the problem `code`, and the end of the connection."""
        status, fields, problem = await self.answer()
        assert (status, problem["status"], problem["code"]) == (REFUSALS[code][0], status, code)
        assert problem["title"] == REFUSALS[code][1]
        assert fields["content-type"] == "application/problem+json"
        assert fields["connection"] == "close"
        await self.ended()


Connect = Callable[[], Awaitable[Line]]


@asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[Connect]:
    """The real server over :func:`application`; what is connected to it."""
    server = make_server(application, Settings(port=0, **settings))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    lines: list[Line] = []

    async def connect() -> Line:
        lines.append(Line(*await asyncio.open_connection("127.0.0.1", port)))
        return lines[-1]

    try:
        yield connect
    finally:
        for line in lines:
            line.writer.close()
        server.should_exit = True
        await running

"""A caller that costs next to nothing, so that what is measured is the edge: over connections that stay open.

With an access token, as every caller has one.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from statistics import quantiles
from time import perf_counter

from cli.commands.demo_clients import Held
from cli.commands.tokens import fetch_token
from services.edge.auth.clients import new_secret
from services.edge.auth.store import credentials_of
from shared.ids import new_id
from shared.settings import Settings

_HOST = "127.0.0.1"


class Caller:
    """One connection, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
        self._reader = reader
        self._writer = writer
        self._head = f"Host: {_HOST}\r\nAccept: */*\r\nAuthorization: Bearer {token}\r\n"

    async def get(self, path: str) -> tuple[int, bytes]:
        """The status and the body of the answer, which says how long it is."""
        self._writer.write(f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode())
        return await self._answer()

    async def post(self, path: str, body: bytes, key: str) -> tuple[int, bytes]:
        """The same of a JSON body that is posted under an idempotency key."""
        said = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nIdempotency-Key: {key}\r\n"
        self._writer.write(f"POST {path} HTTP/1.1\r\n{self._head}{said}\r\n".encode() + body)
        return await self._answer()

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def _answer(self) -> tuple[int, bytes]:
        head = await self._reader.readuntil(b"\r\n\r\n")
        first, _, rest = head.partition(b"\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in rest.split(b"\r\n") if line)
        return int(first.split(b" ", 2)[1]), await self._reader.readexactly(int(fields[b"content-length"]))


async def access_token(settings: Settings, port: int, scope: str) -> str:
    """A token from the edge on a port of this machine, for a new client that has one scope."""
    secret = new_secret()
    async with credentials_of(settings) as credentials:
        client = await credentials.add(new_id(), [scope], settings.store, secret)
    return await fetch_token(f"http://{_HOST}:{port}", Held(client_id=client.id, client_secret=secret))


@asynccontextmanager
async def callers(port: int, count: int, token: str) -> AsyncIterator[list[Caller]]:
    """So many connections to a port of this machine."""
    made = [await connected(port, token) for _ in range(count)]
    try:
        yield made
    finally:
        for caller in made:
            caller.close()


async def connected(port: int, token: str) -> Caller:
    """One connection more."""
    return Caller(*await asyncio.open_connection(_HOST, port), token)


async def latencies_ms(team: Sequence[Caller], paths: Iterable[str]) -> list[float]:
    """How long getting each of these took, all callers asking side by side.

    :raises ValueError: an answer was not 200.
    """
    found, left = list[float](), iter(paths)

    async def ask(caller: Caller) -> None:
        for path in left:
            started_s = perf_counter()  # The loop's clock has whole milliseconds.
            status, body = await caller.get(path)
            found.append((perf_counter() - started_s) * 1e3)
            if status != 200:
                raise ValueError(f"{path}: {status} {body[:200].decode(errors='replace')}")

    await asyncio.gather(*map(ask, team))
    return found


def p50_p99(latencies: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    cuts = quantiles(latencies, n=100, method="inclusive")
    return cuts[49], cuts[98]

"""A caller that costs next to nothing, so that what is measured is the edge: GET over connections that stay open."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from statistics import quantiles
from time import perf_counter

_HOST = "127.0.0.1"


class Caller:
    """One connection, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def get(self, path: str) -> tuple[int, bytes]:
        """The status and the body of the answer, which says how long it is."""
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: {_HOST}\r\nAccept: */*\r\n\r\n".encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        first, _, rest = head.partition(b"\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in rest.split(b"\r\n") if line)
        return int(first.split(b" ", 2)[1]), await self._reader.readexactly(int(fields[b"content-length"]))


@asynccontextmanager
async def callers(port: int, count: int) -> AsyncIterator[list[Caller]]:
    """So many connections to a port of this machine."""
    made = [await asyncio.open_connection(_HOST, port) for _ in range(count)]
    try:
        yield [Caller(reader, writer) for reader, writer in made]
    finally:
        for _, writer in made:
            writer.close()


async def latencies_ms(team: Sequence[Caller], path: str, requests: int) -> list[float]:
    """How long each of so many requests took, all callers asking side by side.

    :raises ValueError: an answer was not 200.
    """
    found, left = list[float](), iter(range(requests))

    async def ask(caller: Caller) -> None:
        for _ in left:
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

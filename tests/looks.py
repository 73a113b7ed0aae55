"""How tests look at what runs: whether it answers, until it is so, and what is in a record."""

import asyncio
import json
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from itertools import cycle, islice
from typing import Any

import httpx
from aiokafka import ConsumerRecord

POLL_S = 0.05


async def answers(url: str) -> bool:
    """Whether the URL answers 200."""
    async with httpx.AsyncClient(timeout=2, verify=False) as client:
        try:
            return (await client.get(url)).status_code == 200
        except httpx.TransportError:
            return False


async def eventually(look: Callable[[], Any], wanted: Any, timeout_s: float = 30) -> None:
    """Wait until `look()` gives `wanted`; the assertion error shows what it gave last."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while (seen := await look()) != wanted:
        assert asyncio.get_running_loop().time() < deadline, f"still {seen!r}, not {wanted!r}, after {timeout_s} s"
        await asyncio.sleep(POLL_S)


_PORTS_EACH = 1_000
_first_port = 10_000 + _PORTS_EACH * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 10)
_ports = cycle(range(_first_port, _first_port + _PORTS_EACH))


def free_port() -> int:
    """A port that nobody listens on now.

    No other pytest process is given it, and the kernel gives it to no connection before it is listened on.
    """
    for port in islice(_ports, _PORTS_EACH):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")


def payload(record: ConsumerRecord[bytes, bytes]) -> dict[str, Any]:
    """The JSON value of a record."""
    value: dict[str, Any] = json.loads(record.value or b"null")
    return value


def header(record: ConsumerRecord[bytes, bytes], name: str) -> str | None:
    """One header of a record, as text."""
    return next((value.decode() for key, value in record.headers if key == name), None)

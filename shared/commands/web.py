"""Calling HTTP from a command, with nothing but the standard library."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

_TIMEOUT_S = 15.0
_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: its status, and its body parsed as JSON, or None when it is none."""

    status: int
    body: Any


async def call(method: str, url: str, body: Any = None, headers: Mapping[str, str] = MappingProxyType({})) -> Answer:
    """Send a request and wait for its answer, whatever its status. `body` is sent as JSON, unless it is bytes.

    :raises OSError: nobody answers.
    """
    return await asyncio.to_thread(_call, method, url, body, headers)


async def ready(base: str) -> bool:
    """Whether the process at `base` says that it is ready.

    :raises OSError: nobody answers.
    """
    return (await call("GET", f"{base}/health/ready")).status == 200


def _call(method: str, url: str, body: Any, headers: Mapping[str, str]) -> Answer:
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers}, method=method)
    try:
        with _NO_PROXY.open(request, timeout=_TIMEOUT_S) as response:
            return Answer(response.status, _parsed(response.read()))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, _parsed(error.read()))


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None

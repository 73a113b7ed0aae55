"""Calling HTTP from a command, with nothing but the standard library."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from shared.runtime.health import STOPPED_AT

_TIMEOUT_S = 15.0
_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: its status, its body parsed as JSON, or None when it is none, and as text."""

    status: int
    body: Any
    text: str = ""


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


async def works(base: str) -> tuple[bool, list[str]]:
    """Whether the process at `base` does all that it can do now, and the parts of it that wait for an operator.

    A partition that was stopped makes a process not ready, and no waiting helps: the rest of it works.

    :raises OSError: nobody answers.
    """
    answer = await call("GET", f"{base}/health/ready")
    troubles = [] if answer.status == 200 else answer.text.splitlines()
    stopped = [line for line in troubles if f": {STOPPED_AT} " in line]
    return answer.status == 200 or (bool(stopped) and len(stopped) == len(troubles)), stopped


def _call(method: str, url: str, body: Any, headers: Mapping[str, str]) -> Answer:
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers}, method=method)
    try:
        with _NO_PROXY.open(request, timeout=_TIMEOUT_S) as response:
            return _answer(response.status, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.read())


def _answer(status: int, raw: bytes) -> Answer:
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    return Answer(status, body, raw.decode(errors="replace"))

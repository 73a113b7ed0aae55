"""Every answer of an edge in the tests is held against the OpenAPI document: its status and its headers."""

import json
import re
from typing import Any

import httpx

from services.edge.main import create_app
from shared.settings import Settings

DOCUMENT: dict[str, Any] = json.loads(json.dumps(create_app(Settings()).openapi()))

_GENERAL = frozenset(
    {
        *("content-length", "content-type", "x-content-type-options"),
        *("connection", "date", "server", "transfer-encoding"),
    }
)
"""What HTTP itself brings, or what every answer has."""

_PATHS = [
    (re.compile(re.sub(r"\{\w+\}", "[^/]+", path), re.IGNORECASE), operations)
    for path, operations in sorted(DOCUMENT["paths"].items())
]


async def check_declared(response: httpx.Response) -> None:
    """Fail when an answer of a documented operation has another status or other headers than the document says."""
    assert not (found := undeclared(response)), f"{response.request.method} {response.request.url.path}: {found}"


def undeclared(response: httpx.Response) -> list[str]:
    """What an answer has that is not declared, and what it lacks although it is."""
    operation = operation_of(response.request.method, response.request.url.raw_path.decode().partition("?")[0])
    if operation is None:
        return []
    declared = operation["responses"].get(str(response.status_code))
    if declared is None:
        return [f"the status {response.status_code} is not declared"]
    headers = {name.lower(): header for name, header in declared.get("headers", {}).items()}
    sent = set(response.headers) - _GENERAL
    required = {name for name, header in headers.items() if header["required"]}
    return [
        *(f"the header {name} is not declared for {response.status_code}" for name in sorted(sent - set(headers))),
        *(f"the header {name} is declared for {response.status_code}" for name in sorted(required - sent)),
    ]


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """The operation of a call; None when the document has none, as of HEAD and of unknown paths."""
    matching = (operations for pattern, operations in _PATHS if pattern.fullmatch(path))
    return next((found for each in matching if (found := each.get(method.lower())) is not None), None)

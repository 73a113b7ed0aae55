"""Checks the status and the headers of every response in the tests against the OpenAPI document."""

import json
import re
from collections.abc import Mapping
from typing import Any

import httpx

from schemas.transaction import MISSPELT
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
    (re.compile(re.sub(r"\{\w+\}", "[^/]+", path), re.IGNORECASE), path, operations)
    for path, operations in sorted(DOCUMENT["paths"].items())
]


def example_of(operation: Mapping[str, Any]) -> bytes:
    """The first example of an operation's body as it is sent; nothing when it has no body."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return next((json.dumps(each["value"]).encode() for each in content.get("examples", {}).values()), b"")


async def check_declared(response: httpx.Response) -> None:
    """Fail when an answer of a documented operation has another status or other headers than the document says."""
    assert not (found := undeclared(response)), f"{response.request.method} {response.request.url.path}: {found}"
    await response.aread()
    assert not (lost := lost_pointers(response)), f"{response.request.method} {response.request.url.path}: {lost}"


def lost_pointers(response: httpx.Response) -> list[str]:
    """The pointers of a problem that lead to no member of the sent body and to no absent member of one."""
    if (
        response.request.method == "HEAD"
        or response.status_code < 400
        or "problem+json" not in response.headers.get("content-type", "")
    ):
        return []
    document = response.json()
    try:
        body = json.loads(response.request.content or b"{}", parse_int=str, parse_float=str)
    except (ValueError, RecursionError, httpx.RequestNotRead):
        body = {}
    faults = (document, *document.get("errors", ()))
    pointers = [each["pointer"] for each in faults if each.get("pointer") is not None]
    return [each for each in pointers if not _leads(body, each)]


def _leads(found: Any, pointer: str) -> bool:
    steps = [step.replace("~1", "/").replace("~0", "~").lower() for step in pointer.split("/")[1:]]
    for at, step in enumerate(steps):
        if isinstance(found, dict):
            known = {MISSPELT.get(str(name).lower(), str(name)): name for name in found}
            known = {name.lower().encode(errors="replace").decode(): key for name, key in known.items()}
            if step not in known:
                return at == len(steps) - 1
            found = found[known[step]]
        elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
        else:
            return False
    return True


def undeclared(response: httpx.Response) -> list[str]:
    """The undeclared status and headers of a response, and the declared headers that it lacks."""
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
    """The operation of a request; None if the document has none, as for HEAD and unknown paths."""
    route = route_of(method, path)
    return None if route is None else DOCUMENT["paths"][route][method.lower()]


def route_of(method: str, path: str) -> str | None:
    """The path of a call as the document names it, with its parameters; None when it has no such operation."""
    matching = ((route, operations) for pattern, route, operations in _PATHS if pattern.fullmatch(path))
    return next((route for route, operations in matching if method.lower() in operations), None)

"""The mark `exercises`: a test fails when a running edge did not answer the operation that it names with success."""

from collections.abc import Iterable

import httpx

from tests.api_coverage import key
from tests.http.declared import route_of

answered: set[str] = set()
"""The operations that an edge answered with success since the last `answered.clear()`, by their keys."""


async def note_answered(response: httpx.Response) -> None:
    """Remember what was called; a hook of the clients that call a running edge, and of no others."""
    method, path = response.request.method, response.request.url.raw_path.decode().partition("?")[0]
    route = route_of(method, path)
    if response.is_success and route is not None:
        answered.add(key(f"{method} {route}"))


def not_exercised(names: Iterable[str]) -> list[str]:
    """Those of the operations that were not answered with success."""
    return [name for name in names if key(name) not in answered]

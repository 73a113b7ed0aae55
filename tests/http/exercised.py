"""The mark `exercises`: a test fails if no running edge answered the operation that it names with success."""

from collections.abc import Iterable

import httpx

from tests.api_coverage import key
from tests.http.declared import route_of

answered: set[str] = set()
"""The operations that an edge answered with success since the last `answered.clear()`, by their keys."""


async def note_answered(response: httpx.Response) -> None:
    """Record a successful operation; a response hook of the clients of running edges."""
    method, path = response.request.method, response.request.url.raw_path.decode().partition("?")[0]
    route = route_of(method, path)
    if response.is_success and route is not None:
        answered.add(key(f"{method} {route}"))


def not_exercised(names: Iterable[str]) -> list[str]:
    """The operations of these names that were not answered with success."""
    return [name for name in names if key(name) not in answered]

"""Pages of a list: how many members one has, and where the next one is."""

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import Query
from starlette.requests import Request

from services.edge.http.parameters import text, whole_number
from services.edge.http.problems import Problem, wrong

SIZE_MAX, SIZE = 100, 25
CURSOR_CHARS_MAX = 4_096

PageSize = Annotated[
    int, *whole_number(1, SIZE_MAX, SIZE), Query(alias="size", description="How many members a page has at most.")
]
Cursor = Annotated[
    str | None,
    *text(CURSOR_CHARS_MAX),
    Query(alias="cursor", description="From the page before: where this one begins. Opaque."),
]


def not_ours() -> Problem:
    """400: a cursor that was not written here, or for other filters."""
    return wrong("cursor", "Use the cursor of `next` unchanged, with the same filters.")


def following(request: Request, name: str, place: str) -> str:
    """The path of the page after this one: what was asked, from another place on, which the parameter `name` says."""
    kept = [(given, value) for given, value in request.query_params.multi_items() if given != name]
    return f"{quote(request.scope['path'])}?{urlencode([*kept, (name, place)])}"

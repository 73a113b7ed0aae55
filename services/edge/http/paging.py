"""Paging of lists: the page size, the cursor, and the path of the next page."""

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import Query
from starlette.requests import Request

from services.edge.http.parameters import text, whole_number
from services.edge.http.problems import Problem, invalid_parameter

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


def invalid_cursor() -> Problem:
    """400: the cursor is forged, or belongs to other filters."""
    return invalid_parameter("cursor", "Use the cursor of `next` unchanged, with the same filters.")


def next_page(request: Request, name: str, value: str) -> str:
    """The path of the next page: that of the request, with another value of the parameter `name`."""
    others = [item for item in request.query_params.multi_items() if item[0] != name]
    return f"{quote(request.scope['path'])}?{urlencode([*others, (name, value)])}"

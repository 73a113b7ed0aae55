"""Pages of a list: which parameters they take, how many members one has, and where the next one is."""

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from schemas.text import LINE
from services.edge.http import query
from services.edge.http.problems import Problem
from services.edge.http.query import Values

CHARS_MAX = 64
SIZE_MAX = 100
_SIZE = 25

TEXT = {"type": "string", "minLength": 1, "maxLength": CHARS_MAX, "pattern": LINE.pattern}
INSTANT = {"type": "string", "format": "date-time"}


def parameter(name: str, description: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A parameter of the query, as the OpenAPI document describes it."""
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema, **more}


def sized(members: str) -> dict[str, Any]:
    """The parameter that says how many `members` a page has at most."""
    schema = {"type": "integer", "minimum": 1, "maximum": SIZE_MAX, "default": _SIZE}
    return parameter("size", f"How many {members} a page has at most.", schema)


_OPAQUE = {"type": "string", "minLength": 1, "pattern": LINE.pattern}
CURSOR = parameter("cursor", "From the page before: where this one begins. Opaque.", _OPAQUE)


def size_of(given: Values) -> int:
    """How many members the page has at most.

    :raises Problem: `invalid_parameter`.
    """
    return query.number(given, "size", 1, SIZE_MAX, _SIZE)


def text(given: Values, name: str) -> str | None:
    """A filter by a text. Raises as :func:`size_of`."""
    return query.text(given, name, CHARS_MAX)


def not_ours() -> Problem:
    """400: a cursor that was not written here, or for other filters."""
    return query.wrong("cursor", "take the next page's as it was given, with the same filters")


def following(request: Request, path: str, name: str, place: str) -> str:
    """The path of the page after this one: what was asked, from another place on, which the parameter `name` says."""
    kept = [(given, value) for given, value in request.query_params.multi_items() if given != name]
    return f"{path}?{urlencode([*kept, (name, place)])}"

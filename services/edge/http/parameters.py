"""What operations take from path and query, as types: FastAPI checks and documents them.

A parameter that is unknown, given twice or unreadable is never ignored.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Path, Query
from fastapi.openapi.models import Example
from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError
from starlette.requests import Request

from schemas.text import IDENTIFIER, IDENTIFIER_CHARS_MAX, LINE, Characters, Checked
from services.edge.http.problems import wrong
from services.edge.http.router import FamilyRoute

CHARS_MAX = 64

_NOT_UTF8 = "\ufffd"
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_NUMBER = re.compile(r"[0-9]{1,9}")
_MS = timedelta(milliseconds=1)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(microsecond=999_000, tzinfo=UTC)


def check_query(request: Request) -> None:
    """Refuse parameters that the operation does not have, and a second value of one that is given once.

    :raises Problem: `invalid_parameter`.
    """
    route = request.scope["route"]
    if not request.scope["query_string"] or not isinstance(route, FamilyRoute):
        return
    seen = set()
    for name, _ in request.query_params.multi_items():
        if name not in route.query:
            raise wrong(name, "There is no such parameter.")
        if name in seen and not route.query[name]:
            raise wrong(name, "Give it once.")
        seen.add(name)


def _refused(detail: str) -> PydanticCustomError:
    return PydanticCustomError("parameter", "{detail}", {"detail": detail})


def _one(value: str) -> dict[str, Example]:
    return {"one": {"value": value}}


# ── the path ────────────────────────────────────────────────────────────────────────────────────────────────────────

_IDENTIFIER = Checked(IDENTIFIER, IDENTIFIER_CHARS_MAX, 1)

AccountNumber = Annotated[
    str,
    _IDENTIFIER,
    Path(
        alias="accountNumber",
        description="A card's or account's number: an opaque string.",
        openapi_examples=_one("6299000000000000017"),
    ),
]
CustomerId = Annotated[
    str,
    _IDENTIFIER,
    Path(
        alias="customerId",
        description="A customer's id, as Create answered it.",
        openapi_examples=_one("0199d2a5-7c00-7000-8000-00000000000c"),
    ),
]
SerialId = Annotated[
    str,
    _IDENTIFIER,
    Path(
        alias="serialId",
        description="A voucher's serial: an opaque string.",
        openapi_examples=_one("6666160395443995410"),
    ),
]
TierSetId = Annotated[
    str,
    _IDENTIFIER,
    Path(alias="tierSet", description="A tier set's id, as it was declared.", openapi_examples=_one("LEVELS")),
]
RefusalId = Annotated[
    str,
    Checked(LINE, CHARS_MAX, 1),
    Path(
        alias="refusalId",
        description="A refusal's id, as the list shows it.",
        openapi_examples=_one("5d0d1f0a-7c00-5000-8000-000000000001"),
    ),
]
OperationId = Annotated[
    str,
    Checked(LINE, 200, 1),
    Path(
        alias="operationId",
        description="As the `Location` of a 202 or 504 named it; good for the client that got it.",
    ),
]


# ── the query ───────────────────────────────────────────────────────────────────────────────────────────────────────


def text(chars_max: int, characters: Characters = LINE) -> tuple[Any, ...]:
    """The parts of a text's type: 1 to `chars_max` characters."""

    def checked(value: Any) -> Any:
        if value is None:
            return None
        if not 1 <= len(value) <= chars_max or _NOT_UTF8 in value:
            raise _refused(f"It must have 1 to {chars_max} characters of UTF-8.")
        if not characters.fit(value):
            raise _refused(f"It {characters.wanted}.")
        return value

    schema = {"type": "string", "minLength": 1, "maxLength": chars_max, "pattern": characters.pattern}
    return BeforeValidator(checked), WithJsonSchema(schema)


def filter_texts(most: int, known: Sequence[str]) -> tuple[Any, ...]:
    """The parts of the type of texts to filter by, of which any may be met: each counts once, `most` at most.

    Some of the `known` ones are shown as examples.
    """
    each, _ = text(CHARS_MAX)

    def checked(values: Any) -> tuple[str, ...]:
        found = sorted({each.func(value) for value in values})
        if len(found) > most:
            raise _refused(f"At most {most} different values are allowed.")
        return tuple(found)

    one = {"type": "string", "minLength": 1, "maxLength": CHARS_MAX, "pattern": LINE.pattern}
    schema = {"type": "array", "items": {**one, "examples": [*known]}, "maxItems": most}
    return BeforeValidator(checked), WithJsonSchema(schema)


FilterText = Annotated[str | None, *text(CHARS_MAX)]
"""A text to filter by; null when it is not given."""

Reason = Annotated[str, *text(200), Query(alias="reason", description="Why, for whoever reads it later.")]


def whole_number(least: int, most: int, default: int) -> tuple[Any, ...]:
    """The parts of a whole number's type, which is written in digits alone."""

    def checked(value: Any) -> int:
        if isinstance(value, str) and (not _NUMBER.fullmatch(value) or not least <= int(value) <= most):
            raise _refused(f"It must be a whole number from {least} to {most}.")
        return int(value)

    schema = {"type": "integer", "minimum": least, "maximum": most, "default": default}
    return BeforeValidator(checked), WithJsonSchema(schema)


def _instant(*, up: bool) -> tuple[Any, ...]:
    """The parts of an instant's type: an RFC 3339 time with its offset, in whole milliseconds, rounded `up` or down.

    Bookings lie on whole milliseconds, so that rounding a bound the right way changes nothing.
    """

    def checked(value: Any) -> datetime | None:
        return None if value is None else instant_of(value, up=up)

    return BeforeValidator(checked), WithJsonSchema({"type": "string", "format": "date-time"})


def instant_of(value: str, *, up: bool) -> datetime:
    """A UTC instant; what lies beyond the calendar in UTC is its first or last instant, before or after all bookings.

    :raises PydanticCustomError: it is not one.
    """
    try:
        if not _RFC3339.fullmatch(value):
            raise ValueError("not RFC 3339")
        written = datetime.fromisoformat(value.upper())
    except ValueError as error:
        raise _refused(
            "It must be an RFC 3339 time such as 2026-11-22T10:00:00Z, with any + written as %2B."
        ) from error
    try:
        exact = written.astimezone(UTC)
        cut = exact.replace(microsecond=exact.microsecond // 1000 * 1000)
        return cut + _MS if up and cut < exact else cut
    except OverflowError:
        return _LAST if written.year > 1 else _FIRST


Bound = Annotated[datetime | None, *_instant(up=True)]
"""An instant that bounds a list from below or above; null when it is not given."""

At = Annotated[
    datetime,
    *_instant(up=False),
    Query(
        alias="at",
        description="The instant to show, by time of booking.",
        openapi_examples=_one("2026-12-31T23:59:59.999Z"),
    ),
]

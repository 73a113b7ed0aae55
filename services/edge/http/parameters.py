"""Types of path and query parameters, which FastAPI validates and documents.

Unknown, repeated and invalid parameters are refused, never ignored.
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
from services.edge.http.problems import invalid_parameter
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
    """Refuse unknown parameters, and repeated ones that may be given only once.

    :raises Problem: `invalid_parameter`.
    """
    route = request.scope["route"]
    if not request.scope["query_string"] or not isinstance(route, FamilyRoute):
        return
    seen = set()
    for name, _ in request.query_params.multi_items():
        if name not in route.query_parameters:
            raise invalid_parameter(name, "There is no such parameter.")
        if name in seen and not route.query_parameters[name]:
            raise invalid_parameter(name, "Give it once.")
        seen.add(name)


def _invalid(detail: str) -> PydanticCustomError:
    return PydanticCustomError("parameter", "{detail}", {"detail": detail})


def _example(value: str) -> dict[str, Example]:
    return {"one": {"value": value}}


# ── the path ────────────────────────────────────────────────────────────────────────────────────────────────────────

_IDENTIFIER = Checked(IDENTIFIER, IDENTIFIER_CHARS_MAX, 1)

AccountNumber = Annotated[
    str,
    _IDENTIFIER,
    Path(
        alias="accountNumber",
        description="A card's or account's number: an opaque string.",
        openapi_examples=_example("6299000000000000017"),
    ),
]
CustomerId = Annotated[
    str,
    _IDENTIFIER,
    Path(
        alias="customerId",
        description="A customer's id, as Create answered it.",
        openapi_examples=_example("0199d2a5-7c00-7000-8000-00000000000c"),
    ),
]
SerialId = Annotated[
    str,
    _IDENTIFIER,
    Path(
        alias="serialId",
        description="A voucher's serial: an opaque string.",
        openapi_examples=_example("6666160395443995410"),
    ),
]
SerialNumber = Annotated[
    str,
    _IDENTIFIER,
    Path(
        alias="serialNumber",
        description="A gift card's serial number: an opaque string.",
        openapi_examples=_example("100200300"),
    ),
]
BatchId = Annotated[
    str,
    _IDENTIFIER,
    Path(
        alias="batchId",
        description="The id of a batch of gift cards, as its opener chose it.",
        openapi_examples=_example("summer-2026"),
    ),
]
TierSetId = Annotated[
    str,
    _IDENTIFIER,
    Path(alias="tierSet", description="A tier set's id, as it was declared.", openapi_examples=_example("LEVELS")),
]
RefusalId = Annotated[
    str,
    Checked(LINE, CHARS_MAX, 1),
    Path(
        alias="refusalId",
        description="A refusal's id, as the list shows it.",
        openapi_examples=_example("5d0d1f0a-7c00-5000-8000-000000000001"),
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
    """The annotations of a text of 1 to `chars_max` characters."""

    def validate(value: Any) -> Any:
        if value is None:
            return None
        if not 1 <= len(value) <= chars_max or _NOT_UTF8 in value:
            raise _invalid(f"It must have 1 to {chars_max} characters of UTF-8.")
        if not characters.fit(value):
            raise _invalid(f"It {characters.wanted}.")
        return value

    schema = {"type": "string", "minLength": 1, "maxLength": chars_max, "pattern": characters.pattern}
    return BeforeValidator(validate), WithJsonSchema(schema)


def filter_texts(values_max: int, known: Sequence[str]) -> tuple[Any, ...]:
    """The annotations of a filter with at most `values_max` different texts, one of which must match.

    The document shows the `known` values as examples.
    """
    each, _ = text(CHARS_MAX)

    def validate(values: Any) -> tuple[str, ...]:
        found = sorted({each.func(value) for value in values})
        if len(found) > values_max:
            raise _invalid(f"At most {values_max} different values are allowed.")
        return tuple(found)

    one = {"type": "string", "minLength": 1, "maxLength": CHARS_MAX, "pattern": LINE.pattern}
    schema = {"type": "array", "items": {**one, "examples": [*known]}, "maxItems": values_max}
    return BeforeValidator(validate), WithJsonSchema(schema)


FilterText = Annotated[str | None, *text(CHARS_MAX)]
"""A filter by a text; None if absent."""

Reason = Annotated[str, *text(200), Query(alias="reason", description="The reason, for later readers.")]


def whole_number(minimum: int, maximum: int, default: int) -> tuple[Any, ...]:
    """The annotations of a whole number, written in digits only."""

    def validate(value: Any) -> int:
        if isinstance(value, str) and (not _NUMBER.fullmatch(value) or not minimum <= int(value) <= maximum):
            raise _invalid(f"It must be a whole number from {minimum} to {maximum}.")
        return int(value)

    schema = {"type": "integer", "minimum": minimum, "maximum": maximum, "default": default}
    return BeforeValidator(validate), WithJsonSchema(schema)


def _instant(*, up: bool) -> tuple[Any, ...]:
    """The annotations of an instant: an RFC 3339 time with an offset, rounded `up` or down to milliseconds.

    Bookings have whole milliseconds, so rounding a bound in the right direction selects the same bookings.
    """

    def validate(value: Any) -> datetime | None:
        return None if value is None else instant_of(value, up=up)

    return BeforeValidator(validate), WithJsonSchema({"type": "string", "format": "date-time"})


def instant_of(value: str, *, up: bool) -> datetime:
    """Parse an instant; one outside of the calendar in UTC becomes its first or last instant.

    :raises PydanticCustomError: the text is not an RFC 3339 time.
    """
    try:
        if not _RFC3339.fullmatch(value):
            raise ValueError("not RFC 3339")
        parsed = datetime.fromisoformat(value.upper())
    except ValueError as error:
        raise _invalid(
            "It must be an RFC 3339 time such as 2026-11-22T10:00:00Z, with any + written as %2B."
        ) from error
    try:
        utc = parsed.astimezone(UTC)
        truncated = utc.replace(microsecond=utc.microsecond // 1000 * 1000)
        return truncated + _MS if up and truncated < utc else truncated
    except OverflowError:
        return _LAST if parsed.year > 1 else _FIRST


Bound = Annotated[datetime | None, *_instant(up=True)]
"""The lower or upper bound of a period; None if absent."""

At = Annotated[
    datetime,
    *_instant(up=False),
    Query(
        alias="at",
        description="The instant to show, by time of booking.",
        openapi_examples=_example("2026-12-31T23:59:59.999Z"),
    ),
]

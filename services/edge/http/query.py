"""What the query of a request carries. A parameter that is unknown, given twice or unreadable is never ignored."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from starlette.requests import Request

from schemas.text import LINE
from services.edge.http.problems import Problem

Values = Mapping[str, Sequence[str]]

_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_NUMBER = re.compile(r"[0-9]{1,9}")
_NOT_UTF8 = "\ufffd"
_MS = timedelta(milliseconds=1)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(microsecond=999_000, tzinfo=UTC)


def wrong(name: str, detail: str) -> Problem:
    """400: a parameter cannot be understood; the document names it."""
    return Problem("invalid_parameter", f"{name}: {detail}", more={"parameter": name})


def check_characters(request: Request) -> None:
    """Refuse control characters, and those that turn the direction of a line, wherever they are in path and query.

    :raises Problem: `invalid_parameter`, of an account's number `invalid_account_number`.
    """
    path, given = request.scope["path"], request.scope["query_string"]
    if not (path.isascii() and path.isprintable()):
        for name, value in request.path_params.items():
            if not LINE.fit(value):
                if name == "accountNumber":
                    raise Problem("invalid_account_number", f"an account number {LINE.wanted}")
                raise wrong(name, LINE.wanted)
    if b"%" in given or not given.isascii():
        for name, value in request.query_params.multi_items():
            if not LINE.fit(value):
                raise wrong(name, LINE.wanted)


def read(request: Request, *once: str, repeated: Sequence[str] = ()) -> Values:
    """The request's parameters: those that may be given `once`, and those that may be `repeated`.

    :raises Problem: `invalid_parameter` at any other, and at a second value of one.
    """
    found: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        if name not in once and name not in repeated:
            raise wrong(name, "there is no such parameter")
        if name in found and name in once:
            raise wrong(name, "give it once")
        found.setdefault(name, []).append(value)
    return found


def text(values: Values, name: str, chars_max: int) -> str | None:
    """A text of 1 to `chars_max` characters.

    :raises Problem: `invalid_parameter`.
    """
    found = texts(values, name, chars_max)
    return found[0] if found else None


def texts(values: Values, name: str, chars_max: int) -> tuple[str, ...]:
    """All values of a parameter that may be repeated, each once, in order. Raises as :func:`text`."""
    for value in values.get(name, ()):
        if not 1 <= len(value) <= chars_max or _NOT_UTF8 in value:
            raise wrong(name, f"1 to {chars_max} characters of UTF-8")
    return tuple(sorted(set(values.get(name, ()))))


def number(values: Values, name: str, least: int, most: int, default: int) -> int:
    """A whole number within its limits.

    :raises Problem: `invalid_parameter`.
    """
    if name not in values:
        return default
    (value,) = values[name]
    if not _NUMBER.fullmatch(value) or not least <= int(value) <= most:
        raise wrong(name, f"a whole number from {least} to {most}")
    return int(value)


def instant(values: Values, name: str, *, up: bool) -> datetime | None:
    """An RFC 3339 time with its offset, as a UTC instant in whole milliseconds, rounded `up` or down.

    Bookings lie on whole milliseconds, so that rounding a bound the right way changes nothing. What lies beyond the
    calendar in UTC is its first or last instant, before or after all bookings.

    :raises Problem: `invalid_parameter`.
    """
    if name not in values:
        return None
    (value,) = values[name]
    try:
        if not _RFC3339.fullmatch(value):
            raise ValueError("not RFC 3339")
        written = datetime.fromisoformat(value.upper())
    except ValueError as error:
        raise wrong(name, "an RFC 3339 time such as 2026-11-22T10:00:00Z, any + written as %2B") from error
    try:
        exact = written.astimezone(UTC)
        cut = exact.replace(microsecond=exact.microsecond // 1000 * 1000)
        return cut + _MS if up and cut < exact else cut
    except OverflowError:
        return _LAST if written.year > 1 else _FIRST

"""What cells of a row say: amounts, times and identifiers, as people write them in files."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from cli.importing.kind import Refused
from cli.importing.reading import Layout, Row
from schemas.base import DECIMALS_MAX, VALUE_MAX, Instant
from schemas.text import IDENTIFIER, IDENTIFIER_CHARS_MAX, Characters
from shared.calendar import first_instant

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
_NEVER = datetime(9999, 12, 31, tzinfo=UTC)
_YEAR_OF_NEVER = 9999


class Written(NamedTuple):
    """A number in whole units; `decimals` as it was written in text, None for a JSON number."""

    given: Decimal
    decimals: int | None


def fault_of(row: Row, layout: Layout, amount: str, identifiers: Sequence[str]) -> Refused | None:
    """What is wrong with a row whatever it is about: a cell that is missing, or is no text, or no identifier.

    Only the cell `amount` may be a number.
    """
    if row.fault is not None:
        return Refused(row.fault)
    for name in layout.required:
        if name not in row.fields:
            return Refused(f"{name} is missing")
    for name, given in row.fields.items():
        if name != amount and not isinstance(given, str):
            return Refused(f"{name} must be a string, in quotes")
    for name in identifiers:
        if fault := misspelt(row.fields[name], IDENTIFIER, IDENTIFIER_CHARS_MAX):
            return Refused(f"{name} {fault}")
    return None


def misspelt(text: str, characters: Characters, chars_max: int) -> str | None:
    """What is wrong with a text; None when nothing is."""
    if len(text) > chars_max:
        return f"has more than {chars_max} characters"
    return None if characters.fit(text) else characters.wanted


def amount_of(name: str, given: str | Decimal) -> Written | Refused:
    """The number in a cell."""
    if isinstance(given, str):
        if not _NUMBER.fullmatch(given):
            return Refused(f"{name} is not a number: write digits, with a point before the decimals")
        value, decimals = Decimal(given), len(given.partition(".")[2])
    else:
        value, decimals = given, None
    if value > VALUE_MAX:
        return Refused(f"{name} is more than {VALUE_MAX}")
    if value > 0 and -int(value.as_tuple().exponent) > DECIMALS_MAX:
        return Refused(f"{name} has more than {DECIMALS_MAX} decimals")
    return Written(value, decimals)


def time_of(row: Row, name: str) -> date | Refused | None:
    """An instant, or a date without a time."""
    given = row.fields.get(name)
    if given is None:
        return None
    try:
        if _DATE.fullmatch(given):
            return date.fromisoformat(given)
        return _INSTANT.validate_python(given)
    except (ValueError, ValidationError):
        return Refused(f"{name} is neither a date (2027-12-31) nor an instant (2027-12-31T23:00:00Z)")


def instant_of(given: date | None, zone: str, *, days: int) -> datetime | None:
    """A date's first instant, so many days later, in the zone; the year 9999 is what people write for never."""
    if given is None or isinstance(given, datetime):
        return given
    return _NEVER if given.year >= _YEAR_OF_NEVER else first_instant(given + timedelta(days=days), zone)

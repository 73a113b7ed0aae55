"""What a row means: an opening balance, the command that books it, and that command's id; pure functions.

A row that cannot be booked gives :class:`Refused`, which is a value and never quotes what may be personal.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from cli.importing.reading import Row
from schemas.base import DECIMALS_MAX, VALUE_MAX, Instant
from schemas.points import Adjust
from schemas.programme import Programme, ProgrammeState
from schemas.text import IDENTIFIER, IDENTIFIER_CHARS_MAX, LINE, REASON_CHARS_MAX, Characters
from shared.calendar import first_instant
from shared.decider import Document
from shared.ids import derived_id
from shared.money import to_minor

REASON = "opening balance"
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
_NEVER = datetime(9999, 12, 31, tzinfo=UTC)
_YEAR_OF_NEVER = 9999


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a row is not imported."""

    reason: str


class Key(NamedTuple):
    """What rows are told apart by; times as the row writes them, so that a programme's new zone changes no id."""

    account_number: str
    programme: str
    expires_at: str
    active_from: str


class Opening(NamedTuple):
    """A row that can be read: `value` in whole units, `decimals` as it was written in text, None for a JSON number."""

    key: Key
    value: Decimal
    decimals: int | None
    expires_at: date | None
    active_from: date | None
    reason: str


def key_of(row: Row) -> Key | None:
    """The row's key, whatever else may be wrong with it; None when there is none."""
    found = [row.fields.get(name, "") for name in Key._fields]
    if row.fault is not None or not all(isinstance(each, str) for each in found) or not all(found[:2]):
        return None
    return Key(*found)


def opening_of(row: Row) -> Opening | Refused:
    """Read a row without knowing its programme."""
    if row.fault is not None:
        return Refused(row.fault)
    for name in ("account_number", "programme", "value"):
        if name not in row.fields:
            return Refused(f"{name} is missing")
    for name, given in row.fields.items():
        if name != "value" and not isinstance(given, str):
            return Refused(f"{name} must be a string, in quotes")
    for name in ("account_number", "programme"):
        if fault := _wrong(row.fields[name], IDENTIFIER, IDENTIFIER_CHARS_MAX):
            return Refused(f"{name} {fault}")
    value = _value(row.fields["value"])
    if isinstance(value, Refused):
        return value
    expires_at, active_from = _time(row, "expires_at"), _time(row, "active_from")
    if isinstance(expires_at, Refused):
        return expires_at
    if isinstance(active_from, Refused):
        return active_from
    reason = row.fields.get("reason", REASON).strip() or REASON
    if fault := _wrong(reason, LINE, REASON_CHARS_MAX):
        return Refused(f"reason {fault}")
    key = Key(*(row.fields.get(name, "") for name in Key._fields))
    return Opening(key, *value, expires_at, active_from, reason)


def command_of(opening: Opening, programme: Programme) -> Adjust | Refused:
    """The correction that books the balance, by the programme's scale and zone."""
    written = opening.decimals or 0
    if written > programme.scale or to_minor(opening.value, programme.scale) is None:
        has = f"{programme.id} has {programme.scale} decimals" if programme.scale else f"{programme.id} has no decimals"
        return Refused(f"value has too many decimals: {has}")
    return Adjust(
        account_number=opening.key.account_number,
        programme=programme.id,
        value=opening.value,
        reason=opening.reason,
        active_from=_instant(opening.active_from, programme.zone, days=0),
        expires_at=_instant(opening.expires_at, programme.zone, days=1),
    )


def refused_now(adjust: Adjust, programme: Programme, now: datetime) -> Refused | None:
    """Whether it is too late to book it; a row that is in already is not asked."""
    if programme.state is ProgrammeState.RETIRED:
        return Refused(f"{programme.id} is retired: it books no more credits")
    if adjust.expires_at is not None:
        if adjust.expires_at <= now:
            return Refused("expires_at is in the past")
        if adjust.active_from is not None and adjust.expires_at <= adjust.active_from:
            return Refused("expires_at is not later than active_from")
    return None


def command_id(store: str, label: str, key: Key, number: int, attempt: int) -> str:
    """The id under which the `number`th row (from 0) with this key is booked; `attempt` counts refusals before."""
    return derived_id("import", store, label, *key, number, *([attempt] if attempt else []))


def booked_by(entry: Document) -> int | None:
    """What the journal's entry of an import credited, in the smallest unit; None when it does not say."""
    for event in entry.get("events", ()):
        data = event["data"]
        if data.get("operation") == 0 and ("delta" in data or "amount" in data):
            return int(data["delta"] if "delta" in data else data["amount"])
    return None


def _wrong(text: str, characters: Characters, chars_max: int) -> str | None:
    if len(text) > chars_max:
        return f"has more than {chars_max} characters"
    return None if characters.fit(text) else characters.wanted


def _value(given: str | Decimal) -> tuple[Decimal, int | None] | Refused:
    if isinstance(given, str):
        if not _NUMBER.fullmatch(given):
            return Refused("value is not a number: write digits, with a point before the decimals")
        value, decimals = Decimal(given), len(given.partition(".")[2])
    else:
        value, decimals = given, None
    if value <= 0:
        return Refused("value must be greater than zero")
    if value > VALUE_MAX:
        return Refused(f"value is more than {VALUE_MAX}")
    if -int(value.as_tuple().exponent) > DECIMALS_MAX:
        return Refused(f"value has more than {DECIMALS_MAX} decimals")
    return value, decimals


def _time(row: Row, name: str) -> date | Refused | None:
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


def _instant(given: date | None, zone: str, *, days: int) -> datetime | None:
    """A date's first instant, so many days later, in the zone; the year 9999 is what people write for never."""
    if given is None or isinstance(given, datetime):
        return given
    return _NEVER if given.year >= _YEAR_OF_NEVER else first_instant(given + timedelta(days=days), zone)

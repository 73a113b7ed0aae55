"""Local dates, and when something expires by a rule in a time zone (rules 4.1.5, 4.3.1).

A rule names a local date; what it governs is gone from the first instant of the day after, in the rule's zone.
"""

import calendar
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

_YEAR_MAX = 9998
"""A date beyond this year means never: the calendar ends, and 9999-12-31 is what people write for never."""

YEAR_OF_NEVER = str(_YEAR_MAX + 1)
"""How an instant begins, in RFC 3339, that means never."""


def unless_never(instant: datetime | None) -> datetime | None:
    """An expiry as a caller gives it; None, which is never, from the year 9999 on."""
    return None if instant is None or instant.year > _YEAR_MAX else instant


class ExpiryRule(Protocol):
    """When something expires: `on` a date, or so many days, months or years later, moved to the `end_of` that span."""

    @property
    def on(self) -> date | None: ...
    @property
    def days(self) -> int | None: ...
    @property
    def months(self) -> int | None: ...
    @property
    def years(self) -> int | None: ...
    @property
    def end_of(self) -> Literal["month", "year"] | None: ...


@lru_cache(maxsize=4096)
def local_date(instant: datetime, zone: str) -> date:
    """The date on the wall in `zone` at `instant`; at both ends of the calendar, the last day that there is."""
    try:
        return instant.astimezone(ZoneInfo(zone)).date()
    except OverflowError:
        return date.max if instant.year > _YEAR_MAX else date.min


@lru_cache(maxsize=4096)
def expiry_instant(rule: ExpiryRule, zone: str, day: date) -> datetime | None:
    """When what counts from the local date `day` expires by `rule`: a UTC instant, or None for never."""
    last = _last_day(rule, day)
    return None if last is None else first_instant(last + timedelta(days=1), zone)


@lru_cache(maxsize=4096)
def expiry_after_months(months: int, zone: str, day: date) -> datetime | None:
    """When what lasts `months` from the local date `day` expires: a UTC instant, or None for never."""
    last = add_months(day, months)
    return None if last is None else first_instant(last + timedelta(days=1), zone)


def add_months(day: date, months: int) -> date | None:
    """The same day `months` later, or the last of its month (31 January + 1 = end of February); None is never."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > _YEAR_MAX:
        return None
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def first_instant(day: date, zone: str) -> datetime:
    """The first instant of the local `day`, also where clocks leap over its midnight or over the whole day.

    The calendar's first day begins with the calendar, also in zones where it began earlier.
    """
    tz = ZoneInfo(zone)
    midnight = datetime(day.year, day.month, day.day, tzinfo=tz)
    try:
        late = midnight.astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)
    if late.astimezone(tz).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return late
    # Midnight is in a gap, which lies between its readings by the offset after and the one before: search its end.
    early = midnight.replace(fold=1).astimezone(UTC)
    low, high = 0, int((late - early).total_seconds())
    while low < high:
        middle = (low + high) // 2
        if (early + timedelta(seconds=middle)).astimezone(tz).date() >= day:
            high = middle
        else:
            low = middle + 1
    return early + timedelta(seconds=low)


def _last_day(rule: ExpiryRule, day: date) -> date | None:
    """The last local date on which the credit is there."""
    last: date | None
    if rule.on is not None:
        last = rule.on
    elif rule.days is not None:
        last = _add_days(day, rule.days)
    else:
        last = add_months(day, rule.months if rule.months is not None else 12 * (rule.years or 0))
    if last is None or last.year > _YEAR_MAX:
        return None
    if rule.end_of == "month":
        return last.replace(day=calendar.monthrange(last.year, last.month)[1])
    return date(last.year, 12, 31) if rule.end_of == "year" else last


def _add_days(day: date, days: int) -> date | None:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return None

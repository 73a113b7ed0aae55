"""Expiry dates: clamped months, leap days, zones, and days whose midnight does not exist (rules 4.1.5)."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from schemas.programme import ExpiryRule
from shared.calendar import add_months, expiry_after_months, expiry_instant, first_instant, local_date


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("rule", "day", "expected"),
    [
        ({"on": "2026-12-31"}, "2026-11-22", "2027-01-01T00:00Z"),
        ({"days": 0}, "2026-11-22", "2026-11-23T00:00Z"),
        ({"days": 1}, "2024-02-28", "2024-03-01T00:00Z"),
        ({"months": 1}, "2026-01-31", "2026-03-01T00:00Z"),
        ({"months": 1}, "2024-01-31", "2024-03-01T00:00Z"),
        ({"months": 1}, "2026-02-28", "2026-03-29T00:00Z"),
        ({"months": 13}, "2026-12-31", "2028-02-01T00:00Z"),
        ({"years": 1}, "2024-02-29", "2025-03-01T00:00Z"),
        ({"years": 4}, "2024-02-29", "2028-03-01T00:00Z"),
        ({"months": 1, "endOf": "month"}, "2026-01-31", "2026-03-01T00:00Z"),
        ({"days": 10, "endOf": "month"}, "2026-01-25", "2026-03-01T00:00Z"),
        ({"years": 1, "endOf": "year"}, "2026-05-05", "2028-01-01T00:00Z"),
        ({"years": 100}, "2026-05-05", "2126-05-06T00:00Z"),
    ],
)
def test_a_rule_names_a_date_and_the_points_are_gone_on_the_day_after(
    rule: dict[str, Any], day: str, expected: str
) -> None:
    assert expiry_instant(ExpiryRule(**rule), "UTC", date.fromisoformat(day)) == instant(expected)


@pytest.mark.parametrize(
    ("rule", "day"),
    [({"on": "9999-12-31"}, "2026-11-22"), ({"years": 10}, "9990-01-01"), ({"days": 36500}, "9950-01-01")],
)
def test_beyond_the_calendar_is_never(rule: dict[str, Any], day: str) -> None:
    assert expiry_instant(ExpiryRule(**rule), "America/Los_Angeles", date.fromisoformat(day)) is None


def test_months_of_inactivity_end_on_the_day_after() -> None:
    assert expiry_after_months(1, "UTC", date(2026, 1, 31)) == instant("2026-03-01T00:00Z")
    assert expiry_after_months(1200, "UTC", date(9950, 1, 31)) is None


@pytest.mark.parametrize(
    ("months", "expected"), [(0, date(2024, 12, 31)), (2, date(2025, 2, 28)), (12, date(2025, 12, 31))]
)
def test_month_arithmetic_clamps(months: int, expected: date) -> None:
    assert add_months(date(2024, 12, 31), months) == expected


@pytest.mark.parametrize(
    ("day", "zone", "expected"),
    [
        ("2026-03-29", "Europe/Amsterdam", "2026-03-28T23:00Z"),
        ("2026-03-30", "Europe/Amsterdam", "2026-03-29T22:00Z"),
        ("2026-10-26", "Europe/Amsterdam", "2026-10-25T23:00Z"),
        ("2026-11-22", "Asia/Kathmandu", "2026-11-21T18:15Z"),
        # Clocks leap from midnight to one o'clock.
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00Z"),
        ("2026-03-29", "Asia/Beirut", "2026-03-28T22:00Z"),
        ("2024-04-26", "Africa/Cairo", "2024-04-25T22:00Z"),
        # They leapt from half past eleven to half past midnight.
        ("1919-03-31", "America/Toronto", "1919-03-31T04:30Z"),
        # The whole day was left out.
        ("2011-12-30", "Pacific/Apia", "2011-12-30T10:00Z"),
        # Midnight came twice; and clocks fell back to eleven at midnight.
        ("2026-10-25", "Atlantic/Azores", "2026-10-25T00:00Z"),
        ("2018-02-18", "America/Sao_Paulo", "2018-02-18T03:00Z"),
    ],
)
def test_the_first_instant_of_a_day(day: str, zone: str, expected: str) -> None:
    first = first_instant(date.fromisoformat(day), zone)
    assert first == instant(expected)
    assert local_date(first, zone) >= date.fromisoformat(day)


def test_the_date_is_that_of_the_zone() -> None:
    late = instant("2026-11-22T23:30:00Z")
    assert local_date(late, "Europe/Amsterdam") == date(2026, 11, 23)
    assert local_date(late, "America/New_York") == date(2026, 11, 22)


RULES = (
    {"days": 0},
    {"days": 36_500},
    {"months": 1},
    {"years": 100, "endOf": "year"},
    {"days": 3, "endOf": "month"},
    {"on": "9999-12-31"},
    {"on": "0001-01-01"},
)


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9998-12-31T23:59:59Z", "9999-12-31T23:59:59Z"])
def test_the_ends_of_the_calendar_have_a_date_in_every_zone(zone: str, at: str) -> None:
    day = local_date(datetime.fromisoformat(at), zone)
    assert abs((day - datetime.fromisoformat(at).date()).days) <= 1
    for rule in RULES:
        expiry_instant(ExpiryRule.model_validate(rule), zone, day)
    expiry_after_months(12, zone, day)
    assert first_instant(date.min, zone).date() == date.min
    assert first_instant(date.max, zone).date() >= date(9999, 12, 30)

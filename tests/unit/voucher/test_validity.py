"""How long a voucher is valid, from the day of its issue in its definition's zone (rules 4.3.1)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.voucher.commands import issuing
from tests.unit.voucher.events import at, issued, put
from tests.unit.voucher.world import definition, given


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("validity", "zone", "issued_at", "expires"),
    [
        # The first instant of the day after the last.
        ({"on": "2026-12-31"}, "UTC", "2026-11-22T10:00", "2027-01-01T00:00"),
        ({"on": "2026-12-31"}, "Europe/Amsterdam", "2026-11-22T10:00", "2026-12-31T23:00"),
        ({"days": 0}, "UTC", "2026-11-22T23:59", "2026-11-23T00:00"),
        ({"days": 30}, "Europe/Amsterdam", "2026-11-22T10:00", "2026-12-22T23:00"),
        # The day of issue is that of the zone.
        ({"days": 0}, "Europe/Amsterdam", "2026-11-22T23:30", "2026-11-23T23:00"),
        ({"days": 0}, "America/Los_Angeles", "2026-11-22T02:00", "2026-11-22T08:00"),
        # Month ends and leap days.
        ({"months": 1}, "UTC", "2027-01-31T12:00", "2027-03-01T00:00"),
        ({"months": 1}, "UTC", "2028-01-31T12:00", "2028-03-01T00:00"),
        ({"months": 3, "endOf": "month"}, "UTC", "2026-11-22T12:00", "2027-03-01T00:00"),
        ({"years": 1}, "UTC", "2028-02-29T12:00", "2029-03-01T00:00"),
        ({"years": 4}, "UTC", "2028-02-29T12:00", "2032-03-01T00:00"),
        ({"days": 366, "endOf": "year"}, "UTC", "2027-02-28T12:00", "2029-01-01T00:00"),
        # Over a change of the clocks, into summer (25 October 2026 back, 28 March 2027 forth in Amsterdam).
        ({"days": 2}, "Europe/Amsterdam", "2026-10-23T12:00", "2026-10-25T23:00"),
        ({"days": 1}, "Europe/Amsterdam", "2027-03-27T12:00", "2027-03-28T22:00"),
        # No midnight: the clocks leap over it.
        ({"days": 0}, "Africa/Cairo", "2026-04-23T12:00", "2026-04-23T22:00"),
        # Never.
        ({"on": "9999-12-31"}, "UTC", "2026-11-22T10:00", None),
        (None, "UTC", "2026-11-22T10:00", None),
    ],
)
def test_a_voucher_is_valid_from_its_issue_for_as_long_as_its_definition_says(
    validity: Any, zone: str, issued_at: str, expires: str | None
) -> None:
    declared, now = definition(validity=validity, zone=zone), utc(issued_at)
    when = given(put(declared)).when(issuing("v"), now)
    end = None if expires is None else utc(expires)
    when.then(*at(now, issued("v", declared, valid_from=now, expires_at=end)))


def test_an_expiry_that_is_given_stands_exactly_as_given() -> None:
    declared, now, exact = definition(validity={"days": 3}), utc("2026-11-22T10:00"), utc("2026-11-30T17:45")
    when = given(put(declared)).when(issuing("v", expiresAt=exact), now)
    when.then(*at(now, issued("v", declared, valid_from=now, expires_at=exact)))


def test_validity_counts_from_the_issue_though_it_begins_later() -> None:
    declared, now, start = definition(validity={"days": 3}), utc("2026-11-22T10:00"), utc("2026-11-24T10:00")
    when = given(put(declared)).when(issuing("v", validFrom=start), now)
    when.then(*at(now, issued("v", declared, valid_from=start, expires_at=utc("2026-11-26T00:00"))))


def test_the_year_9999_is_never() -> None:
    declared = definition(validity={"days": 3})
    given(put(declared)).when(issuing("v", expiresAt="9999-12-31T23:59:59Z")).then(issued("v", declared))

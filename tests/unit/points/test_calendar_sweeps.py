"""Calendars from day to day: expiry and its announcement, and the periods of tiers, with the sweep and without.

rules 4.1.5 and 4.1.12, in zones whose clocks change at two in the morning, and in some whose clocks change at midnight.
"""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from schemas.points import BookDue
from schemas.tiers import TierPeriodStarted
from services.points.due import due_at
from services.points.state import Account
from shared.decider import Accepted
from tests.unit.points.world import (
    DAY,
    LOY,
    T0,
    Given,
    When,
    adjust,
    applied,
    applied_tiers,
    does,
    expired,
    given,
    lot,
    programme,
    tier_set,
    transaction,
)

AMSTERDAM, NEW_YORK, SANTIAGO, BEIRUT = "Europe/Amsterdam", "America/New_York", "America/Santiago", "Asia/Beirut"
MOMENT = timedelta(milliseconds=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def swept(world: Given, until: datetime) -> Given:
    """The world after every sweep that has something to do until then, each at its very instant."""
    for _ in range(1000):
        due = due_at(account(world))
        if due is None or due > until:
            return world
        when = world.when(BookDue(), now=max(due, account(world).booked_at or due))
        assert when.accepted.events, "a sweep that finds nothing would come back for ever"
        world = when.world
    raise AssertionError("the sweep never rests")


def account(world: Given) -> Account:
    return When(None, world.states).account  # type: ignore[arg-type]


# ── expiry ──────────────────────────────────────────────────────────────────────────────────────────────────────────

EXPIRIES = [
    # rule, zone, when the credit came, the first instant without it
    ({"months": 1}, "UTC", "2027-01-31T12:00", "2027-03-01T00:00"),
    ({"months": 1}, "UTC", "2028-01-31T12:00", "2028-03-01T00:00"),
    ({"months": 1}, "UTC", "2028-01-29T12:00", "2028-03-01T00:00"),
    ({"months": 1}, "UTC", "2027-03-31T12:00", "2027-05-01T00:00"),
    ({"years": 1}, "UTC", "2028-02-29T12:00", "2029-03-01T00:00"),
    ({"years": 4}, "UTC", "2028-02-29T12:00", "2032-03-01T00:00"),
    ({"days": 365}, "UTC", "2027-03-01T12:00", "2028-03-01T00:00"),
    ({"months": 24, "endOf": "month"}, AMSTERDAM, "2026-02-10T12:00", "2028-02-29T23:00"),
    ({"months": 1}, AMSTERDAM, "2027-02-27T12:00", "2027-03-27T23:00"),
    ({"months": 1}, AMSTERDAM, "2027-02-28T12:00", "2027-03-28T22:00"),
    ({"days": 1}, AMSTERDAM, "2027-10-30T12:00", "2027-10-31T23:00"),
    ({"days": 0}, AMSTERDAM, "2027-10-30T12:00", "2027-10-30T22:00"),
    ({"days": 0}, AMSTERDAM, "2027-07-01T22:30", "2027-07-02T22:00"),
    ({"days": 0}, NEW_YORK, "2027-03-13T12:00", "2027-03-14T05:00"),
    ({"days": 1}, NEW_YORK, "2027-03-13T12:00", "2027-03-15T04:00"),
    ({"days": 0}, NEW_YORK, "2027-11-07T12:00", "2027-11-08T05:00"),
    ({"days": 1}, NEW_YORK, "2027-11-07T03:30", "2027-11-08T05:00"),
    # In Santiago the clock leaps from midnight to one (2027-09-05), and back from midnight to eleven (2027-04-04).
    ({"days": 0}, SANTIAGO, "2027-09-04T12:00", "2027-09-05T04:00"),
    ({"days": 0}, SANTIAGO, "2027-04-03T12:00", "2027-04-04T04:00"),
    # In Beirut it leaps at midnight of 2027-03-28, and falls back from midnight of 2027-10-31 to the day before.
    ({"days": 0}, BEIRUT, "2027-03-27T12:00", "2027-03-27T22:00"),
    ({"days": 0}, BEIRUT, "2027-10-30T12:00", "2027-10-30T22:00"),
]


@pytest.mark.parametrize(("rule", "zone", "came", "gone"), EXPIRIES)
@pytest.mark.parametrize("first", ["sweep", "command"])
def test_points_expire_at_the_instant_and_once(
    rule: dict[str, Any], zone: str, came: str, gone: str, first: str
) -> None:
    now, at = utc(came), utc(gone)
    when = given(applied(programme(zone=zone, expiry=rule))).when(transaction(does(loads=[30])), now=now)
    assert due_at(when.account) == at
    when.world.when(BookDue(), now=at - MOMENT).then()
    assert when.world.when(transaction(does(redemptions=[30])), now=at - MOMENT).balances() == {"LOY": 0}
    commands = [BookDue(), transaction()]
    one, two = commands if first == "sweep" else reversed(commands)
    event = expired(2, 0, "lot", at, lot(1, 30, at), booked_at=at)
    booked_now = when.world.when(one, now=at).then(event)
    booked_now.world.when(two, now=at).then()
    assert due_at(booked_now.account) is None
    late = when.world.when(one, now=at + 400 * DAY).then(event.model_copy(update={"booked_at": at + 400 * DAY}))
    late.world.when(two, now=at + 400 * DAY).then()


# ── periods of tiers ────────────────────────────────────────────────────────────────────────────────────────────────


def ends_of(zone: str, began: str, count: int, **period: Any) -> list[str]:
    """The ends of the first periods of one who earned so much that the level never ends, by the sweep."""
    levels = [{"code": "BASIC", "at": 0}, {"code": "SILVER", "at": 1}]
    world = given(LOY, applied_tiers(tier_set(zone=zone, period=period, levels=levels, graceDays=366)))
    now = utc(began)
    when = world.when(transaction(does(loads=[10])), now=now)
    found = [event.ends_at for _, event in when.accepted.events if isinstance(event, TierPeriodStarted)]
    for _ in range(count - 1):
        at = found[-1]
        assert at is not None
        assert due_at(when.account) == at
        when.world.when(BookDue(), now=at - MOMENT).then()
        when = when.world.when(BookDue(), now=at)
        when = when.world.when(transaction(does(loads=[10])), now=at)
        found.append(when.account.tiers["LEVELS"].ends_at)
    return ["never" if at is None else at.strftime("%Y-%m-%dT%H:%M") for at in found]


@pytest.mark.parametrize(
    ("zone", "began", "period", "ends"),
    [
        (
            "UTC",
            "2026-11-30T23:59",
            {"calendar": "month"},
            ["2026-12-01T00:00", "2027-01-01T00:00", "2027-02-01T00:00"],
        ),
        (AMSTERDAM, "2027-02-28T23:30", {"calendar": "month"}, ["2027-03-31T22:00", "2027-04-30T22:00"]),
        (AMSTERDAM, "2027-09-30T12:00", {"calendar": "month"}, ["2027-09-30T22:00", "2027-10-31T23:00"]),
        (NEW_YORK, "2027-01-01T04:59", {"calendar": "quarter"}, ["2027-01-01T05:00", "2027-04-01T04:00"]),
        (
            NEW_YORK,
            "2026-12-31T12:00",
            {"calendar": "quarter"},
            ["2027-01-01T05:00", "2027-04-01T04:00", "2027-07-01T04:00", "2027-10-01T04:00", "2028-01-01T05:00"],
        ),
        (SANTIAGO, "2027-06-01T12:00", {"calendar": "year"}, ["2028-01-01T03:00", "2029-01-01T03:00"]),
        (AMSTERDAM, "2027-09-30T12:00", {"rollingMonths": 12}, ["2027-09-30T22:00", "2027-10-31T23:00"]),
        (
            "UTC",
            "2028-02-29T12:00",
            {"anniversaryMonths": 12},
            ["2029-02-28T00:00", "2030-02-28T00:00", "2031-02-28T00:00", "2032-02-29T00:00"],
        ),
        (
            "UTC",
            "2027-01-31T12:00",
            {"anniversaryMonths": 1},
            ["2027-02-28T00:00", "2027-03-31T00:00", "2027-04-30T00:00", "2027-05-31T00:00"],
        ),
        (
            "UTC",
            "2027-08-31T12:00",
            {"anniversaryMonths": 6},
            ["2028-02-29T00:00", "2028-08-31T00:00", "2029-02-28T00:00"],
        ),
        (AMSTERDAM, "2026-03-28T23:30", {"anniversaryMonths": 12}, ["2027-03-28T22:00"]),
        (SANTIAGO, "2026-09-05T12:00", {"anniversaryMonths": 12}, ["2027-09-05T04:00", "2028-09-05T03:00"]),
        (BEIRUT, "2026-03-28T12:00", {"anniversaryMonths": 12}, ["2027-03-27T22:00", "2028-03-27T21:00"]),
    ],
)
def test_periods_end_with_the_first_instant_of_the_local_day(
    zone: str, began: str, period: dict[str, Any], ends: list[str]
) -> None:
    assert ends_of(zone, began, len(ends), **period) == ends


def test_a_rolling_period_forgets_its_oldest_month() -> None:
    of = tier_set(period={"rollingMonths": 3})
    world = given(LOY, applied_tiers(of)).when(transaction(does(loads=[60])), now=utc("2027-01-15T12:00")).world
    world = swept(world, utc("2027-02-15T12:00"))
    when = world.when(transaction(does(loads=[60])), now=utc("2027-02-15T12:00"))
    assert when.account.tiers["LEVELS"].code == "SILVER"
    assert account(swept(when.world, utc("2027-03-31T23:59"))).tiers["LEVELS"].code == "SILVER"
    april = account(swept(when.world, utc("2027-04-01T00:00"))).tiers["LEVELS"]
    assert (april.code, april.bases) == ("SILVER", (60, 120, 120)), "January to March came to 120"
    may = account(swept(when.world, utc("2027-05-01T00:00"))).tiers["LEVELS"]
    assert may.code == "BASIC", "February to April came to 60"


def test_a_grace_ends_with_a_local_day_over_the_change_of_clocks() -> None:
    of = tier_set(zone=AMSTERDAM, graceDays=120)
    world = given(LOY, applied_tiers(of)).when(transaction(does(loads=[100])), now=utc("2026-06-01T12:00")).world
    assert account(swept(world, utc("2028-01-01T00:00"))).tiers["LEVELS"].down_at == utc("2028-04-29T22:00")


def test_the_last_period_of_all_never_ends() -> None:
    assert ends_of("UTC", "9998-12-31T12:00", 1, calendar="year") == ["never"]


# ── whether the sweep comes or not ──────────────────────────────────────────────────────────────────────────────────

PERIODS: list[dict[str, Any]] = [
    {"calendar": "month"},
    {"calendar": "quarter"},
    {"rollingMonths": 3},
    {"anniversaryMonths": 1},
]


def command_of(chance: random.Random, now: datetime) -> Any:
    """A load, a redemption, a correction, or a credit to come; some of them at the first of a month."""
    match chance.randrange(4):
        case 0:
            return transaction(does(loads=[chance.choice([20, 60, 300])]))
        case 1:
            return transaction(does(redemptions=[chance.choice([10, 100])]))
        case 2:
            return adjust(-chance.choice([5, 50]))
        case _:
            starts = now + chance.randrange(1, 70) * DAY
            if chance.random() < 0.3:
                starts = datetime.combine(date(starts.year, starts.month, 1), datetime.min.time(), UTC)
            return adjust(chance.choice([40, 200]), activeFrom=max(starts, now + DAY).isoformat())


def left_of(account_: Account) -> Any:
    """What does not depend on when it was booked; what was never announced in time is not announced late."""
    balances = {name: each._replace(noticed_until=None) for name, each in account_.balances.items()}
    return account_._replace(booked_at=None, balances=balances)


@pytest.mark.parametrize("seed", range(60))
def test_an_account_ends_the_same_whether_the_sweep_came_or_not(seed: int) -> None:
    chance = random.Random(seed)
    basis, period = chance.choice(["earned", "balance"]), chance.choice(PERIODS)
    rules: dict[str, Any] = {
        "zone": chance.choice(["UTC", AMSTERDAM]),
        "graceDays": chance.choice([0, 10, 45]),
        "period": period,
    }
    expiring: dict[str, Any] = {
        "expiry": {"days": chance.choice([20, 80])},
        "accountExpiryMonths": 2,
        "expiringSoonDays": 5,
    }
    start = given(applied(programme(**expiring)), applied_tiers(tier_set(basis=basis, **rules)))
    awake = asleep = start
    now = T0
    for _ in range(15):
        now += timedelta(days=chance.choice([0, 1, 10, 40, 200]), hours=chance.randrange(24))
        body = command_of(chance, now)
        awake = swept(awake, now)
        one, two = awake.when(body, now=now), asleep.when(body, now=now)
        assert type(one.outcome) is type(two.outcome)
        awake, asleep = one.world, two.world
        if isinstance(two.outcome, Accepted):
            assert left_of(one.account) == left_of(two.account)
    end = now + 900 * DAY
    awake, asleep = swept(awake, end), asleep.when(BookDue(), now=end).world
    assert left_of(account(awake.when(BookDue(), now=end).world)) == left_of(account(asleep))
    assert due_at(account(awake)) is None, "nothing is left to expire, and who has nothing rests"

"""Tier sets: levels that customers reach by what they earn, spend or have (rules 4.1.12)."""

from typing import Annotated, Literal

from pydantic import Field, PlainSerializer, StrictBool, model_validator

from schemas.base import Amount, AtMost, Instant, Integer, Published, Wire
from schemas.declaration_checks import refuse, zone_faults
from schemas.orders import Currency
from schemas.programme import Language, Months, Zone, json_number
from schemas.text import Description, Key, Reason


class TierLevel(Wire):
    """A level, reached at `at` (whole units of points, or of money when the basis is spend)."""

    code: Key
    at: Annotated[
        Amount,
        Field(ge=0, decimal_places=2),
        PlainSerializer(json_number, return_type=float, when_used="json"),
    ]


class TierPeriod(Wire):
    """Over what time a level is earned; exactly one is given.

    `calendar`: the local month, quarter or year. `rolling_months`: the month at hand and those before it, so many in
    all. `anniversary_months`: so many months at a time, counted from the account's first booking in the programme.
    """

    calendar: Literal["month", "quarter", "year"] | None = None
    rolling_months: Annotated[Integer, Field(ge=1, le=60)] | None = None
    anniversary_months: Months | None = None

    @model_validator(mode="after")
    def _one_of(self) -> "TierPeriod":
        given = (self.calendar, self.rolling_months, self.anniversary_months)
        if sum(each is not None for each in given) != 1:
            raise ValueError("give exactly one of calendar, rollingMonths, anniversaryMonths")
        return self


class TierSet(Wire):
    """The tiers of a store by one measure in one programme.

    `basis`: what may be spent now (`balance`), what became active less what was taken back (`earned`), or the money
    of orders fulfilled less returned (`spend`, in `currency`, which is one for all sets of the programme). A level is
    lost `grace_days` after a period's end at the earliest. The `primary` set's code is the customer's level; a store
    has at most one.
    """

    id: Key
    descriptions: Annotated[dict[Language, Description], Field(min_length=1)]
    programme: Key
    basis: Literal["balance", "earned", "spend"] = "earned"
    currency: Currency | None = None
    period: TierPeriod
    grace_days: Annotated[Integer, Field(ge=0, le=366)] = 0
    zone: Zone = "UTC"
    levels: Annotated[tuple[TierLevel, ...], Field(min_length=1), AtMost(50)]
    primary: StrictBool = False
    state: Literal["active", "retired"] = "active"

    @model_validator(mode="after")
    def _fits(self) -> "TierSet":
        at = [level.at for level in self.levels]
        if sorted(set(at)) != at:
            raise ValueError("levels go upwards")
        if len({level.code for level in self.levels}) < len(self.levels):
            raise ValueError("two levels have the same code")
        if (self.basis == "spend") != (self.currency is not None):
            raise ValueError("currency goes with the basis spend, and only with it")
        return self


class PutTierSet(Wire):
    """`points.put_tier_set.v1`: declare a tier set, or a new version of it; an equal one is a no-op."""

    tier_set: TierSet

    @model_validator(mode="after")
    def _can_be_meant(self) -> "PutTierSet":
        refuse(zone_faults(self.tier_set.zone))
        return self


class TierPin(Wire):
    """The level that the account shall have, and why."""

    code: Key
    reason: Reason


class PinTier(Wire):
    """`points.pin_tier.v1`: hold an account at a level by hand, until a pin without a code lets it go."""

    account_number: Key
    tier_set: Key
    code: Key | None = None
    reason: Reason


class TierSetApplied(Published):
    """`points.tier_set_applied.v1`: the tier set has these rules from now on."""

    type: Literal["points.tier_set_applied.v1"] = "points.tier_set_applied.v1"
    tier_set: TierSet
    version: int
    booked_at: Instant


class TierPeriodStarted(Published):
    """`points.tier_period_started.v1`: a tier set's period begins on an account, its first one or the next.

    `bases` are what the measure had come to at the start of each month (rolling) or of the period (zero by balance);
    `floor` is the code of who has earned nothing. When the period before ended below the level, `down_at` says when
    that is lost, and `down_to` the level earned; of a pinned level `down_to` alone.
    """

    type: Literal["points.tier_period_started.v1"] = "points.tier_period_started.v1"
    account: str
    account_number: str
    tier_set: str
    version: int
    programme: str
    basis: str
    scale: int
    anchor: Instant
    bases: tuple[int, ...]
    floor: str | None = None
    ends_at: Instant | None = None
    down_at: Instant | None = None
    down_to: str | None = None
    booked_at: Instant


class TierChanged(Published):
    """`points.tier_changed.v1`: an account has another level; no code is no level.

    `reason`: earned, period_end, pinned, unpinned, retired.
    """

    type: Literal["points.tier_changed.v1"] = "points.tier_changed.v1"
    account: str
    account_number: str
    tier_set: str
    from_: Annotated[str | None, Field(alias="from")] = None
    to: str | None = None
    reason: str
    pinned: bool = False
    occurred_at: Instant
    booked_at: Instant


class TierStanding(Published):
    """An account's place in a tier set: since when, and how it stands in the period.

    `measure` is what counts so far, in the smallest unit; `down_at` is when the level is lost for `down_to`. While a
    level is pinned, `down_to` is what the account would have without the pin.
    """

    tier_set: str
    code: str | None
    since: Instant
    pinned: bool
    measure: int
    scale: int
    period_ends_at: Instant | None
    down_at: Instant | None
    down_to: str | None


TierEvent = TierPeriodStarted | TierChanged

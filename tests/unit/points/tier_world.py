"""What the specifications of tiers are written with: the set LEVELS on LOY, and its events."""

from datetime import UTC, datetime
from typing import Any

from schemas.points import PointsRefusal
from schemas.tiers import PinTier, TierChanged, TierPeriodStarted
from services.points.state import Standing
from tests.unit.points.world import (
    ACCOUNT,
    LOY,
    NUMBER,
    T0,
    Given,
    When,
    applied_tiers,
    does,
    given,
    tier_set,
    transaction,
)

Refusal = PointsRefusal
TIERS = applied_tiers(tier_set())
Y27, Y28, Y29 = (datetime(year, 1, 1, tzinfo=UTC) for year in (2027, 2028, 2029))


def started(base: int, ends_at: datetime, **more: Any) -> TierPeriodStarted:
    fields = {"account": ACCOUNT, "account_number": NUMBER, "tier_set": "LEVELS", "version": 1, "programme": "LOY"}
    rest = {"basis": "earned", "scale": 0, "anchor": T0, "bases": (base,), "floor": "BASIC", "booked_at": T0}
    return TierPeriodStarted.model_validate({**fields, **rest, "ends_at": ends_at, **more})


def changed(before: str | None, to: str | None, reason: str = "earned", at: datetime = T0, **more: Any) -> TierChanged:
    fields = {"account": ACCOUNT, "account_number": NUMBER, "tier_set": "LEVELS", "from_": before, "to": to}
    return TierChanged.model_validate({**fields, "reason": reason, "occurred_at": at, "booked_at": at, **more})


def pin(code: str | None, name: str = "LEVELS", number: str = NUMBER) -> PinTier:
    return PinTier(account_number=number, tier_set=name, code=code, reason="a friend of the house")


def load(value: float) -> Any:
    return transaction(does(loads=[value]))


def standing(when: When) -> Standing:
    return when.account.tiers["LEVELS"]


def member(points: int, *steps: tuple[datetime, Any], world: Given | None = None) -> Given:
    """One who earned `points` at T0, and what was done to the account since."""
    now = (world or given(LOY, TIERS)).when(load(points), command_id="load").world
    for at, body in steps:
        now = now.when(body, now=at).world
    return now

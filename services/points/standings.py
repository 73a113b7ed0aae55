"""Folding what happens to an account's place in a tier set (rules 4.1.12)."""

from types import MappingProxyType

from schemas.tiers import TierChanged, TierPeriodStarted
from services.points.state import Account, Standing


def evolve_tier(account: Account, event: TierPeriodStarted | TierChanged) -> Account:
    """The account after a period of one of its tiers has started, or its level has changed."""
    tiers = dict(account.tiers)
    standing = tiers.get(event.tier_set)
    if isinstance(event, TierPeriodStarted):
        if standing is None:
            standing = Standing(event.tier_set, event.programme, event.basis, event.anchor)
        standing = standing._replace(
            programme=event.programme,
            basis=event.basis,
            scale=event.scale,
            bases=event.bases,
            floor=event.floor,
            ends_at=event.ends_at,
            down_at=event.down_at,
            down_to=event.down_to,
        )
        tiers[event.tier_set] = standing
    elif event.reason == "retired":
        tiers.pop(event.tier_set, None)
    elif standing is not None:
        since = standing.since if event.to == standing.code and standing.since else event.occurred_at
        left = standing.down_to if standing.pinned else standing.code
        tiers[event.tier_set] = standing._replace(
            code=event.to, since=since, pinned=event.pinned, down_at=None, down_to=left if event.pinned else None
        )
    return account._replace(tiers=MappingProxyType(tiers), booked_at=event.booked_at)

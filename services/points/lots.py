"""Lots: merging, spending order, putting in and taking out (rules 4.1.4).

Active lots are kept in spending order: earliest expiry first, never-expiring last, ties by age. Future-dated ones are
kept in the order of their activation.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime

from schemas.points import LotPart
from services.points.state import Lot

Lots = tuple[Lot, ...]

_NEVER = datetime.max.replace(tzinfo=UTC)


def place(lots: Lots, lot: Lot) -> Lots:
    """`lots` with an active `lot`: merged with one of the same conditions, the lower id kept, or at its place."""
    at = lot.expires_at or _NEVER
    if not lots or (lots[-1].expires_at or _NEVER) < at:
        return (*lots, lot)
    start, end = bisect_left(lots, at, key=_expiry), bisect_right(lots, at, key=_expiry)
    return lots[:start] + _joined(lots[start:end], lot) + lots[end:]


def schedule(scheduled: Lots, lot: Lot) -> Lots:
    """`scheduled` with a future-dated `lot`: merged with one of the same conditions and time, or at its place."""
    at = lot.active_from or _NEVER
    start = bisect_left(scheduled, at, key=_activation)
    end = bisect_right(scheduled, at, key=_activation)
    return scheduled[:start] + _joined(scheduled[start:end], lot) + scheduled[end:]


def activate(lots: Lots, scheduled: Lots, lot_id: int, amount: int) -> tuple[Lots, Lots]:
    """Move `amount` of a future-dated lot among the active ones, and forget the rest; gives both, active first."""
    lot = next(lot for lot in scheduled if lot.id == lot_id)
    left = tuple(other for other in scheduled if other.id != lot_id)
    if amount == 0:
        return lots, left
    return place(lots, Lot(lot.id, amount, lot.expires_at, None, lot.restriction, lot.campaign)), left


def matching(lots: Iterable[Lot], lot: Lot) -> Lot | None:
    """The lot among `lots` that `lot` would merge with."""
    return next((other for other in lots if _same(other, lot)), None)


def not_earlier(lots: Iterable[Lot], lot: Lot) -> Lot | None:
    """The lot among `lots` that expires when `lot` does or next after it, and is equal in all else but its amount."""
    at = _expiry(lot)
    later = [
        each
        for each in lots
        if _expiry(each) >= at and each.restriction == lot.restriction and each.campaign == lot.campaign
    ]
    return min(later, key=lambda each: (_expiry(each), each.id), default=None)


def spend(lots: Lots, amount: int) -> list[tuple[Lot, int]]:
    """What `amount` takes from which lot, in spending order; there must be enough."""
    taken: list[tuple[Lot, int]] = []
    for lot in lots:
        if not amount:
            break
        part = min(lot.amount, amount)
        taken.append((lot, part))
        amount -= part
    return taken


def take_out(lots: Lots, parts: Iterable[LotPart]) -> Lots:
    """`lots` without `parts`; what is empty goes.

    :raises ValueError: when a part is of no such lot.
    """
    left = {part.lot: part.amount for part in parts}
    kept: list[Lot] = []
    for index, lot in enumerate(lots):
        if not left:
            return (*kept, *lots[index:])
        taken = left.pop(lot.id, 0)
        if not taken:
            kept.append(lot)
        elif taken < lot.amount:
            kept.append(_with(lot, lot.id, lot.amount - taken))
    if left:
        raise ValueError(f"there are no lots {sorted(left)}")
    return tuple(kept)


def _joined(group: Lots, lot: Lot) -> Lots:
    """The lots of one instant with `lot` among them, by age."""
    other = matching(group, lot)
    if other is None:
        return (*group, lot) if not group or group[-1].id < lot.id else tuple(sorted((*group, lot), key=_age))
    merged = _with(other, min(other.id, lot.id), other.amount + lot.amount)
    if len(group) == 1:
        return (merged,)
    return tuple(sorted((merged if each is other else each for each in group), key=_age))


def _same(one: Lot, two: Lot) -> bool:
    return (
        one.expires_at == two.expires_at
        and one.active_from == two.active_from
        and one.restriction == two.restriction
        and one.campaign == two.campaign
    )


def _with(lot: Lot, lot_id: int, amount: int) -> Lot:
    return Lot(lot_id, amount, lot.expires_at, lot.active_from, lot.restriction, lot.campaign)


def _expiry(lot: Lot) -> datetime:
    return lot.expires_at or _NEVER


def _activation(lot: Lot) -> datetime:
    return lot.active_from or _NEVER


def _age(lot: Lot) -> int:
    return lot.id

"""Tiers: up at once, down at a period's end plus grace, held by a pin (rules 4.1.12).

What a tier set measures is a counter of the balance that runs over its whole life; a standing keeps what it had come
to when the period began, so that nothing has to be booked for it but the starts of periods and the changes of level.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from schemas.points import PointsRefusal
from schemas.tiers import PinTier, TierChanged, TierPeriodStarted, TierSet
from services.points.booking import Booking
from services.points.state import Account, Balance, Standing
from shared.calendar import add_months, first_instant, local_date
from shared.decider import Rejected
from shared.money import currency_scale


def measure_of(standing: Standing, balance: Balance | None) -> int:
    """What counts so far in the period, in the smallest unit of points, or of money when the basis is spend."""
    return max(0, _total(standing.basis, balance) - standing.bases[0])


def dues(account: Account, now: datetime | None) -> Iterator[tuple[datetime, Standing]]:
    """When something happens to a standing next.

    One that has nothing, at the level of who has nothing, only wants its period moved on before it is used again: it
    counts as due for a command's `now`, and not for the sweep (None).
    """
    for standing in account.tiers.values():
        if standing.down_at is not None:
            yield standing.down_at, standing
        if standing.ends_at is not None and (now is not None or not _resting(account, standing)):
            yield standing.ends_at, standing


def fall_due(booking: Booking, standing: Standing, at: datetime) -> None:
    """Book the end of a period, or the loss of a level, that was due at `at`."""
    tier_set = booking.catalogue.tier_sets.get(standing.tier_set)
    if tier_set is None or tier_set.state == "retired":
        _change(booking, standing, None, "retired", at)
    elif standing.down_at == at:
        _go_down(booking, tier_set, standing, at)
    else:
        _end_period(booking, tier_set, standing, at)


def rise(booking: Booking, before: Account, at: datetime) -> None:
    """Who has reached a level by what was booked at `at` has it at once; `before` is the account before that."""
    for tier_set in booking.catalogue.tier_sets.values():
        balance = booking.account.balances.get(tier_set.programme)
        known = before.balances.get(tier_set.programme)
        if tier_set.state == "retired" or balance is None or balance is known:
            continue
        standing = booking.account.tiers.get(tier_set.id)
        if standing is None:
            standing = _begin(booking, tier_set, _base(tier_set.basis, known), at)
        if not standing.pinned:
            reached = _level(tier_set, measure_of(standing, balance), balance)
            if _rank(tier_set, reached) > _rank(tier_set, standing.code):
                _change(booking, standing, reached, "earned", at)


def pin(booking: Booking, payload: PinTier) -> Rejected | None:
    """Hold a level by hand, or without a code let it go.

    Then the account has the better of what it would have had without the pin until the period's end, and of what the
    period at hand has earned.
    """
    tier_set = booking.catalogue.tier_sets.get(payload.tier_set)
    if tier_set is None or tier_set.state == "retired":
        return Rejected(PointsRefusal.TIER_SET_UNKNOWN, f"there is no tier set {payload.tier_set}", "/tierSet")
    if payload.code is not None and _rank(tier_set, payload.code) < 0:
        return Rejected(PointsRefusal.TIER_UNKNOWN, f"{tier_set.id} has no level {payload.code}", "/code")
    balance = booking.account.balances.get(tier_set.programme)
    standing, now = booking.account.tiers.get(tier_set.id), booking.command.now
    if payload.code is not None:
        standing = standing or _begin(booking, tier_set, _base(tier_set.basis, balance), now)
        if not standing.pinned or standing.code != payload.code:
            _change(booking, standing, payload.code, "pinned", now, pinned=True)
    elif standing is not None and standing.pinned:
        earned = _level(tier_set, measure_of(standing, balance), balance)
        _change(booking, standing, _better(tier_set, standing.down_to, earned), "unpinned", now)
    return None


def _begin(booking: Booking, tier_set: TierSet, base: int, at: datetime) -> Standing:
    standing = Standing(tier_set.id, tier_set.programme, tier_set.basis, at, bases=(base,))
    _start(booking, tier_set, standing._replace(ends_at=_period_end(tier_set, at, at)))
    return booking.account.tiers[tier_set.id]


def _end_period(booking: Booking, tier_set: TierSet, standing: Standing, at: datetime) -> None:
    """The next period begins. One who has less than the level now loses it after the grace, unless it is pinned.

    One that has nothing goes on to the period of the next thing that can give it something.
    """
    account = booking.account
    balance = account.balances.get(standing.programme)
    resting = _resting(account, standing)
    earned = _level(tier_set, measure_of(standing, balance), balance)
    base = _base(standing.basis, balance)
    months = tier_set.period.rolling_months
    bases = (base,) if months is None or resting else (*standing.bases, base)[-months:]
    down_at, down_to = None, earned if standing.pinned else None
    if not standing.pinned and _below(tier_set, earned, standing.code):
        late = local_date(at, tier_set.zone) + timedelta(days=tier_set.grace_days)
        down_at = standing.down_at or max(at, first_instant(late, tier_set.zone))
        down_to = earned
    after = at
    if resting:
        starts = balance.scheduled[0].active_from if balance is not None and balance.scheduled else None
        after = min(starts or booking.command.now, booking.command.now)
    ends_at = _period_end(tier_set, standing.anchor, after)
    _start(booking, tier_set, standing._replace(bases=bases, ends_at=ends_at, down_at=down_at, down_to=down_to))


def _go_down(booking: Booking, tier_set: TierSet, standing: Standing, at: datetime) -> None:
    """The grace is over: straight to the better of what the ended period and the one at hand have earned."""
    balance = booking.account.balances.get(standing.programme)
    now_earned = _level(tier_set, measure_of(standing, balance), balance)
    to = _better(tier_set, standing.down_to, now_earned)
    if _below(tier_set, to, standing.code):
        _change(booking, standing, to, "period_end", at)
    else:
        _start(booking, tier_set, standing._replace(down_at=None, down_to=None))


def _start(booking: Booking, tier_set: TierSet, standing: Standing) -> None:
    """Book the period that `standing` has from now on, by the tier set's rules as they are now."""
    account = booking.account
    booking.book(
        TierPeriodStarted(
            account=account.account,
            account_number=account.account_number or booking.account_number,
            tier_set=tier_set.id,
            version=booking.catalogue.versions[tier_set.id],
            programme=tier_set.programme,
            basis=tier_set.basis,
            scale=_scale(tier_set, account.balances.get(tier_set.programme)),
            anchor=standing.anchor,
            bases=standing.bases,
            floor=_level(tier_set, 0, account.balances.get(tier_set.programme)),
            ends_at=standing.ends_at,
            down_at=standing.down_at,
            down_to=standing.down_to,
            booked_at=booking.command.now,
        )
    )


def _change(
    booking: Booking, standing: Standing, to: str | None, reason: str, at: datetime, *, pinned: bool = False
) -> None:
    account = booking.account
    booking.book(
        TierChanged(
            account=account.account,
            account_number=account.account_number or booking.account_number,
            tier_set=standing.tier_set,
            from_=standing.code,
            to=to,
            reason=reason,
            pinned=pinned,
            occurred_at=at,
            booked_at=booking.command.now,
        )
    )


def _resting(account: Account, standing: Standing) -> bool:
    if standing.code != standing.floor:
        return False
    if standing.basis == "balance":
        return True
    nothing = measure_of(standing, account.balances.get(standing.programme)) == 0
    return nothing and len(set(standing.bases)) == 1


def _base(basis: str, balance: Balance | None) -> int:
    """What a period counts from: what was there before it, or nothing when the balance itself is the measure."""
    return 0 if basis == "balance" else _total(basis, balance)


def _total(basis: str, balance: Balance | None) -> int:
    """The counter that a basis measures by; earned is what became active less what was taken back."""
    if balance is None:
        return 0
    match basis:
        case "balance":
            return balance.booked
        case "spend":
            return balance.spent
        case _:
            return balance.earned + balance.adjusted_up - balance.revoked - balance.adjusted_down


def _level(tier_set: TierSet, measure: int, balance: Balance | None) -> str | None:
    """The highest level that `measure` reaches; None below the lowest."""
    scale = _scale(tier_set, balance)
    reached = [level.code for level in tier_set.levels if level.at.scaleb(scale) <= measure]
    return reached[-1] if reached else None


def _scale(tier_set: TierSet, balance: Balance | None) -> int:
    """The digits after the point of what a tier set measures."""
    if tier_set.basis == "spend":
        return currency_scale(tier_set.currency or "")
    return 0 if balance is None else balance.scale


def _better(tier_set: TierSet, one: str | None, other: str | None) -> str | None:
    return max(one, other, key=lambda code: _rank(tier_set, code))


def _below(tier_set: TierSet, code: str | None, had: str | None) -> bool:
    """Whether `code` is a loss for one who `had` a level; every level is below one that the set has no more."""
    return code != had and _rank(tier_set, code) <= _rank(tier_set, had)


def _rank(tier_set: TierSet, code: str | None) -> int:
    return next((rank for rank, level in enumerate(tier_set.levels) if level.code == code), -1)


def _period_end(tier_set: TierSet, anchor: datetime, after: datetime) -> datetime | None:
    """The end of the period that `after` lies in: the first instant of the next one; None is never."""
    day, period = local_date(after, tier_set.zone), tier_set.period
    first: date | None
    if period.anniversary_months is not None:
        start, months = local_date(anchor, tier_set.zone), period.anniversary_months
        passed = ((day.year - start.year) * 12 + day.month - start.month) // months
        first = next(
            (it for turn in (passed, passed + 1) if (it := add_months(start, turn * months)) and it > day), None
        )
    else:
        length = {"quarter": 3, "year": 12}.get(period.calendar or "", 1)
        month = (day.month - 1) // length * length
        first = add_months(date(day.year, 1, 1), month + length)
    return None if first is None else first_instant(first, tier_set.zone)

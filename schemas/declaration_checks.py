"""What a declaration must not say although its types allow it (rules 4.1.1), found in it alone.

Checked when something is declared, by the command line and at the command; never when what was declared before is read.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib import resources
from itertools import combinations
from typing import NamedTuple

from schemas.programme import Programme, PurchaseOffer

Path = tuple[str | int, ...]
"""The members from a declaration to what is wrong in it, named as in a file."""


class Fault(NamedTuple):
    """What is wrong, and where."""

    path: Path
    message: str


def refuse(faults: Iterable[Fault]) -> None:
    """Nothing, when there are no faults.

    :raises ValueError: there are.
    """
    if told := "; ".join(f"/{'/'.join(map(str, fault.path))}: {fault.message}" for fault in faults):
        raise ValueError(told)


def programme_faults(programme: Programme) -> Iterator[Fault]:
    """What a programme must not say."""
    yield from zone_faults(programme.zone)
    for path, amount in _amounts(programme):
        if has_more_decimals(amount, programme.scale):
            yield Fault(path, f"{amount} has more decimals than the scale {programme.scale} of {programme.id}")
    for index, offer in enumerate(programme.purchases):
        if offer.from_ is not None and offer.until is not None and offer.until <= offer.from_:
            yield Fault(("purchases", index, "until"), "must be later than from")
    for (first, one), (second, other) in combinations(enumerate(programme.purchases), 2):
        if one.voucher_id == other.voucher_id and _overlap(one, other):
            message = f"{other.voucher_id} is on offer by /purchases/{first} at the same time; give them other windows"
            yield Fault(("purchases", second), message)


def zone_faults(zone: str) -> Iterator[Fault]:
    """A zone must mean the same on every machine."""
    if zone not in _iana():
        yield Fault(("zone",), f"{zone!r} is no IANA time zone")


def has_more_decimals(amount: Decimal, scale: int) -> bool:
    """Whether an amount cannot be written with `scale` digits after the point."""
    return amount != round(amount, scale)


def _amounts(programme: Programme) -> Iterator[tuple[Path, Decimal]]:
    """What is counted in the programme's unit, and must be whole in its smallest one."""
    for index, offer in enumerate(programme.purchases):
        yield ("purchases", index, "price"), offer.price
    if programme.issue_immediate_threshold is not None:
        yield ("issueImmediateThreshold", "value"), programme.issue_immediate_threshold.value
    limits = programme.load_limits
    for name, limit in (("perLoad", limits.per_load), ("perTransaction", limits.per_transaction)):
        if limit is not None:
            yield ("loadLimits", name), limit


def _overlap(one: PurchaseOffer, other: PurchaseOffer) -> bool:
    return _begins_before_end(one.from_, other.until) and _begins_before_end(other.from_, one.until)


def _begins_before_end(begin: datetime | None, end: datetime | None) -> bool:
    return begin is None or end is None or begin < end


@cache
def _iana() -> frozenset[str]:
    """The zones of the IANA database; a machine may have files of its own beside them, such as `localtime`."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text().split()) - {"Factory"}

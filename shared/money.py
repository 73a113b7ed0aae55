"""Amounts at the border: exact decimals outside, whole numbers of the smallest unit inside (DESIGN 3)."""

from decimal import Decimal


def to_minor(amount: Decimal, scale: int) -> int | None:
    """`amount` in the smallest unit, or None when it has more than `scale` decimals."""
    minor = amount.scaleb(scale)
    whole = int(minor)
    return whole if whole == minor else None


def from_minor(minor: int, scale: int) -> Decimal:
    """The amount in whole units, with exactly `scale` digits after the point."""
    return Decimal(minor).scaleb(-scale)

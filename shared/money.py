"""Amounts at the border: exact decimals outside, whole numbers of the smallest unit inside."""

from decimal import Decimal


def to_minor(amount: Decimal, scale: int) -> int | None:
    """`amount` in the smallest unit, or None when it has more than `scale` decimals."""
    minor = amount.scaleb(scale)
    whole = int(minor)
    return whole if whole == minor else None


def from_minor(minor: int, scale: int) -> Decimal:
    """The amount in whole units, with exactly `scale` digits after the point."""
    return Decimal(minor).scaleb(-scale)


_CURRENCY_SCALES = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND"), 0),
    **dict.fromkeys(("VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


def currency_scale(currency: str) -> int:
    """The digits after the point of a currency's amounts (ISO 4217)."""
    return _CURRENCY_SCALES.get(currency, 2)

"""Numbers that we draw ourselves: 19 digits with a Luhn check digit, not to be guessed without the key."""

from schemas.luhn import check_digit
from shared.hashing import keyed_hash

_DIGITS = 18
"""Without the check digit."""


def drawn_number(secret: bytes, *parts: str) -> str:
    """The number that `parts`, a command's id and what it is for, draw with the key: the same at each redelivery."""
    least = 10 ** (_DIGITS - 1)
    number = str(least + int(keyed_hash(secret, "number", *parts), 16) % (9 * least))
    return f"{number}{check_digit(number)}"

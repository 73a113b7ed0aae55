"""Numbers that we draw ourselves: 19 digits with a Luhn check digit, not to be guessed without the key."""

from shared.hashing import keyed_hash

_DIGITS = 18
"""Without the check digit."""


def drawn_number(secret: bytes, *parts: str) -> str:
    """The number that `parts`, a command's id and what it is for, draw with the key: the same at each redelivery."""
    least = 10 ** (_DIGITS - 1)
    number = str(least + int(keyed_hash(secret, "number", *parts), 16) % (9 * least))
    return f"{number}{check_digit(number)}"


def check_digit(number: str) -> str:
    """The digit that ISO/IEC 7812-1 (Luhn) puts behind these."""
    doubled = [int(digit) * 2 if place % 2 == 0 else int(digit) for place, digit in enumerate(reversed(number))]
    return str(-sum(each - 9 if each > 9 else each for each in doubled) % 10)

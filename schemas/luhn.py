"""The check digit at the end of the numbers that we draw."""


def check_digit(number: str) -> str:
    """The digit that ISO/IEC 7812-1 (Luhn) puts behind these."""
    doubled = [int(digit) * 2 if place % 2 == 0 else int(digit) for place, digit in enumerate(reversed(number))]
    return str(-sum(each - 9 if each > 9 else each for each in doubled) % 10)

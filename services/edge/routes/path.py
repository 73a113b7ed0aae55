"""What paths carry."""

from typing import Annotated

from fastapi import Path

from services.edge.problems import Problem

AccountNumber = Annotated[
    str,
    Path(
        alias="accountNumber",
        description="A card's or account's number: an opaque string of 1 to 64 characters.",
        examples=["6299000000000000017"],
    ),
]
_CHARS_MAX = 64
_NOT_UTF8 = "\ufffd"


def checked(number: str) -> str:
    """The number, when it can be one.

    :raises Problem: `invalid_account_number`.
    """
    if not number or len(number) > _CHARS_MAX or _NOT_UTF8 in number:
        raise Problem("invalid_account_number", f"an account number is 1 to {_CHARS_MAX} characters of UTF-8")
    return number

"""Inputs that wait for their account number to be known, and the numbers under which they need not (rules 4.1.2)."""

from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import SchemaError, SchemaValidator, core_schema

from schemas.base import Instant, Published, Wire
from schemas.text import LINE, Checked, Key

INPUTS_WAITING_MAX = 100
"""The inputs that may wait for one account number to be known."""


def number_fits(patterns: tuple[str, ...], number: str) -> bool:
    """Whether the whole of `number` fits one of the patterns; takes time linear in its length, whatever they are."""
    return any(_pattern(each).isinstance_python(number) for each in patterns)


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> SchemaValidator:
    """A validator that fits whole strings.

    :raises SchemaError: the pattern is no regular expression.
    """
    return SchemaValidator(core_schema.str_schema(strict=True, pattern=rf"\A(?:{pattern})\z"))


def _is_pattern(pattern: str) -> str:
    try:
        _pattern(pattern)
    except SchemaError:
        raise ValueError("is no regular expression (without look-around or back-references)") from None
    return pattern


NumberPatterns = Annotated[
    tuple[Annotated[str, Checked(LINE, 200, 1), AfterValidator(_is_pattern)], ...],
    Field(max_length=20, json_schema_extra={"examples": [["[0-9]{19}"]]}),
]
"""Regular expressions for whole account numbers, such as `[0-9]{19}`."""


class KnowNumber(Wire):
    """`points.know_number.v1`: inputs may open an account under this number; those that waited for it are released.

    Sent by the customer service for each card, and by an operator.
    """

    account_number: Key


class ReleaseInputs(Wire):
    """`points.release_inputs.v1`: inputs that waited for the account's number to be known go on, in their order.

    `commands` are the ids of the commands that they were.
    """

    account_number: Key
    commands: Annotated[tuple[Key, ...], Field(min_length=1, max_length=INPUTS_WAITING_MAX)]


class PutAccountNumbers(Wire):
    """`points.put_account_numbers.v1`: the numbers under which inputs may open accounts, besides customers' cards."""

    patterns: NumberPatterns


class AccountUnknown(Published):
    """`points.account_unknown.v1`: an input waits, since neither a pattern nor a customer knows its account number.

    `input` is the command that the input was translated into, as JSON text; `command` its type.
    """

    type: Literal["points.account_unknown.v1"] = "points.account_unknown.v1"
    account: str
    account_number: str
    command_id: str
    command: str
    input: str
    booked_at: Instant


class NumberKnown(Published):
    """`points.number_known.v1`: inputs may open an account under this number from now on."""

    type: Literal["points.number_known.v1"] = "points.number_known.v1"
    account: str
    account_number: str
    booked_at: Instant


class InputsReleased(Published):
    """`points.inputs_released.v1`: these commands no longer wait for the account's number to be known."""

    type: Literal["points.inputs_released.v1"] = "points.inputs_released.v1"
    account: str
    account_number: str
    commands: tuple[str, ...]
    booked_at: Instant


class AccountNumbersApplied(Published):
    """`points.account_numbers_applied.v1`: inputs may open accounts under numbers of these patterns."""

    type: Literal["points.account_numbers_applied.v1"] = "points.account_numbers_applied.v1"
    patterns: tuple[str, ...]
    version: int
    booked_at: Instant


InputNews = AccountUnknown | NumberKnown | InputsReleased

KNOW_NUMBER = "points.know_number.v1"
RELEASE_INPUTS = "points.release_inputs.v1"
PUT_ACCOUNT_NUMBERS = "points.put_account_numbers.v1"
COMMANDS: dict[str, type[Wire]] = {
    KNOW_NUMBER: KnowNumber,
    RELEASE_INPUTS: ReleaseInputs,
    PUT_ACCOUNT_NUMBERS: PutAccountNumbers,
}
REJECTIONS = dict.fromkeys(COMMANDS, "points.account_rejected.v1")

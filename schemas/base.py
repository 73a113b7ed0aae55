"""What all wire models have in common: camelCase keys, frozen values, instants in UTC, exact numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any

from annotated_types import GroupedMetadata, MaxLen
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from schemas import glossary

VALUE_MAX = 10**12
"""The largest amount one operation may name, in whole units; what is larger does not parse."""

DECIMALS_MAX = 12


def to_instant(value: datetime) -> datetime:
    """An aware time as a UTC instant cut to milliseconds, which is what MongoDB keeps."""
    if value.tzinfo is None:
        raise ValueError("a time needs an offset or a Z")
    try:
        value = value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a time must lie in the years 1 to 9999, in UTC too") from error
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


@lru_cache(maxsize=4096)
def format_instant(value: datetime) -> str:
    """RFC 3339 with milliseconds and Z: `2026-11-22T10:00:01.123Z`. Expects a UTC instant."""
    return value.isoformat(timespec="milliseconds")[:-6] + "Z"


def _only_number(value: Any) -> Any:
    """Refuse what the decimal parser would be kind to: strings and booleans."""
    if isinstance(value, str | bool):
        raise ValueError("must be a JSON number")
    return value


def _few_decimals(value: Decimal) -> Decimal:
    """Refuse what would take too long to count with; zeros at the end are no decimals, and cut off."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or exponent >= -DECIMALS_MAX:
        return value
    beyond = exponent + DECIMALS_MAX
    if any(digits[beyond:]):
        fields = {"decimals": DECIMALS_MAX}
        raise PydanticCustomError("too_many_decimals", "has at most {decimals} decimals", fields)
    return Decimal((sign, digits[:beyond] or (0,), -DECIMALS_MAX))


def _only_string(value: Any) -> Any:
    if not isinstance(value, str | datetime):
        raise ValueError("must be an RFC 3339 string")
    if isinstance(value, str) and "T" not in value.upper():  # Else digits would pass as seconds since 1970.
        raise ValueError("must be an RFC 3339 string, with a date, a time and an offset")
    return value


Instant = Annotated[
    datetime,
    BeforeValidator(_only_string, json_schema_input_type=str),
    AfterValidator(to_instant),
    PlainSerializer(format_instant, return_type=str, when_used="json"),
    Field(json_schema_extra={"format": "date-time", "examples": ["2026-11-22T10:00:01.123Z"]}),
]
"""A UTC instant, whole milliseconds; RFC 3339 on the wire."""

Integer = Annotated[int, BeforeValidator(_only_number, json_schema_input_type=int)]
"""A whole number, as JSON Schema's `integer`: 2 and 2.0, and neither "2" nor true."""

Amount = Annotated[
    Decimal,
    BeforeValidator(_only_number, json_schema_input_type=float),
    Field(allow_inf_nan=False, ge=-VALUE_MAX, le=VALUE_MAX),
    AfterValidator(_few_decimals),
]
"""Points or money as callers write it: a JSON number in whole units, at most VALUE_MAX either way.

More decimals than DECIMALS_MAX are refused here, and more than the programme has by the rules, under the same code. No
JSON Schema says so, as a `multipleOf` refuses numbers that a double does not hold exactly.
"""


@dataclass(frozen=True)
class AtMost(GroupedMetadata):
    """At most `count` elements. They are counted before any of them is looked at, so that refusing many is cheap."""

    count: int

    def __iter__(self) -> Iterator[object]:
        yield MaxLen(self.count)
        yield BeforeValidator(self._check)

    def _check(self, value: Any) -> Any:
        if isinstance(value, list | tuple) and len(value) > self.count:
            fields = {"max_length": self.count, "actual_length": len(value)}
            raise PydanticCustomError("too_long", "has at most {max_length} elements, not {actual_length}", fields)
        return value


class _Described(BaseModel):
    """Its fields are described by the glossary, unless they are where they stand."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core_schema)
        described = handler.resolve_ref_schema(schema)
        glossary.describe(cls, described)
        for each in described.get("properties", {}).values():
            if isinstance(each.get("default"), dict):  # Client generators leave out a model that has such a default.
                del each["default"]
        return schema


class Wire(_Described):
    """Base of what we accept: unknown fields are errors."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid", strict=False
    )


class Published(_Described):
    """Base of what we publish: readers ignore fields that they do not know, so fields may be added."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore", strict=False
    )

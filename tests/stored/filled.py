"""Values of a type with every field filled, so that a field that is added shows in what is stored of them."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from fractions import Fraction
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

INSTANT = datetime(2026, 11, 22, 10, 0, 1, 123_000, UTC)
_SIMPLE: dict[Any, Any] = {
    str: "text",
    int: 7,
    bool: True,
    bytes: b"bytes",
    date: INSTANT.date(),
    datetime: INSTANT,
    Fraction: Fraction(1, 3),
}


def filled(wanted: Any, given: Mapping[Any, Any]) -> Any:
    """A value of the type with nothing left out; of the types in `given` it is the value there.

    :raises TypeError: for a type that it knows nothing of.
    """
    if wanted in given:
        return given[wanted]
    if wanted in _SIMPLE:
        return _SIMPLE[wanted]
    origin, args = get_origin(wanted), get_args(wanted)
    if origin is Annotated:
        return filled(args[0], given)
    if origin in (Union, UnionType):
        return filled(next(each for each in args if each is not NoneType), given)
    if origin is Literal:
        return args[-1]
    if origin is tuple:
        members = args[:1] if args[-1] is Ellipsis else args
        return tuple(filled(each, given) for each in members)
    if origin is not None and issubclass(origin, Mapping):
        return {filled(args[0], given): filled(args[1], given)}
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return list(wanted)[-1]
    if isinstance(wanted, type) and issubclass(wanted, BaseModel):
        values = {name: filled(field.annotation, given) for name, field in wanted.model_fields.items()}
        return wanted.model_construct(**values)
    if is_dataclass(wanted) or hasattr(wanted, "_fields"):
        hints = get_type_hints(wanted)
        names = [each.name for each in fields(wanted)] if is_dataclass(wanted) else wanted._fields
        return wanted(**{name: filled(hints[name], given) for name in names})
    raise TypeError(f"do not know how to fill {wanted}")

"""Reading bodies whose keys real callers write in any case: folded to the documented spelling.

Numbers keep every digit, NaN and the infinities are refused, and two keys that are equal after folding are an error.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Any, get_args

from pydantic import BaseModel

_NO_ALIASES: Mapping[str, str] = MappingProxyType({})


class FoldingError(ValueError):
    """The body is no JSON object, or two of its keys are equal after folding. `code` tells which."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def fold(raw: bytes, model: type[BaseModel], aliases: Mapping[str, str] = _NO_ALIASES) -> dict[str, Any]:
    """Parse `raw` and spell its keys as `model` does; members that are null are left out.

    Unknown keys stay as the caller wrote them, so that the validation error names them. `aliases` maps further
    spellings, in lower case, to documented ones.

    :raises FoldingError: `malformed_json`, `not_an_object`, `duplicate_key` or `value_out_of_range`.
    """
    names = {**_names(model), **aliases}

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        folded: dict[str, Any] = {}
        seen: set[str] = set()
        for key, value in members:
            name = names.get(key.lower(), key)
            if name.lower() in seen:
                raise FoldingError("duplicate_key", f"the key {name!r} is given twice, in whatever case")
            seen.add(name.lower())
            if value is not None:
                folded[name] = value
        return folded

    try:
        body = json.loads(
            raw, object_pairs_hook=pairs, parse_float=Decimal, parse_constant=_refuse, parse_int=_parse_int
        )
    except FoldingError:
        raise
    except ArithmeticError as error:
        raise FoldingError("value_out_of_range", "a number has an exponent that is out of all bounds") from error
    except (ValueError, RecursionError) as error:
        raise FoldingError("malformed_json", f"not JSON: {error}") from error
    if not isinstance(body, dict):
        raise FoldingError("not_an_object", "the body must be a JSON object")
    return body


def _refuse(constant: str) -> Any:
    raise FoldingError("malformed_json", f"not JSON: {constant}")


def _parse_int(text: str) -> int | Decimal:
    """Python refuses to parse integers of thousands of digits; a Decimal takes them, and the bounds refuse them."""
    return int(text) if len(text) < 64 else Decimal(text)


@cache
def _names(model: type[BaseModel]) -> dict[str, str]:
    """The documented spelling of every key of `model` and of the models within it, by its lower case."""
    names: dict[str, str] = {}
    todo: list[Any] = [model]
    seen: set[Any] = set()
    while todo:
        item = todo.pop()
        if isinstance(item, type) and issubclass(item, BaseModel):
            if item in seen:
                continue
            seen.add(item)
            for name, field in item.model_fields.items():
                alias = field.alias or name
                names[alias.lower()] = alias
                todo.append(field.annotation)
        else:
            todo.extend(get_args(item))
    return names

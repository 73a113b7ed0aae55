"""Reading bodies whose keys real callers write in any case: folded to the documented spelling.

Numbers keep every digit, NaN and the infinities are refused, and two keys that are equal after folding are an error.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Any, get_args

from pydantic import BaseModel

_Models = tuple[type[BaseModel], ...]

_NO_ALIASES: Mapping[str, str] = MappingProxyType({})


class FoldingError(ValueError):
    """The body is no JSON object, or two of its keys are equal after folding. `code` tells which."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def fold(raw: bytes, model: type[BaseModel], aliases: Mapping[str, str] = _NO_ALIASES) -> dict[str, Any]:
    """Parse `raw` and spell its keys as `model` does; members that it knows are left out where they are null.

    Unknown keys stay as the caller wrote them, so that the validation error names them. `aliases` maps further
    spellings, in lower case, to documented ones.

    :raises FoldingError: `malformed_json`, `not_an_object`, `duplicate_key` or `value_out_of_range`.
    """
    return _parsed(raw, model, {**_names(model), **aliases})


def exact(raw: bytes, model: type[BaseModel], foreign: Collection[str] = ()) -> dict[str, Any]:
    """The same for bodies whose keys are written as documented, and in no other way.

    Members of the model that are `foreign` to its body count as unknown.
    """
    return _parsed(raw, model, _NO_ALIASES, foreign)


def _parsed(
    raw: bytes, model: type[BaseModel], names: Mapping[str, str], foreign: Collection[str] = ()
) -> dict[str, Any]:
    nulls = False

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal nulls
        folded: dict[str, Any] = {}
        seen: set[str] = set()
        for key, value in members:
            name = names.get(key.lower(), key)
            if name.lower() in seen:
                raise FoldingError("duplicate_key", f"the key {name!r} is given twice, in whatever case")
            seen.add(name.lower())
            folded[name] = value
            nulls = nulls or value is None
        return folded

    try:
        text = raw.decode("utf-8-sig")  # Given bytes, `json` takes UTF-16 and UTF-32 too.
        body = json.loads(
            text, object_pairs_hook=pairs, parse_float=Decimal, parse_constant=_refuse, parse_int=_parse_int
        )
    except FoldingError:
        raise
    except ArithmeticError as error:
        raise FoldingError("value_out_of_range", "a number has an exponent that is out of all bounds") from error
    except (ValueError, RecursionError) as error:
        raise FoldingError("malformed_json", f"not JSON: {error}") from error
    if not isinstance(body, dict):
        raise FoldingError("not_an_object", "the body must be a JSON object")
    if not nulls:
        return body
    kept = {name: None for name in foreign if name in body and body[name] is None}
    return _without_nulls(body, (model,)) | kept


def _without_nulls(body: Mapping[str, Any], models: _Models) -> dict[str, Any]:
    """A body without the members that are null and known to its models; unknown ones stay, to be refused."""
    fields = _fields(models)
    return {
        name: _within(value, fields[name]) if name in fields else value
        for name, value in body.items()
        if value is not None or name not in fields
    }


def _within(value: Any, models: _Models) -> Any:
    """The same in an object of these models, or in a list of such; anything else is left as it is."""
    if isinstance(value, dict) and models:
        return _without_nulls(value, models)
    if isinstance(value, list) and models:
        return [_without_nulls(each, models) if isinstance(each, dict) else each for each in value]
    return value


@cache
def _fields(models: _Models) -> dict[str, _Models]:
    """The members of some models by their documented names, with the models that each is made of."""
    return {
        field.alias or name: tuple(_models(field.annotation))
        for model in models
        for name, field in model.model_fields.items()
    }


def _models(type_: Any) -> Iterator[type[BaseModel]]:
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        yield type_
    for part in get_args(type_):
        yield from _models(part)


def _refuse(constant: str) -> Any:
    raise FoldingError("malformed_json", f"not JSON: {constant}")


def _parse_int(text: str) -> int | Decimal:
    """Python refuses to parse integers of thousands of digits; a Decimal takes them, and the bounds refuse them."""
    return int(text) if len(text) < 64 else Decimal(text)


@cache
def _names(model: type[BaseModel]) -> dict[str, str]:
    """The documented spelling of every key of `model` and of the models within it, by its lower case."""
    names: dict[str, str] = {}
    todo: list[type[BaseModel]] = [model]
    seen: set[type[BaseModel]] = set()
    while todo:
        if (item := todo.pop()) not in seen:
            seen.add(item)
            for name, field in item.model_fields.items():
                alias = field.alias or name
                names[alias.lower()] = alias
                todo.extend(_models(field.annotation))
    return names

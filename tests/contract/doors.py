"""What may come in from outside: every model of it, and each single value in them with what it takes."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic_core import SchemaValidator, ValidationError, core_schema

from schemas import giftcard_saga, joining, voucher_saga
from schemas._registry import registry
from schemas.base import Published, Wire
from schemas.declarations import Declarations
from services.edge import families

Schema = Mapping[str, Any]

_OURS = {module.__name__ for module in (voucher_saga, giftcard_saga, joining)}
_CONTAINERS = ("model-fields", "model-field", "tuple", "dict", "list")


def models() -> dict[str, type[BaseModel]]:
    """By name: the bodies that routes read, what inputs and commands carry, and what operators declare.

    What only our own services send each other (`_OURS`) has come through one of these doors before.
    """
    found: dict[str, type[BaseModel]] = {"declarations": Declarations}
    for module in pkgutil.walk_packages(families.__path__, f"{families.__name__}."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, type) and issubclass(value, Wire):
                found[f"{module.name}.{name}"] = value
    for name, wire_type in registry().items():
        model = wire_type.model
        ours = issubclass(model, Published) or model.__module__ in _OURS
        if wire_type.direction == "accepted" and not ours:
            found[name] = model
    return found


def values(model: type[BaseModel], beside: type[BaseModel] | None = None) -> Iterator[tuple[str, SchemaValidator]]:
    """Every value in a model that is no model, list or map: its place, and a validator of it alone.

    What is in models of the kind `beside` is left out.
    """
    schema: Any = TypeAdapter(model).core_schema
    definitions: dict[str, Schema] = {}
    if schema["type"] == "definitions":
        definitions = {each["ref"]: each for each in schema["definitions"]}
        schema = schema["schema"]
    yield from _values(schema, model.__name__, definitions, beside)


def _values(
    schema: Any, place: str, definitions: dict[str, Schema], beside: type[BaseModel] | None
) -> Iterator[tuple[str, SchemaValidator]]:
    if schema["type"] == "definition-ref":
        schema = definitions[schema["schema_ref"]]
    if schema["type"] == "model" and beside is not None and issubclass(schema["cls"], beside):
        return
    if not _holds_others(schema, definitions):
        alone = core_schema.definitions_schema(schema, [*definitions.values()])
        yield place, SchemaValidator(alone if definitions else schema)
        return
    if schema["type"] == "model-fields":
        for name, field in schema["fields"].items():
            yield from _values(field["schema"], f"{place}.{name}", definitions, beside)
        return
    for name, within in _parts(schema):
        yield from _values(within, f"{place}{name}", definitions, beside)


def _parts(schema: Any) -> Iterator[tuple[str, Any]]:
    match schema["type"]:
        case "dict":
            yield "{key}", schema["keys_schema"]
            yield "{}", schema["values_schema"]
        case "tuple" | "list":
            items = schema["items_schema"]
            yield from (("[]", each) for each in (items if isinstance(items, list) else [items]))
        case "union" | "tagged-union":
            choices = schema["choices"]
            yield from (("", each) for each in (choices.values() if isinstance(choices, dict) else choices))
        case "chain":
            yield from (("", each) for each in schema["steps"])
        case _:
            yield "", schema["schema"]


def _holds_others(schema: Any, definitions: dict[str, Schema]) -> bool:
    if schema["type"] == "definition-ref":
        return _holds_others(definitions[schema["schema_ref"]], definitions)
    if schema["type"] in _CONTAINERS:
        return True
    if schema["type"] in ("union", "tagged-union", "chain") or "schema" in schema:
        return any(_holds_others(each, definitions) for _, each in _parts(schema))
    return False


def takes(validator: SchemaValidator, value: object) -> bool:
    """Whether a value alone is taken."""
    try:
        validator.validate_python(value)
    except ValidationError:
        return False
    return True

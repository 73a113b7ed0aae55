"""Bounds that pydantic leaves under their Python names, spelled as JSON Schema spells them."""

from collections.abc import Callable, Mapping
from typing import Any

Schema = dict[str, Any]

_KEYWORDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def walk(node: Mapping[str, Any], change: Callable[[Schema, str], Schema], name: str = "") -> Schema:
    """A copy of a schema with `change` applied to it and to every schema within it; `name` is its property's."""
    copy: Schema = {}
    for key, value in node.items():
        if key in ("properties", "$defs", "patternProperties"):
            copy[key] = {inner: walk(child, change, inner) for inner, child in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            copy[key] = walk(value, change, name)
        elif key in ("anyOf", "oneOf", "allOf", "prefixItems"):
            copy[key] = [walk(child, change, name) for child in value]
        else:
            copy[key] = value
    return change(copy, name)


def spell_bounds(schema: Schema) -> Schema:
    """The bounds by their keywords; that of decimals in words, as doubles are no exact multiples."""
    numeric = schema.get("type") in ("number", "integer")
    for python, keyword in _KEYWORDS.items():
        if python in schema and "type" in schema:
            bound = schema.pop(python)
            if numeric:
                schema[keyword] = bound
    if places := schema.pop("decimal_places", 0):
        schema["description"] = f"{schema.get('description', '')} At most {places} decimals.".strip()
    if "minimum" in schema and schema.get("exclusiveMinimum", schema["minimum"] - 1) >= schema["minimum"]:
        del schema["minimum"]
    return schema

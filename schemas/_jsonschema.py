"""One JSON Schema (2020-12) per wire type, from its pydantic model.

Two things differ from what pydantic writes. What we *publish* stays open: further fields are
allowed, and lists of values may grow, so an `enum` becomes `examples`, except the status of a reply and the constants
`type` and `kind`. And bounds that pydantic leaves under their Python names are spelled as JSON Schema spells them.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from schemas._registry import WireType

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_VERSION = {"type": "integer", "minimum": 1, "description": "Of the stream; readers keep the highest."}
_CLOSED_DEFINITIONS = frozenset({"Status"})
_CLOSED_PROPERTIES = frozenset({"type", "kind"})


class _Untitled(GenerateJsonSchema):
    """Leaves out the titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: Any) -> Schema:
        """A field without a default value of interest says nothing: `null` is what its type says already."""
        written = super().default_schema(schema)
        if written.get("default", 0) is None:
            del written["default"]
        return written


def schema_of(wire_type: WireType) -> Schema:
    """The schema of a type's payload: validation mode for what we accept, serialization mode for what we publish."""
    published = wire_type.direction == "published"
    raw = TypeAdapter(wire_type.model).json_schema(
        by_alias=True, mode="serialization" if published else "validation", schema_generator=_Untitled
    )
    schema = {
        **_walk(raw, _open if published else _close),
        "$schema": DIALECT,
        "$id": wire_type.name,
        "title": wire_type.name,
    }
    if wire_type.versioned:
        schema["properties"] = {**schema["properties"], "version": _VERSION}
        schema["required"] = sorted({*schema["required"], "version"})
    if wire_type.note:
        schema["description"] = f"{schema.get('description', '')}\n\n{wire_type.note}".strip()
    if wire_type.example is not None:
        schema["examples"] = [dict(wire_type.example)]
    return schema


def _walk(node: Mapping[str, Any], change: Callable[[Schema, str], Schema], name: str = "") -> Schema:
    """A copy of a schema with `change` applied to it and to every schema within it; `name` is its property's."""
    copy: Schema = {}
    for key, value in node.items():
        if key in ("properties", "$defs", "patternProperties"):
            copy[key] = {inner: _walk(child, change, inner) for inner, child in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            copy[key] = _walk(value, change, name)
        elif key in ("anyOf", "oneOf", "allOf", "prefixItems"):
            copy[key] = [_walk(child, change, name) for child in value]
        else:
            copy[key] = value
    return change(copy, name)


def _open(schema: Schema, name: str) -> Schema:
    """As published: a promise of what is there, not of what will never be there."""
    if schema.get("additionalProperties") is False:
        del schema["additionalProperties"]
    if "enum" in schema and name not in _CLOSED_DEFINITIONS:
        schema["examples"] = schema.pop("enum")
    if "const" in schema and name not in _CLOSED_PROPERTIES:
        schema["examples"] = [schema.pop("const")]
    return _spell_bounds(schema)


def _close(schema: Schema, _name: str) -> Schema:
    """As accepted: a map whose keys have a pattern takes no other keys."""
    if "patternProperties" in schema:
        schema.setdefault("additionalProperties", False)
    return _spell_bounds(schema)


def _spell_bounds(schema: Schema) -> Schema:
    """Python's names for bounds turned into JSON Schema's; of decimals in words, as doubles are no exact multiples."""
    numeric = schema.get("type") in ("number", "integer")
    for python, keyword in _BOUNDS.items():
        if python in schema and "type" in schema:
            bound = schema.pop(python)
            if numeric:
                schema[keyword] = bound
    if places := schema.pop("decimal_places", 0):
        schema["description"] = f"At most {places} decimals."
    if "minimum" in schema and schema.get("exclusiveMinimum", schema["minimum"] - 1) >= schema["minimum"]:
        del schema["minimum"]
    return schema

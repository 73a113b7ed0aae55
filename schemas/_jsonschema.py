"""One JSON Schema (2020-12) per wire type, from its pydantic model.

Two things differ from what pydantic writes. What we *publish* stays open: further fields are
allowed, and lists of values may grow, so an `enum` becomes `examples`, except the status of a reply and the constants
`type` and `kind`. And bounds that pydantic leaves under their Python names are spelled as JSON Schema spells them.
"""

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from schemas._registry import WireType
from schemas.bounds import Schema, spell_bounds, walk

DIALECT = "https://json-schema.org/draft/2020-12/schema"

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
        **walk(raw, _open if published else _close),
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


def _open(schema: Schema, name: str) -> Schema:
    """As published: a promise of what is there, not of what will never be there."""
    if schema.get("additionalProperties") is False:
        del schema["additionalProperties"]
    if "enum" in schema and name not in _CLOSED_DEFINITIONS:
        schema["examples"] = schema.pop("enum")
    if "const" in schema and name not in _CLOSED_PROPERTIES:
        schema["examples"] = [schema.pop("const")]
    return spell_bounds(schema)


def _close(schema: Schema, _name: str) -> Schema:
    """As accepted: a map whose keys have a pattern takes no other keys."""
    if "patternProperties" in schema:
        schema.setdefault("additionalProperties", False)
    return spell_bounds(schema)

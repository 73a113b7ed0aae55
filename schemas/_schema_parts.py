"""Taking JSON Schemas apart: references, alternatives, listed values, and bounds."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
EXACT = ("pattern", "format", "multipleOf", "uniqueItems")


def alternatives(schema: Schema, root: Schema) -> Iterator[Schema]:
    """The schemas of which a value must fit one: references resolved, unions and lists of types taken apart."""
    rest = dict(schema)
    if "$ref" in rest:
        yield from alternatives({**_resolve(rest.pop("$ref"), root), **rest}, root)
    elif "allOf" in rest:
        merged: dict[str, Any] = {}
        for part in rest.pop("allOf"):
            for alternative in alternatives(part, root):
                merged |= alternative
        yield from alternatives({**merged, **rest}, root)
    elif union := rest.pop("anyOf", None) or rest.pop("oneOf", None):
        rest.pop("discriminator", None)
        for part in union:
            yield from alternatives({**rest, **part}, root)
    elif isinstance(rest.get("type"), list):
        for one in rest["type"]:
            yield {**rest, "type": one}
    else:
        yield rest


def _resolve(reference: str, root: Schema) -> Schema:
    node: Any = root
    for step in reference.removeprefix("#").split("/")[1:]:
        node = node[step.replace("~1", "/").replace("~0", "~")]
    return dict(node)


def values(schema: Schema) -> list[Any] | None:
    """The values that an `enum` or a `const` lists; None when the schema lists none."""
    return [schema["const"]] if "const" in schema else schema.get("enum")


def same_type(outer: Schema, inner: Schema) -> bool:
    """Whether the outer's type takes the inner's; one without a type takes all."""
    wanted, given = outer.get("type"), inner.get("type")
    if wanted is None or wanted == given or (wanted == "number" and given == "integer"):
        return True
    listed = values(inner)
    return given is None and listed is not None and all(fits(outer, value) for value in listed)


def fits(schema: Schema, value: Any) -> bool:
    """Whether a listed value fits a scalar schema."""
    listed = values(schema)
    if listed is not None:
        return value in listed
    if isinstance(value, str):
        bounds = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
        return bounds and bool(re.search(schema.get("pattern", ""), value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        above = schema.get("exclusiveMinimum", value - 1) < value < schema.get("exclusiveMaximum", value + 1)
        return bool(above and schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return True


def implied(keyword: str, limit: Any, inner: Schema) -> bool:
    """Whether the inner's bounds keep within `limit`, be they inclusive or not."""
    if keyword in EXACT:
        return False
    stem = keyword.removeprefix("exclusive")
    same, strict = (stem.lower(), keyword) if stem != keyword else (keyword, f"exclusive{keyword.title()}")
    sign = 1 if keyword in UPPER else -1
    if strict in inner and sign * inner[strict] <= sign * limit:
        return True
    reached = inner.get(same)
    if reached is None:
        return False
    return bool(sign * reached < sign * limit or (reached == limit and keyword == same))


def item(schema: Schema, index: int) -> Schema:
    """The schema of an array's element."""
    fixed = schema.get("prefixItems", ())
    return plain(fixed[index] if index < len(fixed) else schema.get("items", {}))


def plain(schema: Any) -> Schema:
    """`true` and `false` stand for schemas; false, which only ends a fixed list, is covered by maxItems."""
    return schema if isinstance(schema, Mapping) else {}


def kind(schema: Schema) -> str:
    """What the schema asks for, in a word."""
    listed = values(schema)
    if listed is not None:
        return ", ".join(map(json.dumps, listed))
    return str(schema.get("type", "anything"))

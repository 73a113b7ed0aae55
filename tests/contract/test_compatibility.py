"""What counts as breaking, each with the sentence that says so."""

from typing import Any

import pytest

from schemas.compatibility import Direction, breaking_changes

Schema = dict[str, Any]
A: Direction = "accepted"
P: Direction = "published"

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
NULL: Schema = {"type": "null"}


def record(required: str = "", *, closed: bool = True, **fields: Schema) -> Schema:
    """A schema of an object; `required` names fields, separated by spaces."""
    schema: Schema = {"$id": "t.v1", "type": "object", "properties": fields, "required": required.split()}
    return {**schema, "additionalProperties": False} if closed else schema


def x(schema: Schema, **definitions: Schema) -> Schema:
    """A schema of an object with the one field `x`."""
    return {**record(x=schema), "$defs": definitions}


def union(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


TREE = x({"$ref": "#/$defs/T"}, T=record(t=union({"$ref": "#/$defs/T"}, NULL)))


def of(**bounds: Any) -> Schema:
    return {"type": "string" if any("ength" in name or name == "pattern" for name in bounds) else "number", **bounds}


BREAKING: list[tuple[Direction, Schema, Schema, str]] = [
    # What we accept.
    (A, record(a=TEXT), record("b", a=TEXT, b=TEXT), "t.v1: /b is now required"),
    (A, record(a=TEXT), record("a", a=TEXT), "t.v1: /a is now required"),
    (A, record(a=TEXT, b=TEXT), record(a=TEXT), "t.v1: /b is no longer accepted"),
    (A, record(closed=False, a=TEXT), record(a=TEXT), "t.v1: the value no longer accepts further fields"),
    (A, x(NUMBER), x(WHOLE), "t.v1: /x may no longer be number"),
    (A, x(union(TEXT, NULL)), x(TEXT), "t.v1: /x may no longer be null"),
    (A, x({"type": ["string", "null"]}), x(TEXT), "t.v1: /x may no longer be null"),
    (A, x({}), x(TEXT), "t.v1: /x may no longer be anything"),
    (A, x({"enum": ["a", "b"]}), x({"enum": ["a"]}), 't.v1: /x may no longer be "b"'),
    (A, x({"const": "a"}), x({"const": "b"}), 't.v1: /x may no longer be "a"'),
    (A, x(TEXT), x({**TEXT, "enum": ["a"]}), 't.v1: /x may no longer be any string, where "a" is listed'),
    (A, x(of(maximum=10)), x(of(maximum=5)), "t.v1: /x now has maximum 5, where it had maximum 10"),
    (
        A,
        x(of(minimum=0)),
        x(of(exclusiveMinimum=0)),
        "t.v1: /x now has exclusiveMinimum 0, where it had no exclusiveMinimum",
    ),
    (A, x(TEXT), x(of(maxLength=64)), "t.v1: /x now has maxLength 64, where it had no maxLength"),
    (A, x(of(minLength=1)), x(of(minLength=2)), "t.v1: /x now has minLength 2, where it had minLength 1"),
    (A, x(TEXT), x(of(pattern="^a$")), "t.v1: /x now has pattern ^a$, where it had no pattern"),
    (
        A,
        x({"type": "array", "items": NUMBER}),
        x({"type": "array", "items": WHOLE, "maxItems": 9}),
        "t.v1: /x now has maxItems 9, where it had no maxItems",
    ),
    (
        A,
        x({"type": "array", "items": {"$ref": "#/$defs/I"}}, I=record(n=TEXT, m=TEXT)),
        x({"type": "array", "items": {"$ref": "#/$defs/I"}}, I=record(n=TEXT)),
        "t.v1: /x/*/m is no longer accepted",
    ),
    (
        A,
        x({"type": "object", "additionalProperties": NUMBER}),
        x({"type": "object", "additionalProperties": WHOLE}),
        "t.v1: /x/* may no longer be number",
    ),
    (
        A,
        x({"type": "object", "patternProperties": {"^a": TEXT}, "additionalProperties": False}),
        x({"type": "object", "patternProperties": {"^b": TEXT}, "additionalProperties": False}),
        "t.v1: /x may no longer have fields that match ^a",
    ),
    (
        A,
        x({"type": "array", "prefixItems": [TEXT, NUMBER]}),
        x({"type": "array", "prefixItems": [TEXT, WHOLE]}),
        "t.v1: /x/1 may no longer be number",
    ),
    (A, {**record(), "properties": {"a/b": TEXT}}, record(), "t.v1: /a~1b is no longer accepted"),
    # What we publish.
    (P, record(a=TEXT, b=TEXT), record(a=TEXT), "t.v1: /b is gone"),
    (P, record("a", a=TEXT), record(a=TEXT), "t.v1: /a was always there and may now be missing"),
    (P, x(TEXT), x(union(TEXT, NULL)), "t.v1: /x may now be null"),
    (P, x(WHOLE), x(NUMBER), "t.v1: /x may now be number"),
    (P, x(WHOLE), x(TEXT), "t.v1: /x may now be string"),
    (P, x(TEXT), x({}), "t.v1: /x may now be anything"),
    (P, x({"const": "a"}), x({"const": "b"}), 't.v1: /x may now be "b"'),
    (P, x({"enum": ["a"]}), x({"enum": ["a", "b"]}), 't.v1: /x may now be "b"'),
    (P, x({**TEXT, "enum": ["a"]}), x(TEXT), 't.v1: /x may now be any string, where "a" is listed'),
    (P, x(of(maximum=5)), x(NUMBER), "t.v1: /x now has no maximum, where it had maximum 5"),
    (P, x(of(maxLength=5)), x(of(maxLength=6)), "t.v1: /x now has maxLength 6, where it had maxLength 5"),
    (
        P,
        x({"$ref": "#/$defs/I"}, I=record("n", n=TEXT)),
        x(union({"$ref": "#/$defs/J"}, NULL), J=record("n", n=TEXT)),
        "t.v1: /x may now be null",
    ),
    (P, x(record(record=record(deep=TEXT))), x(record(record=record())), "t.v1: /x/record/deep is gone"),
]

HARMLESS: list[tuple[str, Direction, Schema, Schema]] = [
    ("a new optional field", A, record(a=TEXT), record(a=TEXT, b=TEXT)),
    ("no longer required", A, record("a", a=TEXT), record(a=TEXT)),
    ("a wider type", A, x(WHOLE), x(NUMBER)),
    ("null as well", A, x(TEXT), x(union(TEXT, NULL))),
    ("one more value", A, x({"enum": ["a"]}), x({"enum": ["a", "b"]})),
    ("a constant that becomes a list", A, x({**TEXT, "const": "a"}), x({**TEXT, "enum": ["a", "b"]})),
    ("a list that becomes free text", A, x({**TEXT, "enum": ["a", "b"]}), x(of(maxLength=3, pattern="^[ab]$"))),
    ("looser bounds", A, x(of(maximum=5, minimum=1)), x(of(exclusiveMaximum=6))),
    ("open to further fields", A, record(a=TEXT), record(closed=False)),
    ("moved into a definition", A, x(record(n=TEXT)), x({"$ref": "#/$defs/I"}, I=record(n=TEXT))),
    ("a description", A, x(TEXT), x({**TEXT, "description": "new", "examples": ["a"], "default": ""})),
    ("a new field", P, record(a=TEXT), record(a=TEXT, b=TEXT)),
    ("always there from now on", P, record(a=TEXT), record("a", a=TEXT)),
    ("never null any more", P, x(union(TEXT, NULL)), x(TEXT)),
    ("fewer values", P, x({"enum": ["a", "b"]}), x({"const": "a"})),
    ("tighter bounds", P, x(of(maximum=6)), x(of(maximum=5))),
    ("free text that becomes a list", P, x(of(maxLength=5)), x({**TEXT, "enum": ["short"]})),
    ("a tree, unchanged", P, TREE, TREE),
]


@pytest.mark.parametrize(("direction", "old", "new", "sentence"), BREAKING, ids=[case[3] for case in BREAKING])
def test_breaking(direction: Direction, old: Schema, new: Schema, sentence: str) -> None:
    assert sentence in breaking_changes(old, new, direction)


@pytest.mark.parametrize(("direction", "old", "new"), [case[1:] for case in HARMLESS], ids=[c[0] for c in HARMLESS])
def test_harmless(direction: Direction, old: Schema, new: Schema) -> None:
    assert breaking_changes(old, new, direction) == []

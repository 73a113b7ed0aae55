"""What breaks the other side when a contract changes. Pure functions over JSON Schemas and OpenAPI documents.

`accepted` is what we consume: a change breaks when something that an old sender may send no longer fits (a new
required field, a field removed where unknown ones are refused, a narrower type, bound or list of values).
`published` is what we emit: a change breaks when something that an old reader relies on goes away (a field removed or
no longer always there, a wider type or bound, another constant, a longer list of values). Fields may be added. Lists
of values that may grow are published as plain strings with examples (schemas/_jsonschema.py), so that an `enum` in a
published schema is a promise: there is one, the status of a reply.

Changed descriptions, examples, titles and defaults break nobody. A new type on a topic does not either: readers skip
types that they do not know.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from schemas._comparison import Comparison, Direction

Schema = Mapping[str, Any]

__all__ = ["Direction", "breaking_api_changes", "breaking_changes", "broken_types"]

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def breaking_changes(old: Schema, new: Schema, direction: Direction) -> list[str]:
    """The breaks between two versions of one type's schema.

    Each is a sentence that begins with the type and the JSON pointer of the place in the payload, `*` standing for
    every element: `points.adjust.v1: /context/shopId is no longer accepted`.
    """
    name = old.get("$id") or old.get("title") or "schema"
    return [f"{name}: {change}" for change in Comparison(old, new, direction).changes(old, new)]


def broken_types(old: Mapping[str, Schema], new: Mapping[str, Schema]) -> list[str]:
    """The breaks between two catalogues of types; an entry has `direction`, `topics` and `schema`."""
    changes: list[str] = []
    for name, was in sorted(old.items()):
        entry = new.get(name)
        if entry is None:
            changes.append(_removal(name, was, {other: new[other] for other in sorted(set(new) - set(old))}))
            continue
        lost = sorted(set(was["topics"]) - set(entry["topics"]))
        changes += [f"{name}: is no longer {was['direction']} on {topic}" for topic in lost]
        if entry["direction"] != was["direction"]:
            changes.append(f"{name}: was {was['direction']} and is now {entry['direction']}")
        else:
            changes += breaking_changes(was["schema"], entry["schema"], was["direction"])
    return changes


def _removal(name: str, was: Schema, added: Mapping[str, Schema]) -> str:
    """A type that is gone; a new one of the same shape on the same topics is named as its new name."""
    for other, entry in added.items():
        if entry["topics"] == was["topics"] and _shape(entry["schema"]) == _shape(was["schema"]):
            return f"{name}: is renamed to {other}"
    return f"{name}: is removed from {', '.join(was['topics'])}"


def _shape(schema: Schema) -> dict[str, Any]:
    """A schema without its own name and words; the constant that repeats the name counts as a name."""
    shape = {key: value for key, value in schema.items() if key not in ("$id", "title", "description", "examples")}
    fields = shape.get("properties", {})
    return shape | {"properties": {name: field for name, field in fields.items() if name != "type"}}


def breaking_api_changes(old: Schema, new: Schema) -> list[str]:
    """The breaks between two OpenAPI documents: paths, methods, parameters, bodies, and fields of responses."""
    changes: list[str] = []
    for path, was in sorted(old.get("paths", {}).items()):
        item = new.get("paths", {}).get(path)
        if item is None:
            changes.append(f"{path}: is gone")
            continue
        for method in _METHODS:
            if method in was and method not in item:
                changes.append(f"{method.upper()} {path}: is gone")
            elif method in was:
                found = _operation(old, new, was[method], item[method])
                changes += [f"{method.upper()} {path}: {change}" for change in found]
    return changes


def _operation(old: Schema, new: Schema, was: Schema, operation: Schema) -> Iterator[str]:
    accepted, published = Comparison(old, new, "accepted"), Comparison(old, new, "published")
    if (id_ := was.get("operationId")) != operation.get("operationId"):
        yield f"was called {id_} by generated clients, and is now {operation.get('operationId')}"
    before = {(parameter["in"], parameter["name"]): parameter for parameter in was.get("parameters", ())}
    for parameter in operation.get("parameters", ()):
        place, name = key = (parameter["in"], parameter["name"])
        known = before.get(key)
        if parameter.get("required") and not (known and known.get("required")):
            yield f"the {place} parameter {name} is now required"
        if known:
            changes = accepted.changes(known.get("schema", {}), parameter.get("schema", {}))
            yield from (f"the {place} parameter {name}: {change}" for change in changes)
    body = operation.get("requestBody", {})
    if body.get("required") and not was.get("requestBody", {}).get("required"):
        yield "a body is now required"
    yield from _content(accepted, was.get("requestBody", {}), body, "the body")
    for status, answer in sorted(was.get("responses", {}).items()):
        if status not in operation.get("responses", {}):
            yield f"the answer {status} is gone"
        else:
            yield from _content(published, answer, operation["responses"][status], f"the answer {status}")


def _content(comparison: Comparison, was: Schema, part: Schema, label: str) -> Iterator[str]:
    content = part.get("content", {})
    for media, before in sorted(was.get("content", {}).items()):
        if media not in content:
            yield f"{label} is no longer {media}"
        else:
            changes = comparison.changes(before.get("schema", {}), content[media].get("schema", {}))
            yield from (f"{label}: {change}" for change in changes)

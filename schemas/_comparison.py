"""What one JSON Schema lets through that another does not.

Both directions are one question. `accepted`: everything that an old sender may send must fit the new schema.
`published`: everything that we may send now must fit the old schema. So one of the two is the *outer* schema and the
other the *inner* one, and each value that fits the inner must fit the outer. Beyond that, a published field that
disappears is a loss although an open schema does not miss it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from schemas._schema_parts import (
    EXACT,
    LOWER,
    UPPER,
    Schema,
    alternatives,
    fits,
    implied,
    item,
    kind,
    plain,
    same_type,
    values,
)

Direction = Literal["accepted", "published"]


class Comparison:
    """Compares parts of an old document with parts of a new one; `$ref`s are resolved within each."""

    def __init__(self, old_document: Schema, new_document: Schema, direction: Direction) -> None:
        self._accepted = direction == "accepted"
        old_and_new = (old_document, new_document)
        self._inner_root, self._outer_root = old_and_new if self._accepted else reversed(old_and_new)
        self._open: set[tuple[str, str]] = set()

    def changes(self, old: Schema, new: Schema, at: str = "") -> list[str]:
        """A sentence for every break, each beginning with the JSON pointer of the place in the payload."""
        inner, outer = (old, new) if self._accepted else (new, old)
        return list(dict.fromkeys(self._schemas(outer, inner, at)))

    def _schemas(self, outer: Schema, inner: Schema, at: str) -> list[str]:
        pair = (json.dumps(outer, sort_keys=True), json.dumps(inner, sort_keys=True))
        if pair in self._open:
            return []
        self._open.add(pair)
        try:
            outers = list(alternatives(outer, self._outer_root))
            changes: list[str] = []
            for alternative in alternatives(inner, self._inner_root):
                changes += self._nearest(outers, alternative, at)
            return changes
        finally:
            self._open.discard(pair)

    def _nearest(self, outers: list[Schema], inner: Schema, at: str) -> list[str]:
        """The breaks against the alternative that `inner` fits best; none when it fits one of them."""
        alike = [outer for outer in outers if same_type(outer, inner)]
        if not alike:
            return [f"{_place(at)} {self._may} {kind(inner)}"]
        return min((self._pair(outer, inner, at) for outer in alike), key=len)

    def _pair(self, outer: Schema, inner: Schema, at: str) -> list[str]:
        listed = values(inner)
        if listed is not None:
            return [f"{_place(at)} {self._may} {json.dumps(value)}" for value in listed if not fits(outer, value)]
        if (allowed := values(outer)) is not None:
            only = ", ".join(map(json.dumps, allowed))
            return [f"{_place(at)} {self._may} any {kind(inner)}, where {only} is listed"]
        return [*self._bounds(outer, inner, at), *self._object(outer, inner, at), *self._array(outer, inner, at)]

    @property
    def _may(self) -> str:
        return "may no longer be" if self._accepted else "may now be"

    def _bounds(self, outer: Schema, inner: Schema, at: str) -> Iterator[str]:
        for keyword in (*UPPER, *LOWER, *EXACT):
            limit, had = outer.get(keyword), inner.get(keyword)
            if limit is None or limit == had or implied(keyword, limit, inner):
                continue
            new, old = (limit, had) if self._accepted else (had, limit)
            yield f"{_place(at)} now has {_bound(keyword, new)}, where it had {_bound(keyword, old)}"

    def _object(self, outer: Schema, inner: Schema, at: str) -> Iterator[str]:
        outer_fields, inner_fields = outer.get("properties", {}), inner.get("properties", {})
        for name in sorted(set(outer.get("required", ())) - set(inner.get("required", ()))):
            if self._accepted:
                yield f"{_join(at, name)} is now required"
            elif name in inner_fields:
                yield f"{_join(at, name)} was always there and may now be missing"
        if not self._accepted:
            yield from (f"{_join(at, name)} is gone" for name in sorted(set(outer_fields) - set(inner_fields)))
        for name in sorted(inner_fields):
            if name in outer_fields:
                yield from self._schemas(outer_fields[name], inner_fields[name], _join(at, name))
            elif self._accepted:
                yield from self._undeclared(outer, name, inner_fields[name], at)
        yield from self._other_fields(outer, inner, at)

    def _undeclared(self, outer: Schema, name: str, field: Schema, at: str) -> Iterator[str]:
        """A field that old senders know and the new schema does not name."""
        patterns = outer.get("patternProperties", {})
        rest = next((patterns[pattern] for pattern in patterns if re.search(pattern, name)), None)
        rest = outer.get("additionalProperties", True) if rest is None else rest
        if rest is False:
            yield f"{_join(at, name)} is no longer accepted"
        elif rest is not True:
            yield from self._schemas(rest, field, _join(at, name))

    def _other_fields(self, outer: Schema, inner: Schema, at: str) -> Iterator[str]:
        """Fields without a name of their own: by pattern, or any."""
        outer_patterns, inner_patterns = outer.get("patternProperties", {}), inner.get("patternProperties", {})
        rest, inner_rest = outer.get("additionalProperties", True), inner.get("additionalProperties", True)
        for pattern in sorted(inner_patterns):
            if pattern in outer_patterns:
                yield from self._schemas(outer_patterns[pattern], inner_patterns[pattern], f"{at}/*")
            elif outer_patterns or (rest is False and self._accepted):
                yield f"{_place(at)} {self._may.replace(' be', ' have')} fields that match {pattern}"
        if rest is False and inner_rest is not False and self._accepted:
            yield f"{_place(at)} no longer accepts further fields"
        elif isinstance(rest, Mapping) and inner_rest is not False:
            yield from self._schemas(rest, {} if inner_rest is True else inner_rest, f"{at}/*")
        if "propertyNames" in outer:
            yield from self._schemas(outer["propertyNames"], inner.get("propertyNames", {}), f"{at}/* as a name")

    def _array(self, outer: Schema, inner: Schema, at: str) -> Iterator[str]:
        fixed = max(len(outer.get("prefixItems", ())), len(inner.get("prefixItems", ())))
        for index in range(fixed):
            yield from self._schemas(item(outer, index), item(inner, index), f"{at}/{index}")
        if "items" in outer:
            yield from self._schemas(plain(outer["items"]), plain(inner.get("items", {})), f"{at}/*")


def _bound(keyword: str, value: Any) -> str:
    return f"no {keyword}" if value is None else f"{keyword} {value}"


def _join(at: str, name: str) -> str:
    return f"{at}/{name.replace('~', '~0').replace('/', '~1')}"


def _place(at: str) -> str:
    return at or "the value"

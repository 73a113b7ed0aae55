"""The documents kept from each version of each shape, as extended JSON under `tests/data/stored`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bson import json_util

from shared.decider import Document

FOLDER = Path(__file__).parents[1] / "data" / "stored"
_OPTIONS = json_util.JSONOptions(json_mode=json_util.JSONMode.RELAXED, tz_aware=True)


def kept(name: str) -> dict[int, list[Document]]:
    """The documents of a shape, by version."""
    path = FOLDER / f"{name}.json"
    found = json_util.loads(path.read_text(), json_options=_OPTIONS) if path.exists() else {}
    return {int(version): documents for version, documents in found.items()}


def keep(name: str, documents: dict[int, list[Document]]) -> None:
    """Write the documents of a shape."""
    ordered = {str(version): documents[version] for version in sorted(documents)}
    (FOLDER / f"{name}.json").write_text(json_util.dumps(ordered, json_options=_OPTIONS, indent=1) + "\n")


def members(document: Any) -> set[str]:
    """The paths to all values of a document, each with its type; members of a list share theirs."""
    return {*_members(document, "")}


def _members(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _members(each, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _members(each, f"{path}[]")
    else:
        yield f"{path}: {type(value).__name__}"

"""Every field of every generated document says what it is, and the glossary has no entry that nobody needs."""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from schemas.declarations import Declarations
from schemas.generate import HERE, registry
from schemas.glossary import entry, meanings
from services import edge

GENERATED = [HERE / "openapi.json", HERE / "asyncapi.yaml", *sorted((HERE / "json").glob("*.json"))]


def fields(part: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """All properties of all schemas in a document, with where they stand; examples are no schemas."""
    if isinstance(part, list):
        for index, each in enumerate(part):
            yield from fields(each, f"{at}/{index}")
    elif isinstance(part, dict):
        for name, each in part.items():
            if name == "properties" and "type" in part:
                yield from ((f"{at}/{field}", schema) for field, schema in each.items())
            if name not in ("example", "examples", "default"):
                yield from fields(each, f"{at}/{name}")


@pytest.mark.parametrize("path", GENERATED, ids=[path.name for path in GENERATED])
def test_every_field_is_described(path: Path) -> None:
    text = path.read_text()
    document = json.loads(text) if path.suffix == ".json" else yaml.load(text, yaml.CSafeLoader)
    found = [*fields(document)]
    assert [at for at, schema in found if not schema.get("description", "").endswith((".", ")."))] == []
    assert found or path.name in NOTHING_IN_THEM


NOTHING_IN_THEM = {f"{name}.json" for name in ("fealty.get_outcome.v1", "fealty.tick.v1", "customer.anonymise.v1")}


def models() -> set[type[BaseModel]]:
    """Every model of the wire, those of the edge and of declarations included."""
    found: set[type[BaseModel]] = set()
    todo: list[Any] = [Declarations, *(each.model for each in registry().values())]
    for module in pkgutil.walk_packages(edge.__path__, f"{edge.__name__}."):
        names = vars(importlib.import_module(module.name)).values()
        models = [each for each in names if isinstance(each, type) and issubclass(each, BaseModel)]
        todo += [each for each in models if each.__module__.partition(".")[0] in ("schemas", "services")]
    while todo:
        part = todo.pop()
        if isinstance(part, type) and issubclass(part, BaseModel):
            if part not in found:
                found.add(part)
                todo += [field.annotation for field in part.model_fields.values()]
        else:
            todo += get_args(part)
    return found


def test_the_glossary_has_no_entry_that_no_field_needs() -> None:
    needed = {
        entry(model, field.alias or name)
        for model in models()
        for name, field in model.model_fields.items()
        if not field.description
    }
    assert set(meanings()) - needed == set()


def test_what_is_nullable_says_what_null_means() -> None:
    """Of answers and events; a body's members that are null count as left out, and say what that means."""
    silent = [
        f"{model.__name__}.{field.alias or name}"
        for model in models()
        for name, field in model.model_fields.items()
        if type(None) in get_args(field.annotation)
        and "null" not in told(model, field.alias or name, field.description)
    ]
    assert sorted(each for each in silent if each.partition(".")[0] not in PLAIN) == []


def told(model: type[BaseModel], name: str, own: str | None) -> str:
    """A field's description."""
    key = entry(model, name)
    return own or (meanings()[key] if key is not None else "")


PLAIN = {
    *("CustomerInfo", "CustomerInfoView", "CustomerInfoAnswer", "ContactData", "ContactDataView", "Address", "Device"),
    *("SearchView", "SearchParameters", "FoundCustomer", "Context", "ExpiryRule", "TierPeriod"),
}
"""Models that say it once for all of their fields: what is null is not known, not given, or stays as it is."""

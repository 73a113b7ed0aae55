"""What the fields of the wire mean, from `glossary.yaml`, put into the schemas that are generated.

It is read when a schema is made and never before: a process that only validates pays nothing for it (decision 0014).
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


@cache
def meanings() -> Mapping[str, str]:
    """All of the glossary: by `field`, and by `Model.field` where it means something else."""
    import yaml

    text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    found: Mapping[str, str] = yaml.load(text, yaml.CSafeLoader)
    return found


def entry(model: type, name: str) -> str | None:
    """The entry for a model's field: its own, that of the nearest base, or that of the name."""
    keys = [*(f"{each.__name__}.{name}" for each in model.__mro__), name]
    return next((key for key in keys if key in meanings()), None)


def describe(model: type, schema: dict[str, Any]) -> None:
    """Describe the properties in a model's schema that do not say themselves what they are."""
    for name, field in schema.get("properties", {}).items():
        if "description" not in field and (key := entry(model, name)) is not None:
            field["description"] = meanings()[key]

"""Writes the generated contracts: JSON Schemas, AsyncAPI and OpenAPI (`make schemas`).

    python -m schemas.generate             write what has changed; refuse when it breaks the released baseline
    python -m schemas.generate --check     write nothing; list the files that are stale
    python -m schemas.generate --release   write, and make the result the new baseline

The baseline is `schemas/released.json`: every contract as last released. See docs/contracts.md.
"""

import argparse
import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from schemas._asyncapi import asyncapi
from schemas._jsonschema import schema_of
from schemas._registry import WireType, registry
from schemas.compatibility import breaking_api_changes, broken_types
from shared.settings import Settings

__all__ = ["WireType", "catalogue", "documents", "main", "registry", "stale"]

HERE = Path(__file__).parent
RELEASED = "released.json"

Catalogue = dict[str, Any]


class _Dumper(yaml.SafeDumper):
    """Block style, long texts folded, no anchors."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def catalogue() -> Catalogue:
    """Everything that is promised: the types with topics and schemas, and the HTTP API."""
    types = {
        name: {"direction": wire_type.direction, "topics": list(wire_type.topics), "schema": schema_of(wire_type)}
        for name, wire_type in registry().items()
    }
    api = _openapi()
    return {"types": types} if api is None else {"types": types, "openapi": api}


def documents(promised: Catalogue) -> dict[str, str]:
    """The generated files, by their path under `schemas/`."""
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    schemas = {name: entry["schema"] for name, entry in promised["types"].items()}
    described = asyncapi(registry(), schemas, defaults["partitions"], defaults["kafka"])
    files = {f"json/{name}.json": _json(schema) for name, schema in schemas.items()}
    files["asyncapi.yaml"] = yaml.dump(
        described, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=120, default_flow_style=False
    )
    if "openapi" in promised:
        files["openapi.json"] = _json(promised["openapi"])
    return files


def stale(files: dict[str, str]) -> list[str]:
    """The paths whose content on disk is not what would be generated, files of types that are gone included."""
    present = {f"json/{path.name}" for path in (HERE / "json").glob("*.json")}
    present |= {name for name in ("asyncapi.yaml", "openapi.json") if (HERE / name).exists()}
    return sorted(name for name in present | set(files) if _on_disk(name) != files.get(name))


def broken(promised: Catalogue) -> list[str]:
    """What breaks the released baseline, one sentence each; without a baseline nothing is promised yet."""
    text = _on_disk(RELEASED)
    if text is None:
        return []
    released = json.loads(text)
    found = broken_types(released["types"], promised["types"])
    if "openapi" in released:
        found += breaking_api_changes(released["openapi"], promised.get("openapi", {}))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 when something is stale or refused."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description="Write the generated contracts.")
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--check", action="store_true", help="write nothing; list the files that are stale")
    modes.add_argument("--release", action="store_true", help="make the result the released baseline")
    options = parser.parse_args(arguments)

    promised = catalogue()
    files = documents(promised)
    changed = stale(files)
    if options.check:
        _say("stale, run `make schemas`", changed)
        return 1 if changed else 0
    breaks = broken(promised)
    if breaks and not options.release:
        _say("refused: this breaks what is released; add a new version beside the old one", breaks)
        return 1
    for name in changed:
        _write(name, files.get(name))
    _say("written", changed)
    if options.release:
        _say("released although it breaks what was released before", breaks)
        _write(RELEASED, _json(promised))
    return 0


def _openapi() -> dict[str, Any] | None:
    """The edge's own description of its HTTP API; nothing where there is no edge."""
    if importlib.util.find_spec("services.edge.main") is None:
        return None
    edge = importlib.import_module("services.edge.main")
    document: dict[str, Any] = edge.create_app(Settings.model_construct()).openapi()
    return document


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _on_disk(name: str) -> str | None:
    path = HERE / name
    return path.read_text(encoding="utf-8") if path.exists() else None


def _write(name: str, text: str | None) -> None:
    """Write a file, or remove it when nothing is to be in it."""
    path = HERE / name
    if text is None:
        path.unlink()
    else:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _say(heading: str, lines: Sequence[str]) -> None:
    if lines:
        sys.stdout.write(f"{heading}:\n" + "".join(f"  {line}\n" for line in lines))


if __name__ == "__main__":
    sys.exit(main())

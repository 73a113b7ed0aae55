"""Holding values against the committed schemas."""

import json
from typing import Any

from jsonschema import Draft202012Validator
from pydantic import BaseModel

from schemas._registry import WireType
from schemas.generate import HERE
from shared.hashing import to_json


def committed(name: str) -> Any:
    """The committed schema of a type."""
    return json.loads((HERE / "json" / f"{name}.json").read_text(encoding="utf-8"))


def payload(wire_type: WireType, value: BaseModel) -> Any:
    """The value as on the wire: as callers write what we accept; as the models do, with a version, what we publish."""
    if wire_type.direction == "accepted":
        return json.loads(to_json(value.model_dump(by_alias=True)))
    written = json.loads(value.model_dump_json(by_alias=True))
    return {"version": 1, **written} if wire_type.versioned else written


def complaints(schema: Any, value: Any) -> list[str]:
    """Why a value does not fit a schema."""
    checker = Draft202012Validator.FORMAT_CHECKER
    return [error.message for error in Draft202012Validator(schema, format_checker=checker).iter_errors(value)]

"""Keyed hashes: of what a caller said, by which an honest retry is told from a reused key (P3); and of other values."""

import hmac
from decimal import Decimal
from typing import Any

import orjson


def keyed_hash(secret: bytes, *parts: str | bytes) -> str:
    """HMAC-SHA256 over the parts and their lengths, in hexadecimal, 64 characters."""
    message = b"".join(
        len(raw).to_bytes(4, "big") + raw
        for raw in (part.encode() if isinstance(part, str) else part for part in parts)
    )
    return hmac.digest(secret, message, "sha256").hex()


request_hash = keyed_hash
"""The keyed hash of a request, by its parts."""


def canonical(body: Any) -> bytes:
    """JSON with sorted keys and no spaces; numbers as their shortest decimal, so that 10 and 10.0 are equal."""
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS, default=_number)


def to_json(body: Any, *, indent: bool = False) -> bytes:
    """JSON of a document that may hold decimals, which are written as JSON numbers, digit by digit."""
    return orjson.dumps(body, default=_number, option=orjson.OPT_INDENT_2 if indent else None)


def _number(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal):
        plain = value.normalize()
        return orjson.Fragment(f"{plain:f}" if plain else "0")
    raise TypeError(f"{type(value).__name__} is not JSON")

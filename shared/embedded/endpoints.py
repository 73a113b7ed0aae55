"""`endpoints.json`: where a running stack is to be found, for scripts and people."""

import json
from pathlib import Path
from typing import TypedDict

from shared.embedded.private import write_private

__all__ = ["Endpoints", "remove_endpoints", "write_endpoints"]

_NAME = "endpoints.json"


class Endpoints(TypedDict):
    """The addresses of one stack."""

    http: str
    """The edge's base address, `http://host:port`."""
    kafka: str
    """Bootstrap servers, `host:port[,host:port…]`."""
    mongodb: str
    """A `mongodb://` address."""


def write_endpoints(root: Path, endpoints: Endpoints) -> None:
    """Write `root`/endpoints.json as a whole, readable by its owner only (an address may hold a password)."""
    write_private(root / _NAME, json.dumps(endpoints, indent=2) + "\n")


def remove_endpoints(root: Path) -> None:
    """Remove the file; harmless when there is none."""
    (root / _NAME).unlink(missing_ok=True)

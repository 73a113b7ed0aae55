"""`endpoints.json`: where a running stack is to be found, for scripts and people."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from pydantic import SecretStr

from shared.embedded.private import write_private
from shared.settings import Settings

__all__ = ["Endpoints", "endpoints_of", "kafka_login", "remove_endpoints", "write_endpoints"]

_NAME = "endpoints.json"
_LOGIN = ("kafka_user", "kafka_password", "kafka_mechanism")


class Endpoints(TypedDict):
    """The addresses of one stack."""

    http: str
    """The edge's base address, `http://host:port`."""
    kafka: str
    """Bootstrap servers, `host:port[,host:port…]`."""
    mongodb: str
    """A `mongodb://` address, with user and password."""
    kafka_user: NotRequired[str]
    kafka_password: NotRequired[str]
    kafka_mechanism: NotRequired[str]
    """Who asks Kafka, by SASL."""


def endpoints_of(http: str, settings: Settings) -> Endpoints:
    """Where the edge at `http` is, and its servers."""
    found = Endpoints(http=http, kafka=settings.kafka, mongodb=settings.mongodb)
    if settings.kafka_user:
        found["kafka_user"] = settings.kafka_user
        found["kafka_password"] = settings.kafka_password.get_secret_value()
        found["kafka_mechanism"] = settings.kafka_mechanism
    return found


def kafka_login(endpoints: Mapping[str, str], given: Collection[str]) -> dict[str, Any]:
    """The settings of who asks Kafka, but for those that are given."""
    found: dict[str, Any] = {name: endpoints[name] for name in _LOGIN if name in endpoints and name not in given}
    if "kafka_password" in found:
        found["kafka_password"] = SecretStr(found["kafka_password"])
    return found


def write_endpoints(root: Path, endpoints: Endpoints) -> None:
    """Write `root`/endpoints.json as a whole, readable by its owner only (an address may hold a password)."""
    write_private(root / _NAME, json.dumps(endpoints, indent=2) + "\n")


def remove_endpoints(root: Path) -> None:
    """Remove the file; harmless when there is none."""
    (root / _NAME).unlink(missing_ok=True)

"""Secrets: whether they are good enough for where a process runs, and still those that the data were written with."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from shared.errors import FealtyError
from shared.hashing import keyed_hash
from shared.settings import DEVELOPMENT_SECRET, Settings
from shared.shapes import Shape

CHARS_MIN = 32

CHECK_VALUE = Shape("secret_check")


class WeakSecret(FealtyError):
    """A secret is the published default, empty or short, and the process is reached, or reaches out, off loopback."""


class SecretChanged(FealtyError):
    """A secret is another one than that with which the data of a database were written."""


def require_strong(settings: Settings) -> None:
    """Refuse to go on with secrets that anybody may know or guess, unless everything stays on this machine.

    :raises WeakSecret: naming the variables.
    """
    weak = [
        variable
        for variable, secret in _secrets(settings)
        if secret == DEVELOPMENT_SECRET or len(secret.strip()) < CHARS_MIN
    ]
    if weak and not on_loopback(settings):
        raise WeakSecret(
            f"{' and '.join(weak)} must have at least {CHARS_MIN} random characters outside the loopback interface: "
            "create each with `openssl rand -base64 36`, and keep it (docs/operations.md#secrets)"
        )

    clear = settings.kafka_user and settings.kafka_mechanism == "PLAIN" and not settings.kafka_tls
    if clear and not _all_on_loopback(settings.kafka):
        raise WeakSecret(
            "FEALTY_KAFKA_MECHANISM=PLAIN sends FEALTY_KAFKA_PASSWORD in the clear: set "
            "FEALTY_KAFKA_TLS=true, or use SCRAM-SHA-512"
        )


def on_loopback(settings: Settings) -> bool:
    """Whether this process listens on loopback only, and its Kafka and MongoDB are addressed there."""
    mongodb = re.split("[/?]", settings.mongodb.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]
    return _is_loopback(settings.host) and _all_on_loopback(settings.kafka) and _all_on_loopback(mongodb)


def _all_on_loopback(servers: str) -> bool:
    return all(_is_loopback(re.sub(r":\d+$", "", server.strip())) for server in servers.split(","))


async def check_secrets(database: Any, settings: Settings, *, keep: bool) -> None:
    """Compare with a database's check values, from which no secret can be told; `keep` stores those that are missing.

    Takes either driver's database, whose errors go through as they are.

    :raises SecretChanged: naming the variable.
    """
    kept = database["secrets"]
    for variable, secret in _secrets(settings):
        wanted = check_value(variable, secret)
        found = await kept.find_one({"_id": variable})
        if found is None and keep:
            await kept.update_one({"_id": variable}, {"$setOnInsert": wanted}, upsert=True)
            found = await kept.find_one({"_id": variable})
        if found is not None and CHECK_VALUE.upgrade(found)["check"] != wanted["check"]:
            raise SecretChanged(
                f"{variable} differs from the secret with which the data in {database.name} was written: "
                "set the original one; it cannot be changed (docs/operations.md#secrets)"
            )


def check_value(variable: str, secret: str) -> dict[str, Any]:
    """The document by which a secret is recognised."""
    return CHECK_VALUE.stamp({"_id": variable, "check": keyed_hash(secret.encode(), "check value", variable)})


def _secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    yield "FEALTY_SECRET", settings.secret.get_secret_value()
    yield "FEALTY_CLAIMS_SECRET", settings.claims_secret.get_secret_value()


def _is_loopback(host: str) -> bool:
    """Whether a host is this machine; a name other than localhost is not looked up, and isn't."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"

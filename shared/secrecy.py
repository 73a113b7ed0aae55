"""Secrets: whether they are good enough for where a process runs, and still those that the data were written with."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from schemas.key_sets import KEY_BYTES, KeySet, SecretKey
from shared.errors import FealtyError
from shared.hashing import keyed_hash
from shared.settings import DEVELOPMENT_CODE_KEYS, DEVELOPMENT_SECRET, Settings
from shared.shapes import Shape

CHARS_MIN = 32
CODE_KEYS = "FEALTY_CODE_KEYS"

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

    published = KeySet.parse(DEVELOPMENT_CODE_KEYS).current.secret
    if any(key.secret == published for key in settings.code_key_set.keys) and not on_loopback(settings):
        raise WeakSecret(
            f"{CODE_KEYS} must not contain the published key outside the loopback interface: create one with "
            f"`openssl rand -base64 {KEY_BYTES}`, write ID:KEY, and keep it (docs/operations.md#secrets)"
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
        if not await _is_kept(kept, check_value(variable, secret), keep=keep):
            raise SecretChanged(
                f"{variable} differs from the secret with which the data in {database.name} was written: "
                "set the original one; it cannot be changed (docs/operations.md#secrets)"
            )
    await _check_code_keys(kept, settings.code_key_set, keep=keep)


async def _check_code_keys(kept: Any, keys: KeySet, *, keep: bool) -> None:
    """Compare each key with the check value of its id; every id that has one must be there, first or not.

    :raises SecretChanged: a key is another one, or is missing.
    """
    for key in keys.keys:
        if not await _is_kept(kept, _code_key_check(key), keep=keep):
            raise SecretChanged(
                f"{CODE_KEYS} has another key {key.id} than the one with which codes were derived: set the original "
                "one, and give a new key a new id (docs/operations.md#secrets)"
            )
    mine = [_code_key_id(key.id) for key in keys.keys]
    missing = await kept.find_one({"_id": {"$gte": _code_key_id(""), "$lt": f"{CODE_KEYS}0", "$nin": mine}})
    if missing is not None:
        raise SecretChanged(
            f"{CODE_KEYS} lacks the key {missing['_id'].partition('/')[2]}, with which codes were derived: "
            "add it behind the others (docs/operations.md#secrets)"
        )


async def _is_kept(kept: Any, wanted: dict[str, Any], *, keep: bool) -> bool:
    """Whether the check value under this id, if there is one, is this one; `keep` stores a missing one."""
    same = {"_id": wanted["_id"]}
    found = await kept.find_one(same)
    if found is None and keep:
        await kept.update_one(same, {"$setOnInsert": wanted}, upsert=True)
        found = await kept.find_one(same)
    return found is None or CHECK_VALUE.upgrade(found)["check"] == wanted["check"]


def check_value(variable: str, secret: str) -> dict[str, Any]:
    """The document by which a secret is recognised."""
    return _check_value(variable, secret.encode())


def _check_value(id_: str, secret: bytes) -> dict[str, Any]:
    return CHECK_VALUE.stamp({"_id": id_, "check": keyed_hash(secret, "check value", id_)})


def _code_key_check(key: SecretKey) -> dict[str, Any]:
    return _check_value(_code_key_id(key.id), key.secret)


def _code_key_id(id_: str) -> str:
    return f"{CODE_KEYS}/{id_}"


def _secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    yield "FEALTY_SECRET", settings.secret.get_secret_value()
    yield "FEALTY_CLAIMS_SECRET", settings.claims_secret.get_secret_value()


def _is_loopback(host: str) -> bool:
    """Whether a host is this machine; a name other than localhost is not looked up, and isn't."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"

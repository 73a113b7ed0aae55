"""The secrets with which data were written: whoever comes with others is refused, process and command alike."""

import asyncio
import base64
from typing import Any

import bson
import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import SecretStr

from services.edge.auth.keys import new_key
from services.edge.auth.store import credentials_of
from services.registry import SERVICES
from shared.clock import instant, now_ms
from shared.secrecy import SecretChanged, check_secrets
from shared.servers import mongodb_options
from shared.settings import Settings
from tests.harness import Installation
from tests.real.test_cli import fealty

pytestmark = pytest.mark.real

GOOD = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"
KEYS_OF_CODES = (("2026", 1), ("2027", 2), ("2026", 3))


@pytest.mark.parametrize("name", ["secret", "claims_secret"])
async def test_another_secret_is_noticed(empty_installation: Installation, name: str) -> None:
    good = empty_installation.settings.model_copy(
        update={"secret": SecretStr(GOOD), "claims_secret": SecretStr(GOOD), "prefix": f"{name.replace('_', '')}."}
    )
    changed = good.model_copy(update={name: SecretStr(OTHER)})
    motor: AsyncIOMotorClient[Any] = AsyncIOMotorClient(**mongodb_options(good.mongodb))
    databases: list[Any] = [client[good.database("points")] for client in (motor, empty_installation.mongo)]
    try:
        await check_secrets(databases[0], good, keep=False)
        assert await databases[1]["secrets"].count_documents({}) == 0, "who only looks keeps nothing"
        await check_secrets(databases[0], good, keep=True)
        for database in databases:
            await check_secrets(database, good, keep=True)
            for keep in (True, False):
                with pytest.raises(SecretChanged, match=rf"^FEALTY_{name.upper()} differs from the secret"):
                    await check_secrets(database, changed, keep=keep)
    finally:
        await empty_installation.mongo.drop_database(good.database("points"))
        motor.close()


async def test_another_and_a_missing_key_of_codes_are_noticed_and_new_ones_are_added(
    empty_installation: Installation,
) -> None:
    name = empty_installation.settings.database("points")
    database: Any = empty_installation.mongo[name]
    old, new, other = (f"{id_}:{base64.b64encode(bytes([byte]) * 32).decode()}" for id_, byte in KEYS_OF_CODES)
    try:
        for good in (old, f"{old},{new}", f"{new},{old}"):
            await check_secrets(database, _with_keys(empty_installation, good), keep=True)
        for wrong, says in ((new, "lacks the key 2026,"), (f"{new},{other}", "has another key 2026 than")):
            for keep in (True, False):
                with pytest.raises(SecretChanged, match=rf"^FEALTY_CODE_KEYS {says}"):
                    await check_secrets(database, _with_keys(empty_installation, wrong), keep=keep)
        await check_secrets(database, _with_keys(empty_installation, f"{new},{old}"), keep=False)
    finally:
        await empty_installation.mongo.drop_database(name)


def _with_keys(installation: Installation, keys: str) -> Settings:
    return installation.settings.model_copy(update={"code_keys": SecretStr(keys)})


async def test_processes_and_commands_with_another_secret_are_refused(empty_installation: Installation) -> None:
    installation = empty_installation
    names = tuple(SERVICES)
    async with installation.worker("points"):
        pass
    assert await installation.collection("points", "secrets").count_documents({}) == 3
    for name in names[1:]:
        await check_secrets(installation.mongo[installation.settings.database(name)], installation.settings, keep=True)
    changed = {"FEALTY_CLAIMS_SECRET": OTHER}
    refused = await asyncio.gather(*(installation.spawn(name, f"{name}-1", changed, wait=False) for name in names))
    for process, _ in refused:
        assert await asyncio.wait_for(process.wait(), 30)
        assert "FEALTY_CLAIMS_SECRET differs from the secret with which the data" in process.log.read_text()
    code, _, err = await fealty(installation, "verify", **changed)
    assert (code, err.splitlines()[-1][:63]) == (2, "fealty: FEALTY_CLAIMS_SECRET differs from the secret with which")


async def test_the_signing_keys_in_the_database_are_worth_nothing_without_the_secret(
    empty_installation: Installation,
) -> None:
    settings, kept = empty_installation.settings, empty_installation.collection("edge", "signing_keys")
    async with credentials_of(settings) as credentials:
        key = (await credentials.keys()).current
    assert key.secret not in bson.encode(await kept.find_one())
    stranger = settings.model_copy(update={"secret": SecretStr(OTHER)})
    async with credentials_of(stranger) as credentials:
        with pytest.raises(SecretChanged, match=r"^FEALTY_SECRET is not the one under which"):
            await credentials.keys()
        with pytest.raises(SecretChanged):
            await credentials.rotate()


@pytest.mark.parametrize("version", [{}, {"v": 1}], ids=str)
async def test_keys_that_were_stored_unencrypted_sign_no_more(
    empty_installation: Installation, version: dict[str, int]
) -> None:
    settings, kept = empty_installation.settings, empty_installation.collection("edge", "signing_keys")
    plain = new_key()
    key = {"id": plain.id, "secret": plain.secret, "retired_at": None}
    await kept.insert_one({"_id": "ring", "current": plain.id, "keys": [key], **version})
    async with credentials_of(settings) as credentials:
        ring = await credentials.keys()
        assert await credentials.keys() == ring
    assert ring.current.id != plain.id
    found = ring.find(plain.id, instant(now_ms()))
    assert found is not None
    assert found.secret == plain.secret, "what it signed is good for its hour"
    assert plain.secret not in bson.encode(await kept.find_one())

"""Clients and signing keys in the edge's database: `clients`, a document each, and `signing_keys`, one document.

Both are written with write concern `majority`, so no fail-over brings back a disabled client or a retired key.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from bson.codec_options import CodecOptions
from pymongo import ASCENDING, AsyncMongoClient, WriteConcern
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError, PyMongoError
from pymongo.read_concern import ReadConcern

from services.edge.auth.clients import Client, digest_of
from services.edge.auth.key_encryption import KeyCipher
from services.edge.auth.keys import Keyring, new_key, ring_of
from shared.clock import instant, now_ms
from shared.errors import Conflict, Unavailable
from shared.ids import new_id
from shared.secrecy import check_secrets
from shared.servers import mongodb_options
from shared.settings import Settings
from shared.shapes import VERSION, Shape, unchanged

Document = dict[str, Any]


def _rename_to_plain(document: Document) -> Document:
    """Upgrade a document from before the encryption: its keys are plain."""
    for key in document["keys"]:
        key["plain"] = key.pop("secret")
    return document


CLIENT = Shape("client", unchanged)
KEYRING = Shape("signing_keys", unchanged, _rename_to_plain)
_ENCRYPTED_SINCE = 2

_RING = "ring"
_USED_EVERY = timedelta(minutes=1)
_ATTEMPTS_MAX = 5


class Credentials:
    """The store of clients and keys. Its methods raise the driver's errors; :func:`credentials_of` translates them."""

    def __init__(self, database: AsyncDatabase[Document], settings: Settings) -> None:
        self._cipher = KeyCipher(settings)
        safe: AsyncDatabase[Document] = database.with_options(
            codec_options=CodecOptions(tz_aware=True),
            read_concern=ReadConcern("majority"),
            write_concern=WriteConcern(w="majority", j=True),
        )
        self._clients = safe["clients"]
        self._keys = safe["signing_keys"]

    async def client(self, id_: str) -> Client | None:
        """The client with this id."""
        return await self._find({"_id": id_})

    async def named(self, name: str) -> Client | None:
        """The client with this name."""
        return await self._find({"name": name})

    async def clients(self) -> list[Client]:
        """All clients, sorted by name."""
        return [_client(document) async for document in self._clients.find().sort("name", ASCENDING)]

    async def add(self, name: str, scopes: Sequence[str], store: str, secret: str, id_: str | None = None) -> Client:
        """Add a client with a new name.

        :raises Conflict: a client has this name.
        """
        client = Client(
            id=id_ or new_id(),
            name=name,
            store=store,
            scopes=tuple(sorted(set(scopes))),
            secret_digest=digest_of(secret),
            disabled=False,
            created_at=instant(now_ms()),
            used_at=None,
        )
        document = asdict(client)
        await self._clients.create_index("name", unique=True)
        try:
            await self._clients.insert_one(CLIENT.stamp({"_id": document.pop("id"), **document}))
        except DuplicateKeyError as error:
            raise Conflict(f"there is a client {name!r} already") from error
        return client

    async def disable(self, name: str, disabled: bool) -> bool:
        """Disable or enable a client; False if no client has this name."""
        return await self._set(name, {"disabled": disabled})

    async def remove(self, id_: str) -> None:
        """Remove a client if it is disabled."""
        await self._clients.delete_one({"_id": id_, "disabled": True})

    async def replace_secret(self, name: str, secret: str) -> bool:
        """Replace a client's secret, which ends the old one; False if no client has this name."""
        return await self._set(name, {"secret_digest": digest_of(secret)})

    async def record_use(self, client: Client) -> None:
        """Record that a client requested a token, to the minute; the only write that does not wait for the disk."""
        now = instant(now_ms())
        if client.used_at is None or now - client.used_at >= _USED_EVERY:
            quick = self._clients.with_options(write_concern=WriteConcern(w=1, j=False))
            await quick.update_one({"_id": client.id}, {"$max": {"used_at": now}})

    async def keys(self) -> Keyring:
        """The signing keys; the first process creates the first key, which concurrent processes share.

        If an earlier release stored the keys unencrypted, somebody may have read them: a new key signs from now on.
        """
        found = await self._stored()
        if found[VERSION] < _ENCRYPTED_SINCE:
            await self.rotate()
            found = await self._stored()
        return _ring(found, self._cipher)

    async def rotate(self) -> Keyring:
        """Replace the current key by a new one.

        :raises Conflict: concurrent rotations won all attempts.
        """
        for _ in range(_ATTEMPTS_MAX):
            before = _ring(await self._stored(), self._cipher)
            after = before.rotated(instant(now_ms()))
            guard = {"_id": _RING, "current": before.current.id}
            if (await self._keys.update_one(guard, {"$set": _ring_document(after, self._cipher)})).matched_count:
                return after
        raise Conflict("somebody else rotates the key at the same time")

    async def _stored(self) -> Document:
        """The stored document of the keys, with its version; created if there is none."""
        while (found := await self._keys.find_one({"_id": _RING})) is None:
            with suppress(DuplicateKeyError):
                await self._keys.insert_one({"_id": _RING, **_ring_document(ring_of(new_key()), self._cipher)})
        return {VERSION: 0, **found}

    async def _find(self, query: Document) -> Client | None:
        found = await self._clients.find_one(query)
        return None if found is None else _client(found)

    async def _set(self, name: str, values: Document) -> bool:
        return bool((await self._clients.update_one({"name": name}, {"$set": values})).matched_count)


@asynccontextmanager
async def credentials_of(settings: Settings) -> AsyncIterator[Credentials]:
    """The clients and keys of an installation, over a separate connection.

    :raises SecretChanged: they were written with another secret.
    :raises Unavailable: the database cannot be reached.
    """
    client: AsyncMongoClient[Document] = AsyncMongoClient(
        **mongodb_options(settings.mongodb, settings.request_timeout_ms)
    )
    try:
        database = client.get_database(settings.database("edge"))
        await check_secrets(database, settings, keep=False)
        yield Credentials(database, settings)
    except PyMongoError as error:
        raise Unavailable(f"MongoDB: {error}") from error
    finally:
        await client.close()


def _client(document: Document) -> Client:
    """The client of a document; members that a later release added are ignored."""
    document = CLIENT.upgrade(document)
    read = {"id": document["_id"], **document, "scopes": tuple(document["scopes"])}
    read["secret_digest"] = bytes(document["secret_digest"])
    return Client(**{name: read[name] for name in Client.__dataclass_fields__})


def _ring(document: Document, cipher: KeyCipher) -> Keyring:
    document = KEYRING.upgrade(document)
    keys = {key["id"]: cipher.decrypt(key) for key in document["keys"]}
    return Keyring(keys[document["current"]], tuple(keys.values()))


def _ring_document(keyring: Keyring, cipher: KeyCipher) -> Document:
    return KEYRING.stamp({"current": keyring.current.id, "keys": [cipher.encrypt(key) for key in keyring.all]})

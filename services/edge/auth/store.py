"""Clients and signing keys in the edge's database: `clients`, a document each, and `signing_keys`, one document.

Both are written with majority, so that no fail-over brings a disabled client or a retired key back. Keys are encrypted.
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
from services.edge.auth.keys import Keyring, new_key, ring_of
from services.edge.auth.sealing import Seal
from shared.clock import instant, now_ms
from shared.errors import Conflict, Unavailable
from shared.ids import new_id
from shared.secrecy import check_secrets
from shared.servers import mongodb_options
from shared.settings import Settings
from shared.shapes import VERSION, Shape, unchanged

Document = dict[str, Any]


def _named_plain(document: Document) -> Document:
    """Before keys were encrypted, they were stored as they are."""
    for key in document["keys"]:
        key["plain"] = key.pop("secret")
    return document


CLIENT = Shape("client", unchanged)
KEYRING = Shape("signing_keys", unchanged, _named_plain)
_SEALED_SINCE = 2

_RING = "ring"
_USED_EVERY = timedelta(minutes=1)
_ATTEMPTS_MAX = 5


class Credentials:
    """The clients and the keys. Its methods raise the driver's errors; :func:`credentials_of` translates them."""

    def __init__(self, database: AsyncDatabase[Document], settings: Settings) -> None:
        self._seal = Seal(settings)
        safe: AsyncDatabase[Document] = database.with_options(
            codec_options=CodecOptions(tz_aware=True),
            read_concern=ReadConcern("majority"),
            write_concern=WriteConcern(w="majority", j=True),
        )
        self._clients = safe["clients"]
        self._keys = safe["signing_keys"]

    async def client(self, id_: str) -> Client | None:
        """The client of this id."""
        return await self._find({"_id": id_})

    async def named(self, name: str) -> Client | None:
        """The client of this name."""
        return await self._find({"name": name})

    async def clients(self) -> list[Client]:
        """All of them, by name."""
        return [_client(document) async for document in self._clients.find().sort("name", ASCENDING)]

    async def add(self, name: str, scopes: Sequence[str], store: str, secret: str, id_: str | None = None) -> Client:
        """A new client of a name that none has.

        :raises Conflict: one has it.
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
        """Disable or enable a client; False when none has this name."""
        return await self._set(name, {"disabled": disabled})

    async def remove(self, id_: str) -> None:
        """Remove a client that is disabled; one that was enabled meanwhile stays."""
        await self._clients.delete_one({"_id": id_, "disabled": True})

    async def replace_secret(self, name: str, secret: str) -> bool:
        """Give a client another secret: the one before works no more; False when none has this name."""
        return await self._set(name, {"secret_digest": digest_of(secret)})

    async def used(self, client: Client) -> None:
        """Note that a client asked for a token, to the minute; that alone is written without waiting for the disk."""
        now = instant(now_ms())
        if client.used_at is None or now - client.used_at >= _USED_EVERY:
            quick = self._clients.with_options(write_concern=WriteConcern(w=1, j=False))
            await quick.update_one({"_id": client.id}, {"$max": {"used_at": now}})

    async def keys(self) -> Keyring:
        """The keys; the first is made by whoever looks first, whoever looks at the same time gets the same.

        Where they are stored as they are, by an earlier release, another one signs from now on: somebody may have read
        those.
        """
        found = await self._stored()
        if found[VERSION] < _SEALED_SINCE:
            await self.rotate()
            found = await self._stored()
        return _ring(found, self._seal)

    async def rotate(self) -> Keyring:
        """Have another key sign from now on.

        :raises Conflict: others rotate again and again at the same time.
        """
        for _ in range(_ATTEMPTS_MAX):
            before = _ring(await self._stored(), self._seal)
            after = before.rotated(instant(now_ms()))
            guard = {"_id": _RING, "current": before.current.id}
            if (await self._keys.update_one(guard, {"$set": _ring_document(after, self._seal)})).matched_count:
                return after
        raise Conflict("somebody else rotates the key at the same time")

    async def _stored(self) -> Document:
        """The document of the keys, with the version that it has."""
        while (found := await self._keys.find_one({"_id": _RING})) is None:
            with suppress(DuplicateKeyError):
                await self._keys.insert_one({"_id": _RING, **_ring_document(ring_of(new_key()), self._seal)})
        return {VERSION: 0, **found}

    async def _find(self, query: Document) -> Client | None:
        found = await self._clients.find_one(query)
        return None if found is None else _client(found)

    async def _set(self, name: str, values: Document) -> bool:
        return bool((await self._clients.update_one({"name": name}, {"$set": values})).matched_count)


@asynccontextmanager
async def credentials_of(settings: Settings) -> AsyncIterator[Credentials]:
    """The clients and keys of an installation, over a connection of their own.

    :raises SecretChanged: they were written with another secret.
    :raises Unavailable: the server is away.
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
    """A client; members that a later release adds are left out."""
    document = CLIENT.upgrade(document)
    read = {"id": document["_id"], **document, "scopes": tuple(document["scopes"])}
    read["secret_digest"] = bytes(document["secret_digest"])
    return Client(**{name: read[name] for name in Client.__dataclass_fields__})


def _ring(document: Document, seal: Seal) -> Keyring:
    document = KEYRING.upgrade(document)
    keys = {key["id"]: seal.open(key) for key in document["keys"]}
    return Keyring(keys[document["current"]], tuple(keys.values()))


def _ring_document(ring: Keyring, seal: Seal) -> Document:
    return KEYRING.stamp({"current": ring.current.id, "keys": [seal.close(key) for key in ring.all]})

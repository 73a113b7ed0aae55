"""The demo's clients: made when they are not there, with their secrets in a file that its owner alone can read."""

import json
from pathlib import Path
from typing import TypedDict

from cli.commands.console import Failure
from services.edge.auth.clients import SCOPES, new_secret
from services.edge.auth.store import Credentials, credentials_of
from shared.embedded.private import write_private
from shared.ids import derived_id
from shared.settings import Settings

DEMO_CLIENTS = {
    "till": ("api_loyalty", "api_void", "api_reverse", "api_switch"),
    "webshop": ("api_crm", "api_loyalty", "api_reverse"),
    "admin": tuple(SCOPES),
}
"""Each with its scopes."""


class Held(TypedDict):
    """A client's credentials, as its own system has them."""

    client_id: str
    client_secret: str


def file_of(root: Path) -> Path:
    """Where the secrets are."""
    return root / "clients.json"


def held_at(root: Path) -> dict[str, Held]:
    """The credentials in the file, by the client's name; none when there is no file.

    :raises Failure: it is there and cannot be read.
    """
    path = file_of(root)
    try:
        found = json.loads(path.read_bytes())
        return {
            name: Held(client_id=each["client_id"], client_secret=each["client_secret"]) for name, each in found.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Failure(
            f"{path} cannot be read: {type(error).__name__}; remove it, and new secrets are created"
        ) from error


async def demo_clients(root: Path, settings: Settings) -> dict[str, Held]:
    """The demo's clients with their credentials, by name. One whose secret the file has not, or no more, gets another.

    :raises Conflict: a client of such a name is there that the demo did not make; it is left alone.
    :raises Unavailable: the database is away.
    """
    held = held_at(root)
    async with credentials_of(settings) as credentials:
        made = {name: await _made(credentials, settings.store, name, held.get(name)) for name in DEMO_CLIENTS}
    write_private(file_of(root), json.dumps(made, indent=2) + "\n")
    return made


async def _made(credentials: Credentials, store: str, name: str, held: Held | None) -> Held:
    id_ = derived_id("demo client", store, name)
    client = await credentials.client(id_)
    if client is not None and held is not None and client.has_secret(held["client_secret"]):
        return held
    secret = new_secret()
    if client is None:
        await credentials.add(name, DEMO_CLIENTS[name], store, secret, id_)
    else:
        await credentials.replace_secret(name, secret)
    return Held(client_id=id_, client_secret=secret)

"""`fealty clients`: who may call the edge, and the key that signs their tokens."""

from collections.abc import Sequence
from datetime import datetime

from schemas.base import format_instant
from shared.commands.console import Failure, out, table
from shared.oauth.clients import NAME_CHARS_MAX, SCOPES, new_secret
from shared.oauth.store import credentials_of
from shared.settings import Settings


async def add(name: str, scopes: Sequence[str], settings: Settings) -> None:
    """Make a client of the settings' store, and show its secret, which nobody can show again.

    :raises Failure: the name cannot be one, or a scope is not known.
    :raises Conflict: a client has this name.
    :raises Unavailable: the database is away.
    """
    if not (1 <= len(name) <= NAME_CHARS_MAX and name.isprintable()):
        raise Failure(f"a client's name has 1 to {NAME_CHARS_MAX} printable characters")
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise Failure(f"there is no scope {', '.join(unknown)}; there are {', '.join(SCOPES)}")
    secret = new_secret()
    async with credentials_of(settings) as credentials:
        client = await credentials.add(name, scopes, settings.store, secret)
    out().print(f"client  {name}\nid      {client.id}\nstore   {client.store}\nscopes  {' '.join(client.scopes)}")
    _show_secret(secret)


async def list_clients(settings: Settings) -> None:
    """Print all clients.

    :raises Unavailable: the database is away.
    """
    async with credentials_of(settings) as credentials:
        clients = await credentials.clients()
    shown = table("name", "id", "store", "scopes", "", "created", "last token")
    for client in clients:
        state = "disabled" if client.disabled else "enabled"
        times = (_told(client.created_at), _told(client.used_at))
        shown.add_row(client.name, client.id, client.store, " ".join(client.scopes), state, *times)
    out().print(shown)


async def disable(name: str, settings: Settings, *, disabled: bool) -> None:
    """Disable or enable a client.

    :raises Failure: there is none of this name.
    :raises Unavailable: the database is away.
    """
    async with credentials_of(settings) as credentials:
        if not await credentials.disable(name, disabled):
            raise _nobody(name)
    told = "disabled: its tokens are refused within a minute" if disabled else "enabled: within a minute"
    out().print(f"{name} is {told}")


async def rotate_secret(name: str, settings: Settings) -> None:
    """Give a client another secret, and show it; tokens that it has stay good.

    :raises Failure: there is none of this name.
    :raises Unavailable: the database is away.
    """
    secret = new_secret()
    async with credentials_of(settings) as credentials:
        if not await credentials.replace_secret(name, secret):
            raise _nobody(name)
    _show_secret(secret)


async def rotate_key(settings: Settings) -> None:
    """Have another key sign tokens from now on.

    :raises Unavailable: the database is away.
    """
    async with credentials_of(settings) as credentials:
        ring = await credentials.rotate()
    out().print(f"key {ring.current.id} signs from now on; tokens of the one before are good until they expire")


def _show_secret(secret: str) -> None:
    out().print(f"secret  {secret}\nKeep the secret now: only a digest of it is stored.")


def _told(at: datetime | None) -> str:
    return "" if at is None else format_instant(at)


def _nobody(name: str) -> Failure:
    return Failure(f"there is no client {name!r}")

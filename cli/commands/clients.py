"""`fealty clients`: who may call the edge, and the key that signs their tokens."""

from collections.abc import Sequence
from typing import Any

from cli.commands.console import Failure, out
from cli.commands.output import Form, Sheet, facts, show
from services.edge.auth.clients import NAME_CHARS_MAX, SCOPES, Client, new_secret
from services.edge.auth.store import credentials_of
from shared.clock import as_utc
from shared.settings import Settings


async def add(name: str, scopes: Sequence[str], settings: Settings, form: Form = Form.TABLE) -> None:
    """Make a client of the settings' store, and show its secret, which nobody can show again.

    :raises Failure: the name cannot be one, or a scope is not known.
    :raises Conflict: a client has this name.
    :raises Unavailable: the database is away.
    """
    if not (1 <= len(name) <= NAME_CHARS_MAX and name.isprintable()):
        raise Failure(f"a client's name has 1 to {NAME_CHARS_MAX} printable characters")
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise Failure(f"unknown scope {', '.join(unknown)}; the scopes are {', '.join(SCOPES)}")
    secret = new_secret()
    async with credentials_of(settings) as credentials:
        client = await credentials.add(name, scopes, settings.store, secret)
    about = {"client": name, "id": client.id, "store": client.store, "scopes": list(client.scopes)}
    _show_secret(about, secret, form)


async def list_clients(settings: Settings, form: Form = Form.TABLE) -> None:
    """Print all clients.

    :raises Unavailable: the database is away.
    """
    async with credentials_of(settings) as credentials:
        clients = await credentials.clients()
    shown = Sheet(("name", "state", "scopes", "last token", "id"), documents=[_document(each) for each in clients])
    for client in clients:
        state = "disabled" if client.disabled else "enabled"
        shown.add(client.name, state, client.scopes, as_utc(client.used_at), client.id)
    show(shown, form, "no clients: add one with `fealty clients add`")


async def disable(name: str, settings: Settings, *, disabled: bool) -> None:
    """Disable or enable a client.

    :raises Failure: there is none of this name.
    :raises Unavailable: the database is away.
    """
    async with credentials_of(settings) as credentials:
        if not await credentials.disable(name, disabled):
            raise _nobody(name)
    told = "disabled; its tokens are refused within a minute" if disabled else "enabled, within a minute"
    out().print(f"{name} is {told}")


async def remove(name: str, settings: Settings) -> None:
    """Remove a client for good; its name may be given again, to another id.

    :raises Failure: there is none of this name, or it is enabled.
    :raises Unavailable: the database is away.
    """
    async with credentials_of(settings) as credentials:
        client = await credentials.named(name)
        if client is None:
            raise _nobody(name)
        if not client.disabled:
            raise Failure(
                f"{name} is enabled: run `fealty clients disable {name}` first, and check that nobody needs it"
            )
        await credentials.remove(client.id)
    out().print(f"{name} is removed; its tokens are refused within a minute")


async def rotate_secret(name: str, settings: Settings, form: Form = Form.TABLE) -> None:
    """Give a client another secret, and show it; tokens that it has stay good.

    :raises Failure: there is none of this name.
    :raises Unavailable: the database is away.
    """
    secret = new_secret()
    async with credentials_of(settings) as credentials:
        if not await credentials.replace_secret(name, secret):
            raise _nobody(name)
    _show_secret({"client": name}, secret, form)


async def rotate_key(settings: Settings) -> None:
    """Have another key sign tokens from now on.

    :raises Unavailable: the database is away.
    """
    async with credentials_of(settings) as credentials:
        ring = await credentials.rotate()
    out().print(
        f"key {ring.current.id} signs tokens from now on; tokens of the previous key are valid until they expire"
    )


def _show_secret(about: dict[str, Any], secret: str, form: Form) -> None:
    facts({**about, "secret": secret}, form)
    if form is Form.TABLE:
        out().print("Save the secret now: it is not stored, and cannot be shown again.")


def _document(client: Client) -> dict[str, Any]:
    """All that may be told of a client, as JSON."""
    return {
        "name": client.name,
        "id": client.id,
        "store": client.store,
        "scopes": list(client.scopes),
        "disabled": client.disabled,
        "createdAt": as_utc(client.created_at),
        "lastTokenAt": as_utc(client.used_at),
    }


def _nobody(name: str) -> Failure:
    return Failure(f"unknown client {name!r}; `fealty clients list` shows the names")

"""`fealty token` and `fealty env`: an access token of one of the demo's clients, how to get one by hand, and where."""

import shlex
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

from cli.commands.console import Failure
from cli.commands.demo_clients import Held, file_of, held_at
from cli.commands.environment import http_at, settings_at
from cli.commands.web import call
from shared.embedded.client_files import client_variables


async def token(root: Path, name: str, scopes: Sequence[str]) -> str:
    """An access token from the edge that runs on `root`, with these scopes or all of the client's.

    :raises Failure: the client is none of the demo's, or the edge refuses.
    :raises OSError: no edge answers.
    """
    return await fetch_token(http_at(root), _held(root, name), scopes)


def explained(root: Path, name: str, scopes: Sequence[str]) -> str:
    """The call by which anybody gets such a token, for a shell.

    :raises Failure: as :func:`token`.
    """
    held = _held(root, name)
    words = ["curl", "-sS", f"{http_at(root)}/oauth/token", "-u", f"{held['client_id']}:{held['client_secret']}"]
    words += ["-d", "grant_type=client_credentials"]
    if scopes:
        words += ["-d", f"scope={' '.join(scopes)}"]
    return shlex.join(words)


async def shell_lines(root: Path, name: str) -> list[str]:
    """Assignments for a shell: where the stack that runs on `root` is, and a header with an access token.

    :raises Failure: as :func:`token`.
    :raises OSError: no edge answers.
    """
    header = f"Authorization: Bearer {await token(root, name, ())}"
    found = {"HTTP": http_at(root), **client_variables(root, settings_at(root)), "TOKEN": header}
    return [f"export {name}={shlex.quote(value)}" for name, value in found.items()]


async def fetch_token(http: str, held: Held, scopes: Sequence[str] = ()) -> str:
    """An access token for these credentials from the edge at `http` (RFC 6749 4.4).

    :raises Failure: the edge refuses.
    :raises OSError: no edge answers.
    """
    form = {"grant_type": "client_credentials"} | ({"scope": " ".join(scopes)} if scopes else {})
    basic = b64encode(f"{held['client_id']}:{held['client_secret']}".encode()).decode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Basic {basic}"}
    answer = await call("POST", f"{http}/oauth/token", urlencode(form).encode(), headers)
    if answer.status != 200:
        told = answer.body if isinstance(answer.body, dict) else {}
        why = told.get("error_description") or told.get("detail") or "no reason given"
        raise Failure(f"no token: {answer.status} {told.get('error', '')}: {why}")
    return str(answer.body["access_token"])


def _held(root: Path, name: str) -> Held:
    held = held_at(root)
    if name not in held:
        there = f"its clients are {', '.join(held)}" if held else "`fealty up --demo` creates it"
        raise Failure(f"{file_of(root)} has no client {name!r}; {there}")
    return held[name]

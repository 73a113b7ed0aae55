"""`fealty clients` on real servers, and what its secrets and keys are worth at a running edge."""

import json
import re
from pathlib import Path

import httpx
import jwt
import pytest
from pymongo.read_concern import ReadConcern

from cli.commands.console import Failure
from cli.commands.demo_clients import DEMO_CLIENTS, Held, demo_clients, file_of
from cli.commands.tokens import fetch_token
from services.edge.auth.store import credentials_of
from shared.errors import Conflict
from tests.harness import Installation, eventually
from tests.real.test_cli import fealty, rows

pytestmark = pytest.mark.real

NOBODY = "/v1/accounts/nobody"


def shown(out: str, name: str) -> str:
    """What stands behind a word of the output."""
    found = re.search(rf"^{name} +(.*)$", out, re.MULTILINE)
    assert found is not None, out
    return found[1]


async def test_a_clients_whole_life(empty_installation: Installation) -> None:
    installation = empty_installation
    code, out, err = await fealty(
        installation, "clients", "add", "till 7", "--scope", "api_admin", FEALTY_STORE="shoes"
    )
    assert (code, err) == (0, "")
    held = Held(client_id=shown(out, "id"), client_secret=shown(out, "secret"))
    assert (shown(out, "client"), shown(out, "store"), shown(out, "scopes")) == ("till 7", "shoes", "api_admin")

    async with installation.edge() as url, httpx.AsyncClient(base_url=url) as client:

        async def status(token: str) -> int:
            return (await client.get(NOBODY, headers={"Authorization": f"Bearer {token}"})).status_code

        token = await fetch_token(url, held)
        assert jwt.decode(token, options={"verify_signature": False})["store"] == "shoes"
        assert await status(token) == 404

        clients = installation.collection("edge", "clients").with_options(read_concern=ReadConcern("majority"))
        await eventually(
            lambda: clients.count_documents({"used_at": {"$ne": None}}), 1
        )  # It is not on the disk at once.
        code, out, err = await fealty(installation, "clients", "list")
        assert (code, err) == (0, "")
        ((name, state, scopes, used, id_),) = rows(out)
        assert (name, id_, scopes, state) == ("till 7", held["client_id"], "api_admin", "enabled")
        assert held["client_secret"] not in out
        code, out, err = await fealty(installation, "clients", "list", "-o", "json")
        (listed,) = json.loads(out)
        assert (listed["store"], listed["lastTokenAt"], listed["disabled"]) == ("shoes", used, False)
        assert listed["createdAt"] <= used
        assert held["client_secret"] not in out

        code, out, err = await fealty(installation, "clients", "rotate-secret", "till 7")
        assert (code, err) == (0, "")
        with pytest.raises(Failure, match="401 invalid_client"):
            await fetch_token(url, held)
        held["client_secret"] = shown(out, "secret")
        assert await status(await fetch_token(url, held)) == 404

        code, out, err = await fealty(installation, "clients", "rotate-key")
        assert (code, err) == (0, "")
        after = await fetch_token(url, held)
        assert jwt.get_unverified_header(after)["kid"] in out
        assert [await status(token), await status(after)] == [404, 404]

        assert (await fealty(installation, "clients", "disable", "till 7"))[0] == 0
        with pytest.raises(Failure, match="401 invalid_client"):
            await fetch_token(url, held)
        assert rows((await fealty(installation, "clients", "list"))[1])[0][1] == "disabled"
        assert (await fealty(installation, "clients", "enable", "till 7"))[0] == 0
        assert await status(await fetch_token(url, held)) == 404

    stored = await installation.collection("edge", "clients").find_one({"name": "till 7"})
    assert held["client_secret"] not in json.dumps(stored, default=repr)


async def test_what_cannot_be_is_told_in_one_line(empty_installation: Installation) -> None:
    installation = empty_installation
    add = ("clients", "add", "till", "--scope")
    assert (await fealty(installation, *add, "api_loyalty"))[0] == 0
    for arguments, told in (
        ((*add, "api_loyalty"), "there is a client 'till' already"),
        ((*add, "loyalty"), "unknown scope loyalty; the scopes are api_crm, "),
        (("clients", "add", "", "--scope", "api_crm"), "a client's name has 1 to 64 printable characters"),
        (("clients", "add", "a\nb", "--scope", "api_crm"), "a client's name has 1 to 64 printable characters"),
        (("clients", "disable", "tell"), "unknown client 'tell'; `fealty clients list` shows the names"),
        (("clients", "enable", "tell"), "unknown client 'tell'; `fealty clients list` shows the names"),
        (("clients", "remove", "tell"), "unknown client 'tell'; `fealty clients list` shows the names"),
        (("clients", "remove", "till"), "till is enabled: run `fealty clients disable till` first"),
        (("clients", "rotate-secret", "tell"), "unknown client 'tell'; `fealty clients list` shows the names"),
        (("token", "--root", "nowhere"), "no stack runs on nowhere: start one with `fealty up --demo`"),
    ):
        code, out, err = await fealty(installation, *arguments)
        assert (code, out) == (1, ""), arguments
        assert err.startswith(f"fealty: {told}"), err
        assert len(err.splitlines()) == 1
    assert len(rows((await fealty(installation, "clients", "list"))[1])) == 1
    assert (await fealty(installation, "clients", "disable", "till"))[0] == 0
    assert (await fealty(installation, "clients", "remove", "till"))[0] == 0
    assert (await fealty(installation, "clients", "list", "-o", "json"))[:2] == (0, "[]\n")


async def test_the_demos_clients_are_made_once(empty_installation: Installation, tmp_path: Path) -> None:
    settings, root = empty_installation.settings, tmp_path / "new"
    made = await demo_clients(root, settings)
    assert [*made] == [*DEMO_CLIENTS]
    assert file_of(root).stat().st_mode & 0o777 == 0o600
    assert await demo_clients(root, settings) == made
    async with credentials_of(settings) as credentials:
        for name, held in made.items():
            client = await credentials.named(name)
            assert client is not None
            assert (client.id, client.has_secret(held["client_secret"])) == (held["client_id"], True)
            assert client.scopes == tuple(sorted(DEMO_CLIENTS[name]))

        file_of(root).unlink()
        again = await demo_clients(root, settings)
        for name, held in again.items():
            client = await credentials.named(name)
            assert client is not None
            assert client.has_secret(held["client_secret"])
            assert held["client_id"] == made[name]["client_id"]
            assert held["client_secret"] != made[name]["client_secret"]
        assert file_of(root).stat().st_mode & 0o777 == 0o600
    file_of(root).write_text("[]")
    with pytest.raises(Failure, match="cannot be read"):
        await demo_clients(root, settings)


async def test_a_client_that_is_not_the_demos_is_left_alone(empty_installation: Installation, tmp_path: Path) -> None:
    settings = empty_installation.settings
    async with credentials_of(settings) as credentials:
        mine = await credentials.add("admin", ["api_loyalty"], settings.store, "mine")
        with pytest.raises(Conflict, match="'admin'"):
            await demo_clients(tmp_path, settings)
        assert await credentials.named("admin") == mine

"""`fealty up`: one process tree that starts, shows its demo, serves, and stops in order, on new and on used data."""

import asyncio
import json
import os
import re
import signal
import sys
from pathlib import Path

import httpx
import pytest

from tests.harness import Installation, eventually, new_installation
from tests.real.test_cli import fealty
from tests.servers import Servers

pytestmark = [pytest.mark.real, pytest.mark.timeout(400)]

TIMEOUT_S = 150


def environment(servers: Servers) -> dict[str, str]:
    """Nothing given, so that it starts servers of its own; where tests are given servers, those."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("FEALTY_")}
    if servers.stack is None:
        mine |= {"KAFKA_BOOTSTRAP_SERVERS": servers.kafka, "MONGODB_URL": servers.mongodb}
    return mine


async def start(servers: Servers, root: Path, *options: str, **more: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "shared.cli", "up", "--root", str(root), *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**environment(servers), **more},
        start_new_session=True,
    )


async def text_until(process: asyncio.subprocess.Process, words: str) -> str:
    """What it prints up to the line that has these words."""
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(TIMEOUT_S):
        while not lines or words not in lines[-1]:
            line = (await process.stdout.readline()).decode()
            assert line, "".join(lines)
            lines.append(line)
    return "".join(lines)


async def test_it_comes_up_plays_serves_and_stops_and_does_so_again_on_its_data(
    real_servers: Servers, tmp_path: Path
) -> None:
    async with new_installation(real_servers) as installation:
        more = {"FEALTY_PREFIX": installation.settings.prefix}
        process = await start(real_servers, tmp_path, "--demo", **more)
        try:
            shown = await text_until(process, "serving until Ctrl-C")
            assert "WRONG" not in shown
            assert shown.count(" ok ") == 20
            endpoints = json.loads((tmp_path / "endpoints.json").read_text())
            assert endpoints["http"] in shown
            number = re.search(r"on account (\d+)", shown)
            assert number is not None
            async with httpx.AsyncClient(base_url=endpoints["http"]) as client:
                assert (await client.get(f"/v1/accounts/{number[1]}")).status_code == 401
                token = await token_of(installation, tmp_path)
                headers = {"Authorization": f"Bearer {token}"}
                account = (await client.get(f"/v1/accounts/{number[1]}", headers=headers)).json()
                assert [balance["balance"] for balance in account["balances"]] == [1000, 45]
                assert (await client.get("/docs")).status_code == 200
                headers = {"Authorization": f"Bearer {await token_of(installation, tmp_path, '--client', 'webshop')}"}
                assert (await client.get(f"/v1/accounts/{number[1]}", headers=headers)).status_code == 403
            await explained(installation, tmp_path)
            installation.settings = installation.settings.model_copy(
                update={"kafka": endpoints["kafka"], "mongodb": endpoints["mongodb"]}
            )
            code, out, err = await fealty(installation, "verify")
            assert (code, err) == (0, ""), out
            process.send_signal(signal.SIGTERM)
            assert "stopped" in await text_until(process, "stopped")
            assert await asyncio.wait_for(process.wait(), 60) == 0
        finally:
            if process.returncode is None:
                process.kill()
        assert not (tmp_path / "endpoints.json").exists()

        again = await start(real_servers, tmp_path, "--demo", "--once", **more)
        out_bytes, err_bytes = await asyncio.wait_for(again.communicate(), TIMEOUT_S)
        assert again.returncode == 0, out_bytes.decode() + err_bytes.decode()
        assert "LOY22-BuyVouchers unchanged" in out_bytes.decode()
        installation.settings = installation.settings.model_copy(
            update={"kafka": real_servers.kafka, "mongodb": real_servers.mongodb}
        )


async def test_a_second_stack_on_the_same_root_and_a_taken_port_are_refused(
    real_servers: Servers, tmp_path: Path
) -> None:
    async with new_installation(real_servers) as installation:
        given = {
            "KAFKA_BOOTSTRAP_SERVERS": real_servers.kafka,
            "MONGODB_URL": real_servers.mongodb,
            "FEALTY_PREFIX": installation.settings.prefix,
        }
        process = await start(real_servers, tmp_path, **given)
        try:
            await text_until(process, "serving until Ctrl-C")
            other = await start(real_servers, tmp_path, **given)
            _, err = await asyncio.wait_for(other.communicate(), TIMEOUT_S)
            assert other.returncode == 1
            assert len(err.splitlines()) == 1
            assert b"another stack" in err

            port = json.loads((tmp_path / "endpoints.json").read_text())["http"].rpartition(":")[2]
            taken = await start(real_servers, tmp_path / "other", **given, FEALTY_PORT=port)
            _, err = await asyncio.wait_for(taken.communicate(), TIMEOUT_S)
            assert taken.returncode == 1
            assert err.decode() == f"fealty: port {port} on 127.0.0.1 is taken; set FEALTY_PORT to a free one\n"

            crashed = int((await pids(process.pid))["points"])
            os.kill(crashed, signal.SIGKILL)
            await text_until(process, "points is ready")
            process.send_signal(signal.SIGINT)
            assert await asyncio.wait_for(process.wait(), 60) == 0
        finally:
            if process.returncode is None:
                process.kill()
        await eventually(lambda: asyncio.to_thread((tmp_path / "endpoints.json").exists), False)


async def token_of(installation: Installation, root: Path, *options: str) -> str:
    """What `fealty token` prints."""
    code, out, err = await fealty(installation, "token", "--root", str(root), *options)
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 1
    return out.strip()


async def explained(installation: Installation, root: Path) -> None:
    """What `fealty token --explain` prints is run: it gets a token with the scope that was asked for."""
    line = await token_of(installation, root, "--client", "till", "--scope", "api_loyalty", "--explain")
    curl = await asyncio.create_subprocess_shell(line, stdout=asyncio.subprocess.PIPE)
    out, _ = await curl.communicate()
    answer = json.loads(out)
    assert (answer["token_type"], answer["scope"]) == ("Bearer", "api_loyalty")


async def pids(parent: int) -> dict[str, int]:
    """The services among a process's children, by name."""
    listed = await asyncio.create_subprocess_exec("pgrep", "-a", "-P", str(parent), stdout=asyncio.subprocess.PIPE)
    out, _ = await listed.communicate()
    found = [line.split() for line in out.decode().splitlines()]
    return {words[-1]: int(words[0]) for words in found if words[-2:-1] == ["run"]}

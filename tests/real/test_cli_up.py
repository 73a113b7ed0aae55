"""`fealty up`: one process tree that starts, shows its demo, serves, and stops in order, on new and on used data."""

import asyncio
import json
import os
import re
import signal
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.demo.play import LASTING
from services.registry import JOURNALED
from shared.embedded.endpoints import kafka_login
from shared.servers import environment_of
from shared.settings import DEVELOPMENT_CODE_KEYS, Settings
from tests.harness import Installation, eventually, new_installation
from tests.real.test_cli import fealty, rows
from tests.servers import Servers

pytestmark = [pytest.mark.real, pytest.mark.timeout(400)]

TIMEOUT_S = 150

SERIALS = ("6666160395443995410", "6666270046419031265")
"""The web shop's example's: of a programme's voucher, and of one that belongs to none."""

COMPARED = {
    ("level", ""): ("-", "BASIC"),
    ("balance", "Points to buy vouchers with (LOY22-BuyVouchers)"): ("0", "1,000"),
    ("balance", "A voucher at every 2,500 points (LOY22-IssueThreshold)"): ("0 of 2,500", "0 of 2,500"),
    ("balance", "Cashback in euros (CASHBACK)"): ("0", "0"),
    ("balance", "A point for every euro of an order, spendable when it is delivered (LOY22-Orders)"): ("0", "45"),
    ("on offer", "5 euros off, for 500 points (VOUCHER-5)"): ("500 points short", "can be bought"),
    ("on offer", "10 euros off, for 950 points (VOUCHER-10)"): ("950 points short", "can be bought"),
}
"""The demo's customer before and after, but for the vouchers."""


def environment(servers: Servers) -> dict[str, str]:
    """Nothing given, so that it starts servers of its own; where tests are given servers, those."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("FEALTY_")}
    if servers.stack is None:
        mine |= environment_of(Settings(**servers.settings))
    return mine


async def start(servers: Servers, root: Path, *options: str, **more: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "up", "--root", str(root), *options),
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
        leave_open(tmp_path / "data" / "earlier" / "segment")
        process = await start(real_servers, tmp_path, "--demo", **more)
        try:
            shown = await text_until(process, "serving until Ctrl-C")
            played_well(shown, SERIALS)
            assert "HTTP web shop's example, byte for byte" in shown
            endpoints = json.loads((tmp_path / "endpoints.json").read_text())
            assert endpoints["http"] in shown
            assert open_to_others(tmp_path) == []
            number = re.search(r"on account (\d+)", shown)
            assert number is not None
            async with httpx.AsyncClient(base_url=endpoints["http"]) as client:
                assert (await client.get(f"/v1/accounts/{number[1]}")).status_code == 401
                token = await token_of(installation, tmp_path)
                headers = {"Authorization": f"Bearer {token}"}
                account = (await client.get(f"/v1/accounts/{number[1]}", headers=headers)).json()
                assert [balance["balance"] for balance in account["balances"]] == [1000, 45]
                assert await lasting(client, headers) == [1000]
                for serial in SERIALS:
                    voucher = (await client.get(f"/v1/vouchers/{serial}", headers=headers)).json()
                    assert (voucher["state"], voucher["accountNumber"]) == ("redeemed", number[1])
                assert (await client.get("/docs")).status_code == 200
                headers = {"Authorization": f"Bearer {await token_of(installation, tmp_path, '--client', 'webshop')}"}
                assert (await client.get(f"/v1/accounts/{number[1]}", headers=headers)).status_code == 403
            await explained(installation, tmp_path)
            assert (await customer_shown(shown, installation))["cardNumber"] == number[1]
            mine = kafka_login(endpoints, ()) | {name: endpoints[name] for name in ("kafka", "mongodb")}
            installation.settings = installation.settings.model_copy(update=mine)
            for service in JOURNALED:
                code, out, err = await fealty(installation, "verify", "--service", service, "--root", str(tmp_path))
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
        shown = out_bytes.decode()
        assert again.returncode == 0, shown + err_bytes.decode()
        assert "LOY22-BuyVouchers unchanged" in shown
        assert "HTTP web shop's example, with random serials" in shown
        drawn = re.findall(r"200 (\d{19}), a random serial: the document's (\d{19}) was issued before", shown)
        assert [document for _, document in drawn] == [*SERIALS]
        played_well(shown, [serial for serial, _ in drawn])
        installation.settings = installation.settings.model_copy(update=dict(real_servers.settings))


def leave_open(path: Path) -> None:
    """A file as an earlier release made it, which everybody can read."""
    path.parent.mkdir(parents=True)
    path.touch()


async def lasting(client: httpx.AsyncClient, headers: dict[str, str]) -> list[int]:
    """The balances of the account that every run of the demo leaves."""
    account = (await client.get(f"/v1/accounts/{LASTING}", headers=headers)).json()
    return [balance["balance"] for balance in account["balances"]]


def open_to_others(root: Path) -> list[str]:
    """What somebody else on the machine may read, write or list, the directory included."""
    found = [root, *root.rglob("*")]
    assert len(found) > 20
    return [str(path) for path in found if stat.S_IMODE(path.lstat().st_mode) & 0o077]


def played_well(shown: str, serials: Sequence[str]) -> None:
    """Every step of the demo is as expected; what the web shop's example did, and the customer before and after it."""
    assert "WRONG" not in shown
    printed = rows(shown)
    assert sum(row[-1] == "ok" for row in printed) == 36
    in_programme, of_none = serials
    steps = {what: seen for what, seen, *_ in printed}
    (told,) = (seen for what, seen in steps.items() if what.startswith("HTTP web shop's example"))
    assert told == f"200 redeemed VOUCHER-25 {in_programme}, WELCOME {of_none}"
    redeemed = ", ".join(f"voucher.redeemed.v1 {serial}" for serial in sorted(serials))
    assert steps["published on voucher.events"].startswith(f"{redeemed}, voucher.transaction_executed.v1 ")
    assert steps["HTTP the same call again"] == "409 voucher_redeemed"
    assert steps["HTTP gift card, condensed history"] == "redeem -30 = 45, activate +25 = 75, issue +50 = 50"
    kinds = {kind for kind, _ in COMPARED} | {"voucher"}
    compared = {(kind, what): tuple(values) for kind, what, *values in printed if kind in kinds}
    usable = r"usable until \d{4}-\d\d-\d\d \d\d:\d\d UTC"
    for what in (f"25 euros off ({in_programme})", f"10 percent off for new customers ({of_none})"):
        before, after = compared.pop(("voucher", what))
        assert re.fullmatch(usable, before)
        assert after == "redeemed"
    assert compared == COMPARED


async def customer_shown(shown: str, installation: Installation) -> dict[str, Any]:
    """The customer that the last call which the demo shows answers, called as it stands there."""
    (line,) = (line[line.index("curl") :] for line in shown.splitlines() if "curl " in line)
    script = line.replace("$(fealty ", f"$({sys.executable} -m cli ")
    curl = await asyncio.create_subprocess_shell(
        script, stdout=asyncio.subprocess.PIPE, env=installation.environment("curl", 0, {})
    )
    out, _ = await curl.communicate()
    found: dict[str, Any] = json.loads(out)
    return found


async def test_a_second_stack_on_the_same_root_and_a_taken_port_are_refused(
    real_servers: Servers, tmp_path: Path
) -> None:
    async with new_installation(real_servers) as installation:
        given = {
            **environment_of(installation.settings),
            "FEALTY_PREFIX": installation.settings.prefix,
            "FEALTY_PARTITIONS": str(installation.settings.partitions),
            "FEALTY_SECRET": "a secret of both stacks",
            "FEALTY_CLAIMS_SECRET": "another secret of both",
            "FEALTY_CODE_KEYS": DEVELOPMENT_CODE_KEYS,
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
            assert err.decode() == f"fealty: port {port} on 127.0.0.1 is in use; set FEALTY_PORT to a free port\n"

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

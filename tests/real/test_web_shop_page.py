"""The web shop's checkout that docs/integration.md shows, run as pasted: with curl, and with a generated client."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cli.commands.demo_clients import demo_clients
from shared.embedded.endpoints import endpoints_of, write_endpoints
from tests.harness import DEMO, new_installation
from tests.http.shop import Shop, open_shop

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "integration.md").read_text()
BLOCKS = re.findall(r"test_web_shop_page\.py -->\n```(?:bash|python)\n(.*?)```", PAGE, re.DOTALL)
*CURL, GENERATE, CLIENT = BLOCKS
GENERATOR = ROOT / ".venv" / "client-generator"

REPLY_WAIT_MS, FROZEN_S = 3_000, 5
"""How long the edge waits before it answers 202, and how long the worker does not decide anything."""


@pytest.fixture(scope="module")
async def shop(real_servers: Any) -> AsyncIterator[Shop]:
    """One shop for the module."""
    async with new_installation(real_servers) as installation:
        await installation.declare_file(DEMO)
        async with open_shop(installation, FEALTY_REPLY_WAIT_MS=str(REPLY_WAIT_MS)) as shop:
            yield shop


@pytest.fixture
async def directory(shop: Shop, tmp_path: Path) -> Path:
    """A directory like the repository's while `make run` runs."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")
    root = tmp_path / ".fealty"
    root.mkdir()
    settings = shop.installation.settings
    write_endpoints(root, endpoints_of(str(shop.client.base_url).rstrip("/"), settings))
    await demo_clients(root, settings)
    return tmp_path


async def bash(shop: Shop, directory: Path, text: str) -> list[str]:
    """Run a script as one shell; what it prints, line by line."""
    environment = shop.installation.environment("webshop", 0, {})
    environment["PATH"] = f"{GENERATOR / 'bin'}:{Path(sys.prefix) / 'bin'}:{environment['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", text),
        cwd=directory,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, out.decode() + err.decode()
    return out.decode().splitlines()


async def test_a_checkout_with_curl_is_booked_once_polled_and_undone(shop: Shop, directory: Path) -> None:
    token, register, preview, book, poll, repeat, look, undo = CURL
    worker = next(each for each in shop.installation.processes if each.name == "points-0")
    freeze = f"kill -STOP {worker.pid}; (sleep {FROZEN_S}; kill -CONT {worker.pid}) &\n"
    blocks = (token, register, preview, freeze, book, poll, "echo polled\n", repeat, look, undo)
    lines = await bash(shop, directory, "".join(blocks))
    until, after = lines.index("202"), lines.index("polled")
    previewed = json.loads("".join(lines[:until]))
    assert [(each["pointsBalanceBefore"], each["pointsBalance"]) for each in previewed] == [(0, 100), (0, 2.45)]
    assert json.loads((directory / "operation.json").read_bytes())["status"] == "accepted"
    status, replayed, balances, reversed_ = lines[after + 1 :]
    assert (status, replayed.strip().lower()) == ("200", "idempotency-replayed: true")
    assert {name: value for name, value in json.loads(balances).items() if value} == {
        "LOY22-BuyVouchers": 100,
        "CASHBACK": 2.45,
    }
    undone = [(each["programme"], each["amount"]) for each in json.loads(reversed_)]
    assert sorted(undone) == [("CASHBACK", 2.45), ("LOY22-BuyVouchers", 500), ("LOY22-BuyVouchers", 600)]
    customer = await shop.get(json.loads((directory / "customer.json").read_bytes())["customerId"])
    assert (customer["vouchers"], {each["pointsBalance"] for each in customer["balances"]}) == ([], {0})


async def test_a_generated_client_has_every_operation_and_exact_amounts(shop: Shop, directory: Path) -> None:
    (directory / "checkout.py").write_text(CLIENT)
    exports = "export CLIENT_ID CLIENT_SECRET PYTHONPATH=.\n"
    generate = f"PYTHONPATH={GENERATOR} {GENERATE}"
    lines = await bash(shop, directory, f"{CURL[0]}{generate}{exports}{sys.executable} checkout.py\n")
    assert lines[-3:] == ["after it: 0.3", "to pay: 49.65", "undone: 0.3"]
    document = json.loads((ROOT / "schemas" / "openapi.json").read_bytes())
    operations = {each["operationId"] for path in document["paths"].values() for each in path.values()}
    generated = {path.stem.replace("_", "") for path in (directory / "loyalty" / "api").glob("*/*.py")}
    assert {each.lower() for each in operations} <= generated


def test_every_amount_survives_a_floating_point_number() -> None:
    """The page says so, and how to read one exactly; the limit of a balance (rules 4.1.2) is what makes it true."""
    limit = 2**52 - 1
    for scale in (0, 1, 2):
        for minor in (1, 7, 245, limit - 2, limit - 1, limit, -limit, limit // 3):
            amount = Decimal(minor).scaleb(-scale)
            assert Decimal(str(float(amount))) == amount

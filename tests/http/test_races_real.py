"""Two hundred concurrent requests for the same points and the same voucher: one wins, all others are refused.

They come through two edges, and vouchers are decided on by two workers. One edge is so hasty that it answers 202 to
its callers, who then ask the other how it ended: so each race also shows that a poll tells what an answer tells.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import pytest

from cli.commands.verify import verify_service, verify_topics, verify_transactions
from schemas.points import PointsRefusal
from services.edge.http.problems import CODES
from services.points.decider import DECIDER as POINTS_DECIDER
from services.voucher.decider import DECIDER as VOUCHER_DECIDER
from shared.ids import account_id
from tests.harness import Command, Installation, header
from tests.http.caller import POINTS, redeem
from tests.http.shop import VAULT, Shop, good, open_shop
from tests.http.test_bodies import JSON
from tests.real.saga import open_ones, states
from tests.tokens import authorization

pytestmark = pytest.mark.real

MANY = 200
HASTY = {"FEALTY_REPLY_WAIT_MS": "1"}
SERIAL = "one-for-all"
FINAL_S = 90.0

Outcome = tuple[int, str | None]


@dataclass
class Race:
    """Two edges of one shop, and the final outcomes of requests to them."""

    shop: Shop
    hasty: httpx.AsyncClient
    patient: httpx.AsyncClient
    polled: int = 0

    async def run(self, numbers: Sequence[str], body: dict[str, Any]) -> Counter[Outcome]:
        """Post the same transaction to these accounts, all at once; how many ended how."""
        clients = [self.hasty, self.patient]
        posts = [self._ended(clients[at % 2], number, body) for at, number in enumerate(numbers)]
        return Counter(await asyncio.gather(*posts))

    async def _ended(self, client: httpx.AsyncClient, number: str, body: dict[str, Any]) -> Outcome:
        """Post a transaction, and poll until its outcome is final."""
        response = await client.post(VAULT.format(number), content=orjson.dumps(body), headers=JSON)
        assert response.status_code < 500, response.text
        if response.status_code != 202:
            return response.status_code, response.json().get("code")
        self.polled += 1
        path, until_s = response.headers["Location"], asyncio.get_running_loop().time() + FINAL_S
        while (polled := await self.patient.get(path)).status_code == 202:
            assert asyncio.get_running_loop().time() < until_s, f"{path} is still open"
            await asyncio.sleep(0.2)
        ended = good(polled)
        if ended["status"] == "accepted":
            return 200, None
        assert ended["status"] == "rejected", ended
        return ended["problem"]["status"], ended["problem"]["code"]

    async def sound(self) -> None:
        """Both services add up, each and with the other, in the store and on the topics; nothing is held."""
        installation = self.shop.installation
        assert await open_ones(installation) == 0
        for account in (await states(installation, "points", "account", POINTS_DECIDER)).values():
            assert (account.holds, {each.held for each in account.balances.values()} - {0}) == ((), set())
        for service in ("points", "voucher"):
            report = await verify_service(service, installation.settings)
            assert report.ok, report.findings[:3]
            published = await verify_topics(service, installation.settings)
            assert published.ok, published.findings[:3]
        both = await verify_transactions(installation.settings)
        assert both.ok, both.findings[:3]

    async def loaded(self, numbers: Sequence[str], value: int) -> None:
        """Load points to each of these accounts."""
        commands = [Command.transaction(number, POINTS, load=value) for number in numbers]
        await self.shop.installation.commands(commands)
        await self.shop.installation.settled([command.id for command in commands])

    async def balances(self, numbers: Sequence[str]) -> Counter[int]:
        """What may be spent, as the patient edge shows it; how many accounts have how much."""
        await self.shop.fed()
        found: Counter[int] = Counter()
        for number in numbers:
            shown = good(await self.patient.get(f"/v1/accounts/{number}"))
            (balance,) = [each for each in shown["balances"] if each["programme"] == POINTS]
            assert (balance["held"], balance["booked"]) == (0, balance["balance"])
            found[balance["balance"]] += 1
        return found


@pytest.fixture
async def race(installation: Installation) -> AsyncIterator[Race]:
    """A shop with two edges, and two workers who decide on vouchers."""
    second_worker = installation.worker("voucher", "voucher-1")
    async with open_shop(installation) as shop, second_edge(installation) as url, second_worker:
        headers = await authorization(installation.settings)
        more: dict[str, Any] = {
            "timeout": 60,
            "headers": headers,
            "limits": httpx.Limits(max_connections=MANY, keepalive_expiry=1),  # The edge closes them after 5 s.
        }
        async with (
            httpx.AsyncClient(base_url=url, **more) as hasty,
            httpx.AsyncClient(base_url=shop.client.base_url, **more) as patient,
        ):
            yield Race(shop, hasty, patient)


@asynccontextmanager
async def second_edge(installation: Installation) -> AsyncIterator[str]:
    """The hasty one; its base URL."""
    process, port = await installation.spawn("edge", "edge-1", HASTY)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await process.stop(30)


def numbered(count: int) -> list[str]:
    return [f"6299{number:06d}" for number in range(count)]


async def refusals(installation: Installation, code: str) -> int:
    """How many transactions the journal says were refused like this: at once, or when they were closed."""
    journal = installation.collection("points", "journal")
    at_once = {"type": "points.post_transaction.v1", "status": "rejected", "code": code}
    closed = {"type": "points.close_transaction.v1", "closing.status": "rejected", "closing.code": code}
    return int(await journal.count_documents({"$or": [at_once, closed]}))


async def moved(installation: Installation, kind: str) -> int:
    """How many movements of a kind were published."""
    ids = {
        header(record, "ce_id")
        for record in await installation.read("points.changes")
        if orjson.loads(record.value or b"{}").get("kind") == kind
    }
    return len(ids)


async def test_concurrent_redemptions_spend_a_balance_once(race: Race) -> None:
    installation, (number,) = race.shop.installation, numbered(1)
    await race.loaded([number], 750)
    outcomes = await race.run([number] * MANY, redeem(750))
    assert CODES[PointsRefusal.INSUFFICIENT_POINTS][0] == 409
    assert outcomes == {(200, None): 1, (409, "insufficient_points"): MANY - 1}
    assert race.polled > MANY / 4
    assert await refusals(installation, "insufficient_points") == MANY - 1
    assert await moved(installation, "redeem") == 1
    assert await race.balances([number]) == {0: 1}
    await race.sound()


async def test_concurrent_accounts_redeem_a_bearer_voucher_once(race: Race) -> None:
    installation, numbers = race.shop.installation, numbered(MANY)
    await race.loaded(numbers, 10)
    await race.shop.issue(SERIAL, "WELCOME", None)
    outcomes = await race.run(numbers, {**redeem(4), "voucherRedemptions": [{"serialId": SERIAL}]})
    assert outcomes == {(200, None): 1, (409, "voucher_redeemed"): MANY - 1}
    assert race.polled > MANY / 4
    assert await refusals(installation, "voucher_redeemed") == MANY - 1
    assert await moved(installation, "redeem") == 1
    assert await race.balances(numbers) == {6: 1, 10: MANY - 1}, "what the others set aside is theirs again"
    await race.sound()
    voucher = (await states(installation, "voucher", "voucher", VOUCHER_DECIDER))[SERIAL]
    accounts = await states(installation, "points", "account", POINTS_DECIDER)
    (winner,) = [number for number in numbers if accounts[account_id("default", number)].balances[POINTS].booked == 6]
    assert (voucher.state, voucher.redeemed_by) == ("redeemed", account_id("default", winner))


async def test_concurrent_transactions_redeem_a_voucher_once(race: Race) -> None:
    """Beyond the hundred that an account may have open (docs/rules.md), they are refused before they set aside."""
    installation, (number,) = race.shop.installation, numbered(1)
    await race.loaded([number], 1000)
    await race.shop.issue(SERIAL, "WELCOME", number)
    outcomes = await race.run([number] * MANY, {**redeem(3), "voucherRedemptions": [{"serialId": SERIAL}]})
    codes = ("voucher_redeemed", "too_many_open_transactions")
    assert outcomes[200, None] == 1
    assert outcomes[409, "voucher_redeemed"] > 0
    assert sum(outcomes[409, code] for code in codes) == MANY - 1, outcomes
    assert {code: await refusals(installation, code) for code in codes} == {code: outcomes[409, code] for code in codes}
    assert await moved(installation, "redeem") == 1
    assert await race.balances([number]) == {997: 1}
    await race.sound()

"""Guessing scratch codes over HTTP, against two edges: what 50 callers get for it, and what the owner is told."""

import asyncio
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from random import Random
from statistics import median, quantiles
from time import perf_counter
from typing import Any

import httpx
import pytest

from services.edge.auth.lockouts import LOCK_S
from services.edge.auth.scratch_codes import SERIAL_NUMBER, SHOPPER
from shared.ids import new_id
from tests.harness import new_installation
from tests.http.cards import SWITCH, Cards, good, open_cards, refused
from tests.servers import Servers
from tests.tokens import authorizations

pytestmark = pytest.mark.real

CALLERS = 50
SERIALS = 20
EDGES = 2
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TIMES_APART_MAX = 1.5
"""By how much the medians of two answers may differ: below that, the noise of a shared machine."""


@dataclass
class Guessed:
    """A shop with two edges, and callers with clients of their own, half of them at each edge."""

    cards: Cards
    callers: list[httpx.AsyncClient]
    random: Random = field(default_factory=lambda: Random(7))

    def code(self) -> str:
        """A code that is wrong, but for once in 2⁸⁰ times."""
        return "".join(self.random.choices(ALPHABET, k=16))

    async def tries(self, caller: int, serial: str, code: str, **headers: str) -> httpx.Response:
        """One caller's GetBalance."""
        body = {"serialNumber": serial, "scratchCode": code}
        return await self.callers[caller].post(f"{SWITCH}/GetBalance", json=body, headers=headers)


@pytest.fixture(scope="module")
async def guessed(real_servers: Servers) -> AsyncIterator[Guessed]:
    async with AsyncExitStack() as stack:
        installation = await stack.enter_async_context(new_installation(real_servers))
        cards = await stack.enter_async_context(open_cards(installation))
        other, port = await installation.spawn("edge", "edge-1")
        stack.push_async_callback(other.stop, 30)
        bases = (str(cards.client.base_url), f"http://127.0.0.1:{port}")
        names = [f"till-{number}" for number in range(CALLERS)]
        callers = []
        for number, headers in enumerate(await authorizations(installation.settings, names, scopes=["api_switch"])):
            client = httpx.AsyncClient(base_url=bases[number % EDGES], headers=headers, timeout=60)
            callers.append(await stack.enter_async_context(client))
        await cards.fed()
        yield Guessed(cards, callers)


async def guess(guessed: Guessed, count: int) -> dict[str, Any]:
    """So many guesses of all callers at once, on the serial numbers of ten cards and ten that are nobody's.

    Returns the first card, of which the owner has the code.
    """
    issued = [await guessed.cards.issue(10) for _ in range(SERIALS // 2)]
    serials = [*(card["serialNumber"] for card in issued), *(new_id() for _ in range(SERIALS // 2))]

    async def guesses_of(caller: int) -> list[tuple[str, httpx.Response]]:
        chosen = guessed.random.choices(serials, k=count // CALLERS)
        return [(serial, await guessed.tries(caller, serial, guessed.code())) for serial in chosen]

    found = [each for some in await asyncio.gather(*map(guesses_of, range(CALLERS))) for each in some]
    assert len(found) == count
    assert Counter(response.status_code for _, response in found).keys() == {404, 429}, "none succeeds"
    wrong: dict[str, int] = defaultdict(int)
    for serial, response in found:
        if response.status_code == 404:
            wrong[serial] += 1
        else:
            told_to_wait(response)
    assert max(wrong.values()) <= SERIAL_NUMBER.wrong_max + EDGES - 1
    for status in (404, 429):
        assert len({response.text for _, response in found if response.status_code == status}) == 1
    card: dict[str, Any] = issued[0]
    return card


def told_to_wait(response: httpx.Response) -> int:
    """The seconds after which it may be tried again."""
    refused(response, 429, "too_many_wrong_codes")
    wait_s = int(response.headers["Retry-After"])
    assert 0 < wait_s <= LOCK_S
    return wait_s


async def the_owner_waits(guessed: Guessed, card: dict[str, Any]) -> int:
    """What the owner of an attacked card is told at both edges; other cards, and its id, are not concerned."""
    waits = [told_to_wait(await guessed.tries(each, card["serialNumber"], card["scratchCode"])) for each in (0, 1)]
    other = await guessed.cards.issue(5)
    for caller in (0, 1):
        assert good(await guessed.tries(caller, other["serialNumber"], other["scratchCode"].lower()))["balance"] == 5
    assert (await guessed.cards.shown(card["cardId"]))["balance"] == 10
    return max(waits)


async def test_guesses_of_50_callers_are_locked_out_and_the_owner_is_told_when_to_try_again(guessed: Guessed) -> None:
    await the_owner_waits(guessed, await guess(guessed, 300))


@pytest.mark.long
async def test_none_of_2000_guesses_succeeds_and_the_owner_pays_after_the_lockout(guessed: Guessed) -> None:
    card = await guess(guessed, 2_000)
    await asyncio.sleep(await the_owner_waits(guessed, card))
    paid = await guessed.callers[0].post(
        f"{SWITCH}/Redeem",
        json={"serialNumber": card["serialNumber"], "scratchCode": card["scratchCode"], "amount": 10},
    )
    assert good(paid)["balance"] == 0


async def test_shoppers_of_a_web_shop_are_told_apart(guessed: Guessed) -> None:
    card = await guessed.cards.issue(5)
    coded = card["serialNumber"], card["scratchCode"]
    shopper = {"ShopperAddress": "2001:db8:1:2::7"}
    for number in range(SHOPPER.wrong_max):
        same = {"ShopperAddress": f"2001:db8:1:2::{number}"}
        refused(await guessed.tries(2, new_id(), guessed.code(), **same), 404, "gift_card_unknown", "/serialNumber")
    told_to_wait(await guessed.tries(2, *coded, **shopper))
    assert good(await guessed.tries(2, *coded, ShopperAddress="203.0.113.7"))["balance"] == 5
    assert good(await guessed.tries(2, *coded))["balance"] == 5
    refused(await guessed.tries(2, *coded, ShopperAddress="a shopper"), 400, "invalid_parameter")


@pytest.mark.long
async def test_wrong_and_unknown_take_the_same_time(guessed: Guessed) -> None:
    """Right, wrong and unknown, interleaved; a right one, whose answer tells it anyhow, waits for no write."""
    times: dict[str, list[float]] = {"right": [], "wrong": [], "unknown": []}
    for caller in range(4, 34):
        card, nobody = await guessed.cards.issue(5), new_id()
        for _ in range(SERIAL_NUMBER.wrong_max - 1):
            right = (card["serialNumber"], card["scratchCode"])
            asked = {"wrong": (card["serialNumber"], guessed.code()), "unknown": (nobody, guessed.code())}
            for name, (serial, code) in sorted(asked.items(), key=lambda _: guessed.random.random()):
                began_s = perf_counter()
                refused(await guessed.tries(caller, serial, code), 404, "gift_card_unknown", "/serialNumber")
                times[name].append(perf_counter() - began_s)
        began_s = perf_counter()
        good(await guessed.tries(caller, *right))
        times["right"].append(perf_counter() - began_s)
    sys.stdout.write(distributions(times.items()))
    apart = median(times["wrong"]) / median(times["unknown"])
    assert 1 / TIMES_APART_MAX < apart < TIMES_APART_MAX


def distributions(times: Iterable[tuple[str, list[float]]]) -> str:
    """A line for each, in milliseconds."""
    lines = []
    for name, each in times:
        tenth, half, most = (round(1000 * cut, 2) for cut in (quantiles(each, n=20)[index] for index in (1, 9, 18)))
        lines.append(f"{name:8} {len(each):4} answers: p10 {tenth}, p50 {half}, p95 {most} ms\n")
    return "".join(lines)

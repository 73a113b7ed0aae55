"""Transactions that gift cards pay, with kills at every step of each service: whole, or nothing (rules 4.2)."""

import asyncio
from random import Random
from typing import Any

import pytest

from cli.commands.verify import verify_transactions
from services.giftcard.decider import DECIDER as CARDS
from tests.harness import Command, Installation, header, payload
from tests.real.card_sagas import CardSagas, all_ended, begin, check
from tests.real.saga import states
from tests.real.test_all_or_nothing import ACCOUNT, BROKEN, NUMBER, TRANSACTION, broken, standing
from tests.real.test_all_or_nothing import prepare as prepare_vouchers
from tests.real.test_giftcards import issue, issuing
from tests.real.test_saga import SHORT, STEPS, killed

pytestmark = pytest.mark.real

PAYS: dict[str, Any] = {**TRANSACTION, "giftcards": [{"cardId": "one", "amount": 10}, {"cardId": "two", "amount": 2.5}]}
REFUSED_CARDS: list[tuple[str, dict[str, Any], str]] = [
    ("/giftcards/0", {"cardId": "one", "amount": 250.01}, "insufficient_balance"),
    ("/giftcards/1", {"cardId": "two", "amount": 2.555}, "too_many_decimals"),
    ("/giftcards/1", {"cardId": "nobody's", "amount": 1}, "gift_card_unknown"),
    ("/giftcards/1", {"cardId": "void", "amount": 1}, "gift_card_void"),
]


async def test_whichever_operation_fails_no_card_pays(empty_installation: Installation) -> None:
    installation = empty_installation
    voiding = Command("giftcard.void.v1", "void", {"cardId": "void", "reason": "a test"})
    await issue(installation, *(issuing(card, 250) for card in ("one", "two", "void")))
    async with installation.points(), installation.worker("voucher"), installation.worker("giftcard"):
        await installation.commands([voiding])
        await prepare_vouchers(installation)
        await installation.settled([voiding.id], service="giftcard")
        before = await standing(installation), await balances(installation)
        wanted = {}
        for pointer, wrong, code in [*BROKEN, *REFUSED_CARDS]:
            sent = post(broken(pointer, wrong, PAYS))
            wanted[sent.id] = (code, pointer)
            await installation.commands([sent])
        await all_ended(installation)
        assert (await standing(installation), await balances(installation)) == before
        told = {}
        for record in await installation.read("points.events"):
            if header(record, "ce_type") == "points.transaction_rejected.v1":
                refused = payload(record)
                told[header(record, "ce_correlationid")] = (refused["code"], refused["pointer"])
        assert {name: code for name, (code, _) in told.items()} == {name: code for name, (code, _) in wanted.items()}
        assert all(told[name][1].startswith(pointer) for name, (_, pointer) in wanted.items())

        await installation.commands([post(PAYS)])
        await all_ended(installation)
        assert (await balances(installation))["one"] == (24000, "active")
        assert (await balances(installation))["two"] == (24750, "active")
        assert (await standing(installation))[0] == {"A": (1005, 0), "B": (960, 0), "C": (993, 0)}
    assert (await verify_transactions(installation.settings)).ok


def post(body: dict[str, Any]) -> Command:
    return Command("points.post_transaction.v1", ACCOUNT, {"accountNumber": NUMBER, **body})


async def balances(installation: Installation) -> dict[str, tuple[int, str]]:
    cards = await states(installation, "giftcard", "card", CARDS)
    return {card.card_id: (card.balance, card.status.value) for card in cards.values()}


async def test_killed_at_every_step_all_is_whole_or_nothing(empty_installation: Installation) -> None:
    await campaign(empty_installation, 1, STEPS)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("round_", range(20))
async def test_killed_at_every_step_for_long(empty_installation: Installation, round_: int) -> None:
    await campaign(empty_installation, 100 + round_, Random(round_).sample(STEPS, len(STEPS)))


async def campaign(installation: Installation, seed: int, steps: list[str]) -> None:
    """At each step kill points while they hold and close, and the cards while they hold and settle.

    The last time there are reversals of what was executed.
    """
    sagas = CardSagas(Random(seed))
    await begin(installation)
    for step in steps:
        await installation.commands([sagas.transaction() for _ in range(40)])
        await both_killed(installation, step)
    await ended(installation)
    await installation.commands([sagas.reversal() for _ in range(50)])
    await both_killed(installation, steps[-1])
    await ended(installation)
    outcomes = await check(installation, sagas)
    assert outcomes["executed"] > 20, outcomes
    assert outcomes["refused"] > 5, outcomes
    assert outcomes["reversed"] > 3, outcomes


async def both_killed(installation: Installation, step: str) -> None:
    dying = asyncio.create_task(killed(installation, "giftcard", f"{step}:kill:1"))
    await killed(installation, "points", f"{step}:kill:2")
    await dying


async def ended(installation: Installation) -> None:
    """Have everything ended by services that nobody kills."""
    async with (
        installation.points(**SHORT),
        installation.worker("voucher", **SHORT),
        installation.worker("giftcard", **SHORT),
    ):
        await all_ended(installation)

"""Many clients redeem from one gift card over HTTP at once: what they are told they took is what left the card."""

import asyncio
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from cli.commands.verify import verify_service, verify_topics
from schemas.giftcards import CardChanged
from tests.harness import Installation
from tests.http.cards import open_cards

pytestmark = pytest.mark.real

NO_OUTCOME = (202, 503, 504)


@pytest.mark.parametrize(
    ("clients", "tries"), [(20, 5), pytest.param(200, 50, marks=[pytest.mark.long, pytest.mark.timeout(1_800)])]
)
async def test_racing_redemptions_never_overspend(empty_installation: Installation, clients: int, tries: int) -> None:
    """They ask for more than twice the balance, some for part of it; a fifth send their request again."""
    loaded = clients * tries * 5 // 4
    many = {"FEALTY_CLIENT_REQUESTS_PER_S": "100000"}
    async with open_cards(empty_installation, **many) as cards:
        card = (await cards.issue(loaded))["cardId"]
        taken: dict[str, Decimal] = {}
        refused: set[str] = set()

        async def redeem(**body: Any) -> None:
            """Redeem, as a till does: again under the same transaction id until there is an outcome."""
            answer = await cards.call("Redeem", cardId=card, **body)
            while answer.status_code in NO_OUTCOME:
                await asyncio.sleep(0.5)
                answer = await cards.call("Redeem", cardId=card, **body)
            transaction, document = body["transactionId"], answer.json()
            if answer.status_code == 200:
                amount = Decimal(str(document["amount"]))
                assert taken.setdefault(transaction, amount) == amount, "a repeat was told something else"
            else:
                assert (answer.status_code, document["code"]) == (409, "insufficient_balance")
                refused.add(transaction)

        async def client(name: int) -> None:
            random = Random(name)
            for number in range(tries):
                body = {"transactionId": f"{name}-{number}", "amount": random.randint(100, 500) / 100}
                body |= {"allowPartial": True} if name % 7 == 0 else {}
                for _ in range(1 + (random.random() < 0.2)):
                    await redeem(**body)

        await asyncio.gather(*(client(name) for name in range(clients)))
        assert not taken.keys() & refused
        assert len(taken) + len(refused) == clients * tries
        assert refused
        left = Decimal(str((await cards.shown(card))["balance"]))
        assert 0 <= left < 5
        assert sum(taken.values()) == loaded - left
        await cards.fed()
    records = await empty_installation.read("giftcard.changes")
    changes = {each.sequence: each for each in (CardChanged.model_validate_json(one.value or b"") for one in records)}
    booked = {each.transaction_id: Decimal(-each.delta) / 100 for each in changes.values() if each.kind == "redeem"}
    assert booked == taken
    for report in (verify_service, verify_topics):
        assert (await report("giftcard", empty_installation.settings)).ok

"""Inputs for numbers that nobody knows, from the topics: they wait, are listed, and go on once (rules 4.1.2)."""

import orjson
import pytest

from cli.commands.stores import journal_of
from cli.commands.unknown_accounts import replay_unknown, unknown_accounts
from schemas.envelope import Envelope
from shared.ids import account_id, new_id
from tests.harness import Command, Installation, eventually, header, payload

pytestmark = pytest.mark.real

PROGRAMME, ORDER_NUMBER, CARD = "LOY22-BuyVouchers", "12345", "ours-1"


async def tell(installation: Installation, number: str, value: int, times: int = 1) -> None:
    """Publish a load as the order management system does, `times` times under the same id."""
    body = {"loyaltyPrograms": [{"loyaltyPointDefinitionId": PROGRAMME, "loads": [{"value": value}]}]}
    envelope = Envelope(id=new_id(), type="loyalty.transaction.v1", source="/oms", subject=number)
    for _ in range(times):
        await installation.send("oms.fulfilments", orjson.dumps(body), [*envelope.headers()], number)


async def told(installation: Installation) -> None:
    await installation.drained(group="points.reactions.oms.fulfilments", topic="oms.fulfilments")
    await installation.drained()


async def deltas(installation: Installation, number: str) -> list[int]:
    """What was booked on the account of a number, in order."""
    changes = map(payload, await installation.read("points.changes"))
    return [each["delta"] for each in changes if each["accountNumber"] == number]


async def test_they_wait_and_have_their_effect_once_when_the_number_is_known(installation: Installation) -> None:
    await installation.command(Command("points.put_account_numbers.v1", "all", {"patterns": ["[0-9]{19}"]}))
    async with installation.points(), installation.worker("customer"):
        await tell(installation, ORDER_NUMBER, 1000, times=2)
        await tell(installation, CARD, 1)
        await tell(installation, CARD, 2)
        await told(installation)
        assert await installation.read("points.changes") == []
        async with journal_of("points", installation.settings) as journal:
            found = {each.number: each.waiting for each in await unknown_accounts(journal, 10)}
        assert found == {ORDER_NUMBER: 1, CARD: 2}

        body = {"cardNumber": CARD, "state": "active", "customerInfo": {}, "contactData": {}}
        customer = Command("customer.create.v1", new_id(), body)
        await installation.command(customer)
        await eventually(lambda: deltas(installation, CARD), [1, 2])

        for _ in range(2):
            await replay_unknown(installation.settings, ORDER_NUMBER)
        await eventually(lambda: deltas(installation, ORDER_NUMBER), [1000])
        await tell(installation, CARD, 3)
        await told(installation)
        assert await deltas(installation, CARD) == [1, 2, 3]
        assert await deltas(installation, ORDER_NUMBER) == [1000]
    events = [header(each, "ce_type") for each in await installation.read("points.events")]
    assert events.count("points.account_unknown.v1") == 3
    assert account_id("default", CARD) in {
        payload(each)["account"] for each in await installation.read("points.changes")
    }

"""Ten operations over three programmes and five vouchers, told on a topic: all of them, or none (rules 4.2.1)."""

from copy import deepcopy
from typing import Any

import orjson
import pytest

from schemas.envelope import Envelope
from services.points.decider import DECIDER as POINTS
from services.voucher.decider import DECIDER as VOUCHER
from shared.ids import account_id, new_id
from tests.harness import Command, Installation, header, payload
from tests.real.saga import all_closed, states

pytestmark = pytest.mark.real

NUMBER = "6299000001"
ACCOUNT = account_id("default", NUMBER)
PROGRAMMES = ("A", "B", "C")
SERIALS = {"a-1": "OF-A", "b-1": "OF-B", "n-1": "OF-NONE", "n-2": "OF-NONE", "n-3": "OF-NONE"}
TRANSACTION: dict[str, Any] = {
    "loyaltyPrograms": [
        {
            "loyaltyPointDefinitionId": "A",
            "loads": [{"value": 10}],
            "redemptions": [{"value": 5}],
            "voucherRedemptions": [{"serialId": "a-1"}],
        },
        {
            "loyaltyPointDefinitionId": "B",
            "loads": [{"value": 10}],
            "purchases": [{"voucherId": "OF-B"}],
            "voucherRedemptions": [{"serialId": "b-1"}],
        },
        {"loyaltyPointDefinitionId": "C", "redemptions": [{"value": 7}]},
    ],
    "voucherRedemptions": [{"serialId": "n-1"}, {"serialId": "n-2"}, {"serialId": "n-3", "void": True}],
}
BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("/loyaltyPrograms/0/loads/0", {"value": -1}, "value_negative"),
    ("/loyaltyPrograms/1/loads/0", {"value": 0.5}, "too_many_decimals"),
    ("/loyaltyPrograms/0/redemptions/0", {"value": 1011}, "insufficient_points"),
    ("/loyaltyPrograms/2/redemptions/0", {"value": 1001}, "insufficient_points"),
    ("/loyaltyPrograms/1/purchases/0", {"voucherId": "OF-A"}, "voucher_not_offered"),
    ("/loyaltyPrograms/0/voucherRedemptions/0", {"serialId": "b-1"}, "programme_mismatch"),
    ("/loyaltyPrograms/1/voucherRedemptions/0", {"serialId": "nobody's"}, "voucher_unknown"),
    ("/voucherRedemptions/0", {"serialId": "foreign"}, "voucher_foreign"),
    ("/voucherRedemptions/1", {"serialId": "n-1"}, "voucher_redeemed"),
    ("/voucherRedemptions/2", {"serialId": "void", "void": True}, "voucher_void"),
]


def broken(pointer: str, wrong: dict[str, Any], whole: dict[str, Any] = TRANSACTION) -> dict[str, Any]:
    """The transaction with one operation that cannot be."""
    body = deepcopy(whole)
    *path, last = [int(step) if step.isdigit() else step for step in pointer.split("/")[1:]]
    place: Any = body
    for step in path:
        place = place[step]
    place[last] = wrong
    return body


async def prepare(installation: Installation) -> None:
    """Three programmes with 1,000 points each, and the vouchers; one of another account, and one that is void."""
    sells = {"purchases": [{"voucherId": "OF-B", "price": 50}]}
    rules = [{"id": name, "descriptions": {"en": name}, **(sells if name == "B" else {})} for name in PROGRAMMES]
    declared = [Command.declaring(each) for each in rules]
    common = {"titles": {"en": "A voucher"}, "defaultLanguage": "en"}
    codes = {"OF-A": {"programme": "A"}, "OF-B": {"programme": "B"}, "OF-NONE": {}}
    definitions = [
        Command("voucher.put_definition.v1", code, {"definition": {"code": code, **common, **of}})
        for code, of in codes.items()
    ]
    issued = [issuing(serial, code) for serial, code in SERIALS.items()]
    issued += [issuing("foreign", "OF-NONE", "6299000002"), issuing("void", "OF-NONE")]
    voided = Command("voucher.void.v1", ACCOUNT, {"serialId": "void", "reason": "a test"})
    loads = [Command.transaction(NUMBER, name, load=1000) for name in PROGRAMMES]
    for points, vouchers in ((declared, definitions), (loads, issued), ([], [voided])):
        await installation.commands([*points, *vouchers])
        await installation.settled([each.id for each in points])
        await installation.settled([each.id for each in vouchers], service="voucher")


def issuing(serial: str, code: str, number: str = NUMBER) -> Command:
    owner = {"account": account_id("default", number), "accountNumber": number}
    body = {"voucherId": code, "serialId": serial, "reason": "a test", **owner}
    return Command("voucher.issue.v1", owner["account"], body)


async def tell(installation: Installation, body: dict[str, Any]) -> str:
    """Publish a transaction as the OMS does; its id, by which what came of it is told."""
    envelope = Envelope(id=new_id(), type="loyalty.transaction.v1", source="/oms", subject=NUMBER)
    await installation.send("oms.fulfilments", orjson.dumps(body), [*envelope.headers()], NUMBER)
    return envelope.id


async def standing(installation: Installation) -> tuple[dict[str, tuple[int, int]], dict[str, str]]:
    """What is booked and held in each programme, and the state of each voucher."""
    account = (await states(installation, "points", "account", POINTS))[ACCOUNT]
    vouchers = await states(installation, "voucher", "voucher", VOUCHER)
    balances = {name: (each.booked, each.held) for name, each in account.balances.items()}
    return balances, {serial: each.state.value for serial, each in vouchers.items()}


async def dealt_with(installation: Installation) -> None:
    await installation.drained(group="points.reactions.oms.fulfilments", topic="oms.fulfilments")
    await all_closed(installation)


async def test_whichever_of_ten_operations_fails_nothing_is_done(empty_installation: Installation) -> None:
    installation = empty_installation
    async with installation.points(), installation.worker("voucher"):
        await prepare(installation)
        before = await standing(installation)
        assert before[0] == dict.fromkeys(PROGRAMMES, (1000, 0))
        wanted = {}
        for pointer, wrong, code in BROKEN:
            wanted[await tell(installation, broken(pointer, wrong))] = (code, pointer)
        await dealt_with(installation)
        assert await standing(installation) == before

        told = {}
        for record in await installation.read("points.events"):
            if header(record, "ce_type") == "points.transaction_rejected.v1":
                refused = payload(record)
                caused_by = header(record, "ce_correlationid")
                told[caused_by] = (refused["code"], refused["pointer"])
        assert {name: code for name, (code, _) in told.items()} == {name: code for name, (code, _) in wanted.items()}
        for name, (_, pointer) in wanted.items():
            assert told[name][1].startswith(pointer), "the refusal names the operation"

        await tell(installation, TRANSACTION)
        await dealt_with(installation)
        balances, vouchers = await standing(installation)
    assert balances == {"A": (1005, 0), "B": (960, 0), "C": (993, 0)}
    used = {"a-1": "redeemed", "b-1": "redeemed", "n-1": "redeemed", "n-2": "redeemed", "n-3": "void"}
    assert {serial: vouchers[serial] for serial in used} == used
    assert len(vouchers) == len(before[1]) + 1, "and one was bought"

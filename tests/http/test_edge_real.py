"""The edge over a real broker, a real database and a real points worker."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
import yaml

from services.edge.http.headers import REPLAYED
from shared.clock import now_ms
from shared.ids import account_id, new_id
from shared.runtime.kafka import partition_of
from shared.runtime.requests import Operation
from tests.harness import DEMO, Command, Installation, eventually
from tests.http.caller import POINTS, calling, decimals, load, redeem
from tests.http.test_bodies import OMS
from tests.http.test_openapi import schema
from tests.tokens import authorization

pytestmark = pytest.mark.real

WEB_SHOP = b"""{
    "loyaltyPrograms": [
        {
            "loyaltyPointDefinitionId": "LOY22-IssueThreshold",
            "voucherRedemptions": [
                {
                    "serialId": "6666160395443995410"
                }
            ]
        }
    ],
    "voucherRedemptions": [
        {
            "serialId": "6666270046419031265"
        }
    ],
    "context": {
        "shopId": "Webshop",
        "comment": "Order 12345"
    }
}"""
"""The document's own example."""


async def issue(installation: Installation, number: str) -> None:
    """Have the vouchers of the web shop's example issued to an account, by the demo's definitions."""
    definitions = {each["code"]: each for each in yaml.safe_load(DEMO.read_bytes())["vouchers"]}
    wanted = {"VOUCHER-25": "6666160395443995410", "WELCOME": "6666270046419031265"}
    owner = {"account": account_id("default", number), "accountNumber": number}
    puts = [Command("voucher.put_definition.v1", code, {"definition": definitions[code]}) for code in wanted]
    issues = [
        Command(
            "voucher.issue.v1", owner["account"], {"voucherId": code, "serialId": serial, "reason": "demo", **owner}
        )
        for code, serial in wanted.items()
    ]
    for commands in (puts, issues):
        await installation.commands(commands)
        await installation.settled([each.id for each in commands], service="voucher")


@pytest.mark.exercises("POST /api/v1.0/LoyaltyVault/Account/{accountNumber}/Transaction")
async def test_the_documented_examples_are_booked(installation: Installation) -> None:
    async with installation.points(), installation.worker("voucher"), calling(installation) as caller:
        await issue(installation, "6299000000000000017")
        response = await caller.post("6299000000000000017", OMS)
        assert response.status_code == 200, response.text
        answer = response.json()
        transaction = answer.pop("transactionId")
        assert answer == {
            "balances": [{"loyaltyProgramId": POINTS, "pointsBalance": 1000}],
            "issuedVouchers": [],
            "redeemedVouchers": [],
            "voidedVouchers": [],
        }
        entry = await installation.entry(transaction)
        assert entry is not None
        assert entry["events"][-1]["data"]["source"]["shop"] == "Webshop"
        assert b"OMS" not in response.content

        redeemed = await caller.post("6299000000000000017", WEB_SHOP)
        assert redeemed.status_code == 200, redeemed.text
        used = redeemed.json()
        schema("TransactionAnswer").validate(used)
        assert used["redeemedVouchers"] == [
            {
                "operation": 0,
                "serialId": "6666160395443995410",
                "voucherId": "VOUCHER-25",
                "programme": "LOY22-IssueThreshold",
                "benefit": {"type": "amount", "value": 25, "currency": "EUR"},
            },
            {
                "operation": 1,
                "serialId": "6666270046419031265",
                "voucherId": "WELCOME",
                "programme": None,
                "benefit": {"type": "percentage", "value": 10, "max": 20, "currency": "EUR"},
            },
        ]
        assert used["balances"] == [{"loyaltyProgramId": "LOY22-IssueThreshold", "pointsBalance": 0}]
        again = await caller.post("6299000000000000017", WEB_SHOP)
        assert (again.status_code, again.json()["code"]) == (409, "voucher_redeemed")
        assert again.json()["pointer"] == "/loyaltyPrograms/0/voucherRedemptions/0"

        shouted = OMS.replace(b"LoyaltyPointDefinitionld", b"LOYALTYPOINTDEFINITIONID").replace(b'"Value"', b'"vALUE"')
        assert (await caller.post("6299000000000000017", shouted)).json()["balances"][0]["pointsBalance"] == 2000

        account = await caller.account("6299000000000000017")
        assert account.status_code == 200
        schema("AccountAnswer").validate(account.json())
        view = account.json()
        # Two loads, and two transactions that were held and closed.
        assert (view["accountNumber"], view["version"], view["sequence"]) == ("6299000000000000017", 6, 2)
        (balance,) = view["balances"]
        assert (balance["programme"], balance["balance"], balance["earned"]) == (POINTS, 2000, 2000)
        assert sum(part["amount"] for part in balance["expiring"]) == 2000


async def test_reads_show_every_accepted_write(installation: Installation) -> None:
    async with installation.points(), calling(installation) as caller:
        for count in range(1, 51):
            posted = await caller.post("A-1", load(1))
            assert posted.status_code == 200, posted.text
            seen = (await caller.account("A-1")).json()
            assert (seen["version"], seen["balances"][0]["balance"]) == (count, count)
        numbers = [f"B-{index}" for index in range(20)]
        answers = await asyncio.gather(*(caller.post(number, load(7)) for number in numbers))
        assert {answer.status_code for answer in answers} == {200}
        assert set(await asyncio.gather(*(caller.balance(number) for number in numbers))) == {7}
        await installation.fed("points.snapshots")
        assert await caller.balance("A-1") == 50


async def test_amounts_are_exact_decimals(installation: Installation) -> None:
    async with installation.points(), calling(installation) as caller:
        answer = await caller.post(
            "A-1", b'{"loyaltyPrograms":[{"loyaltyPointDefinitionId":"CASHBACK","loads":[{"value":0.1}]}]}'
        )
        assert decimals(answer)["balances"] == [{"loyaltyProgramId": "CASHBACK", "pointsBalance": Decimal("0.1")}]
        await caller.post("A-1", load(0.2, "CASHBACK"))
        assert await caller.balance("A-1", "CASHBACK") == Decimal("0.3")
        adjusted = await caller.adjust("A-1", programme="CASHBACK", value=-0.25, reason="counted twice")
        assert adjusted.status_code == 200, adjusted.text
        assert decimals(adjusted)["balances"] == [{"loyaltyProgramId": "CASHBACK", "pointsBalance": Decimal("0.05")}]
        later = await caller.adjust(
            "A-1", programme="CASHBACK", value=5, reason="goodwill", activeFrom="2099-01-01T00:00:00Z"
        )
        assert later.status_code == 200, later.text
        (balance,) = decimals(await caller.account("A-1"))["balances"]
        assert (balance["balance"], balance["earned"]) == (Decimal("0.05"), Decimal("0.3"))
        assert (balance["adjustedUp"], balance["adjustedDown"]) == (0, Decimal("0.25"))
        assert balance["scheduled"] == [{"at": "2099-01-01T00:00:00.000Z", "amount": 5}]


async def test_retries_with_a_key_have_one_effect_and_one_response(installation: Installation) -> None:
    async with installation.points(), calling(installation) as caller:
        first = await caller.post("A-1", OMS, key="order-12345")
        again = await caller.post("A-1", OMS.swapcase().swapcase(), key="order-12345")
        assert first.status_code == again.status_code == 200
        assert first.content == again.content
        assert (first.headers.get(REPLAYED), again.headers.get(REPLAYED)) == (None, "true")
        assert await caller.balance("A-1") == 1000

        for response in (
            await caller.post("A-1", load(1), key="order-12345"),
            await caller.post("A-2", OMS, key="order-12345"),
            await caller.adjust("A-1", "order-12345", programme=POINTS, value=1, reason="x"),
        ):
            assert response.status_code == 422
            assert response.json()["code"] == "idempotency_key_reused"
            assert REPLAYED not in response.headers
        assert (await caller.balance("A-1"), await caller.balance("A-2")) == (1000, 0)

        same = await asyncio.gather(*(caller.post("A-3", load(5), key="many") for _ in range(20)))
        assert {response.status_code for response in same} == {200}
        assert len({response.content for response in same}) == 1
        assert sum(response.headers.get(REPLAYED) == "true" for response in same) == 19
        assert await caller.balance("A-3") == 5

        refused = await caller.post("A-1", redeem(5000), key="refused")
        assert refused.status_code == 409
        await caller.post("A-1", load(9000))
        repeated = await caller.post("A-1", redeem(5000), key="refused")
        assert repeated.content == refused.content
        assert (refused.headers.get(REPLAYED), repeated.headers.get(REPLAYED)) == (None, "true")


def buy(voucher: str) -> dict[str, Any]:
    return {"loyaltyPrograms": [{"loyaltyPointDefinitionId": POINTS, "purchases": [{"voucherId": voucher}]}]}


async def test_refused_transactions_book_nothing(installation: Installation) -> None:
    refusals: list[tuple[bytes | dict[str, Any], int, str, str | None]] = [
        (redeem(11), 409, "insufficient_points", "/loyaltyPrograms/0/redemptions/0"),
        (load(-1), 422, "value_negative", "/loyaltyPrograms/0/loads/0"),
        (load(0.5), 422, "too_many_decimals", "/loyaltyPrograms/0/loads/0"),
        (load(1, "nothing"), 422, "programme_unknown", "/loyaltyPrograms/0/loyaltyPointDefinitionId"),
        (load(501, "CASHBACK"), 422, "load_limit_exceeded", "/loyaltyPrograms/0/loads/0"),
        (
            {"loyaltyPrograms": [load(5)["loyaltyPrograms"][0], redeem(1, "CASHBACK")["loyaltyPrograms"][0]]},
            409,
            "insufficient_points",
            "/loyaltyPrograms/1/redemptions/0",
        ),
        (buy("NOTHING"), 422, "voucher_not_offered", "/loyaltyPrograms/0/purchases/0/voucherId"),
    ]
    async with installation.points(), calling(installation) as caller:
        assert (await caller.account("A-1")).json()["code"] == "account_unknown"
        assert (await caller.post("A-1", redeem(1))).status_code in (404, 409)
        assert (await caller.account("A-1")).status_code == 404
        await caller.post("A-1", load(10))
        before = (await caller.account("A-1")).content
        for body, status, code, pointer in refusals:
            response = await caller.post("A-1", body)
            assert response.headers["content-type"] == "application/problem+json"
            document = response.json()
            schema("ProblemDocument").validate(document)
            assert (response.status_code, document["code"]) == (status, code)
            assert (document["pointer"] or "").startswith(pointer or "")
        zero = await caller.adjust("A-1", programme=POINTS, value=0, reason="x")
        assert (zero.status_code, zero.json()["code"]) == (422, "value_zero")
        assert (await caller.account("A-1")).content == before


async def test_without_a_worker_commands_get_202_and_can_be_polled(installation: Installation) -> None:
    async with calling(installation, FEALTY_REPLY_WAIT_MS="300") as caller:
        async with installation.points():
            pass  # The programmes are booked, and nobody works any more.
        response = await caller.post("A-1", OMS, key="k")
        assert response.status_code == 202, response.text
        body, location = response.json(), response.headers["location"]
        schema("PendingAnswer").validate(body)
        assert location == f"/operations/{body['operationId']}"
        waiting = await caller.client.get(location)
        assert (waiting.status_code, waiting.json()) == (202, body)
        assert waiting.headers["retry-after"] == "1"
        async with installation.points("points-1"):

            async def status() -> Any:
                return (await caller.client.get(location)).json()["status"]

            await eventually(status, "accepted")
            done = await caller.client.get("/v1" + location)
            schema("OperationAnswer").validate(done.json())
            assert done.json() == {
                "operationId": body["operationId"],
                "commandId": body["commandId"],
                "status": "accepted",
                "result": {
                    "transactionId": body["commandId"],
                    "balances": [{"loyaltyProgramId": POINTS, "pointsBalance": 1000}],
                    "issuedVouchers": [],
                    "redeemedVouchers": [],
                    "voidedVouchers": [],
                },
            }
            await installation.fed("points.snapshots")
            assert await caller.balance("A-1") == 1000
            repeated = await caller.post("A-1", OMS, key="k")
            assert repeated.json() == done.json()["result"]
            responses = (response, waiting, done, repeated)
            assert [each.headers.get(REPLAYED) for each in responses] == [None, None, None, "true"]


async def test_polling_shows_refused_and_never_accepted_operations(installation: Installation) -> None:
    async with installation.points(), calling(installation) as caller:
        key = "refused"
        await caller.post("A-1", redeem(5), key=key)
        journal = installation.collection("points", "journal")
        refused = await journal.find_one({"status": "rejected"})
        operation = Operation("points", refused["partition"], refused["_id"], now_ms())
        found = (await caller.client.get(f"/operations/{operation}")).json()  # An administrator needs no more.
        schema("OperationAnswer").validate(found)
        assert (found["status"], found["problem"]["code"]) == ("rejected", refused["code"])
        elsewhere = await authorization(installation.settings, "elsewhere", store="other")
        foreign = (await caller.client.get(f"/operations/{operation}", headers=elsewhere)).json()
        assert (foreign["status"], "problem" in foreign) == ("never_accepted", False)

        place = partition_of(account_id("default", "A-9"), installation.settings.partitions)
        never = Operation("points", place, new_id(), now_ms() + 1_500)
        early = await caller.client.get(f"/operations/{never}")
        assert (early.status_code, early.json()["status"]) == (202, "pending")
        await asyncio.sleep(1.6)
        late = await caller.client.get(f"/operations/{never}")
        assert (late.status_code, late.json()) == (
            200,
            {"operationId": str(never), "commandId": never.command_id, "status": "never_accepted"},
        )

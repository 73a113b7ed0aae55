"""Previews over HTTP: what is asked of whom, and what is told of it."""

from typing import Any

import orjson
import pytest

from services.edge.auth.tokens import Caller
from services.edge.http.problems import Problem
from shared.ids import account_id
from tests.http.conftest import Offline, a_client
from tests.http.test_access import bearer
from tests.http.test_bodies import JSON, OMS, problem

PATH = "/api/v1.0/LoyaltyVault/Account/A-1/Transaction/preview"
FIVE = {"type": "amount", "value": 5, "currency": "EUR"}
EXECUTE = {"account": "the account", "purchases": [{"serialId": "drawn"}]}
POINTS = {
    "balances": [{"loyaltyProgramId": "CASHBACK", "before": 250, "pointsBalance": 1005, "scale": 2}],
    "issuedVouchers": [{"operation": 4, "voucherId": "TEN", "programme": "P"}],
    "tiers": [{"tierSet": "LEVELS", "before": None, "after": "BASIC"}],
    "execute": None,
}
EXECUTED = {
    "decision": "executed",
    "issued": [{"operation": 2, "serialId": "drawn", "voucherId": "V", "state": "redeemed", "benefit": FIVE}],
    "redeemed": [
        {"operation": 2, "serialId": "drawn", "voucherId": "V", "benefit": FIVE},
        {"operation": 3, "serialId": "S-1", "voucherId": "W"},
    ],
}
Asked = list[tuple[Any, ...]]


@pytest.fixture
def said() -> dict[str, Any]:
    """What each service answers."""
    return {"points": POINTS, "voucher": EXECUTED}


@pytest.fixture
def asked(offline: Offline, said: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What the services were asked."""
    found: Asked = []

    async def preview(caller: Caller, service: str, type_: str, subject: str, value: bytes) -> dict[str, Any]:
        found.append((service, type_, subject, orjson.loads(value)))
        answer: dict[str, Any] | Problem = said[service]
        if isinstance(answer, Problem):
            raise answer
        return answer

    monkeypatch.setattr(offline.edge.bus, "preview", preview)
    return found


async def test_points_alone_are_asked_when_there_are_no_vouchers(offline: Offline, asked: Asked) -> None:
    response = await offline.client.post(PATH, content=OMS, headers={**JSON, "Idempotency-Key": "is not looked at"})
    assert response.status_code == 200, response.text
    assert response.json() == {
        "balances": [{"loyaltyProgramId": "CASHBACK", "pointsBalanceBefore": 2.5, "pointsBalance": 10.05}],
        "issuedVouchers": [_shown(operation=4, voucherId="TEN", programme="P")],
        "redeemedVouchers": [],
        "voidedVouchers": [],
        "tiers": [{"tierSet": "LEVELS", "before": None, "after": "BASIC"}],
    }
    ((service, type_, subject, value),) = asked
    assert (service, type_, subject) == ("points", "points.preview_transaction.v1", account_id("default", "A-1"))
    assert value["accountNumber"] == "A-1"
    assert offline.asked == [], "nothing is sent as a command"


async def test_with_vouchers_their_service_is_asked_what_it_would_be_sent(
    offline: Offline, asked: Asked, said: dict[str, Any]
) -> None:
    said["points"] = {**POINTS, "execute": EXECUTE}
    shown = (await offline.client.post(PATH, content=OMS, headers=JSON)).json()
    assert asked[1] == ("voucher", "voucher.preview_execution.v1", "the account", EXECUTE)
    assert shown["issuedVouchers"] == [
        _shown(operation=2, voucherId="V", state="redeemed", benefit=FIVE),
        _shown(operation=4, voucherId="TEN", programme="P"),
    ]
    assert shown["redeemedVouchers"] == [
        _shown(operation=2, voucherId="V", benefit=FIVE),
        _shown(operation=3, voucherId="W", serialId="S-1"),
    ]


POINTER = "/loyaltyPrograms/0"


async def test_a_refusal_is_the_transactions_own(offline: Offline, asked: Asked, said: dict[str, Any]) -> None:
    refused = {"decision": "refused", "code": "voucher_void", "detail": "it was voided", "pointer": POINTER}
    said |= {"points": {**POINTS, "execute": EXECUTE}, "voucher": refused}
    found = problem(await offline.client.post(PATH, content=OMS, headers=JSON))
    assert (found["status"], found["code"], found["detail"], found["pointer"]) == (
        409,
        "voucher_void",
        "it was voided",
        POINTER,
    )
    said["points"] = Problem("insufficient_points", "5 are left", pointer=POINTER)
    assert problem(await offline.client.post(PATH, content=OMS, headers=JSON))["code"] == "insufficient_points"
    assert len(asked) == 3


async def test_it_needs_the_scopes_of_the_transaction(offline: Offline, asked: Asked) -> None:
    body = {"voucherRedemptions": [{"serialId": "S", "void": True}]}
    for scopes, status in ((("api_admin",), 403), (("api_loyalty",), 403), (("api_loyalty", "api_void"), 200)):
        headers = bearer(offline.token(a_client(*scopes)))
        assert (await offline.client.post(PATH, json=body, headers=headers)).status_code == status
    assert len(asked) == 1


async def test_it_is_unavailable_while_the_broker_is(offline: Offline) -> None:
    found = await offline.client.post(PATH, content=OMS, headers=JSON)
    assert (found.status_code, problem(found)["code"]) == (503, "unavailable")
    assert found.headers["retry-after"]


def _shown(**members: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("serialId", "programme", "validFrom", "expiresAt", "state", "benefit"))
    return {**nothing, **members}

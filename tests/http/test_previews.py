"""Previews over HTTP: the requests to the services, and the response made from their replies."""

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
PreviewRequests = list[tuple[Any, ...]]


@pytest.fixture
def replies() -> dict[str, Any]:
    """The reply of each service."""
    return {"points": POINTS, "voucher": EXECUTED}


@pytest.fixture
def requests(offline: Offline, replies: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> PreviewRequests:
    """The requests that the services received."""
    recorded: PreviewRequests = []

    async def preview(caller: Caller, service: str, type_: str, subject: str, value: bytes) -> dict[str, Any]:
        recorded.append((service, type_, subject, orjson.loads(value)))
        answer: dict[str, Any] | Problem = replies[service]
        if isinstance(answer, Problem):
            raise answer
        return answer

    monkeypatch.setattr(offline.edge.bus, "preview", preview)
    return recorded


async def test_previews_without_vouchers_request_the_points_service_only(
    offline: Offline, requests: PreviewRequests
) -> None:
    response = await offline.client.post(PATH, content=OMS, headers={**JSON, "Idempotency-Key": "is ignored"})
    assert response.status_code == 200, response.text
    assert response.json() == {
        "balances": [{"loyaltyProgramId": "CASHBACK", "pointsBalanceBefore": 2.5, "pointsBalance": 10.05}],
        "issuedVouchers": [_voucher(operation=4, voucherId="TEN", programme="P")],
        "redeemedVouchers": [],
        "voidedVouchers": [],
        "tiers": [{"tierSet": "LEVELS", "before": None, "after": "BASIC"}],
    }
    ((service, type_, subject, value),) = requests
    assert (service, type_, subject) == ("points", "points.preview_transaction.v1", account_id("default", "A-1"))
    assert value["accountNumber"] == "A-1"
    assert offline.commands == [], "nothing is sent as a command"


async def test_previews_with_vouchers_request_the_voucher_service_with_its_execution(
    offline: Offline, requests: PreviewRequests, replies: dict[str, Any]
) -> None:
    replies["points"] = {**POINTS, "execute": EXECUTE}
    preview = (await offline.client.post(PATH, content=OMS, headers=JSON)).json()
    assert requests[1] == ("voucher", "voucher.preview_execution.v1", "the account", EXECUTE)
    assert preview["issuedVouchers"] == [
        _voucher(operation=2, voucherId="V", state="redeemed", benefit=FIVE),
        _voucher(operation=4, voucherId="TEN", programme="P"),
    ]
    assert preview["redeemedVouchers"] == [
        _voucher(operation=2, voucherId="V", benefit=FIVE),
        _voucher(operation=3, voucherId="W", serialId="S-1"),
    ]


POINTER = "/loyaltyPrograms/0"


async def test_previews_are_refused_as_the_transaction_would_be(
    offline: Offline, requests: PreviewRequests, replies: dict[str, Any]
) -> None:
    refused = {"decision": "refused", "code": "voucher_void", "detail": "it was voided", "pointer": POINTER}
    replies |= {"points": {**POINTS, "execute": EXECUTE}, "voucher": refused}
    recorded = problem(await offline.client.post(PATH, content=OMS, headers=JSON))
    assert (recorded["status"], recorded["code"], recorded["detail"], recorded["pointer"]) == (
        409,
        "voucher_void",
        "it was voided",
        POINTER,
    )
    replies["points"] = Problem("insufficient_points", "5 are left", pointer=POINTER)
    assert problem(await offline.client.post(PATH, content=OMS, headers=JSON))["code"] == "insufficient_points"
    assert len(requests) == 3


async def test_previews_need_the_scopes_of_the_transaction(offline: Offline, requests: PreviewRequests) -> None:
    body = {"voucherRedemptions": [{"serialId": "S", "void": True}]}
    for scopes, status in ((("api_admin",), 403), (("api_loyalty",), 403), (("api_loyalty", "api_void"), 200)):
        headers = bearer(offline.token(a_client(*scopes)))
        assert (await offline.client.post(PATH, json=body, headers=headers)).status_code == status
    assert len(requests) == 1


async def test_previews_are_unavailable_without_the_broker(offline: Offline) -> None:
    recorded = await offline.client.post(PATH, content=OMS, headers=JSON)
    assert (recorded.status_code, problem(recorded)["code"]) == (503, "unavailable")
    assert recorded.headers["retry-after"]


def _voucher(**members: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("serialId", "programme", "validFrom", "expiresAt", "state", "benefit"))
    return {**nothing, **members}

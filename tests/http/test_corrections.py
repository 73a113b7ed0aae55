"""Commands of the family `/v1`: their values, path parameters and request hash parts."""

from typing import Any

import orjson
import pytest

from schemas.points import COMMANDS
from shared.ids import account_id
from tests.http.conftest import Offline, a_client
from tests.http.test_access import bearer
from tests.http.test_bodies import JSON, problem

ACCOUNT = "/v1/accounts/A-1"
T = "0199d2a5-7c00-7000-8000-000000000001"
REVERSAL = {"transactionId": T, "reason": "wrong card"}

GOOD: list[tuple[str, str, dict[str, Any], str, dict[str, Any]]] = [
    (
        "POST",
        "/adjustments",
        {"programme": "P", "value": -2, "reason": "x"},
        "points.adjust.v1",
        {"accountNumber": "A-1", "programme": "P", "value": -2, "reason": "x"},
    ),
    ("POST", "/reversals", REVERSAL, "points.reverse.v1", {"accountNumber": "A-1", **REVERSAL}),
    (
        "POST",
        "/reversals",
        {**REVERSAL, "operations": [{"operation": 0, "value": 2.5}, {"operation": 2}], "context": {"posId": "7"}},
        "points.reverse.v1",
        {
            "accountNumber": "A-1",
            **REVERSAL,
            "operations": [{"operation": 0, "value": 2.5}, {"operation": 2}],
            "context": {"posId": "7"},
        },
    ),
    (
        "PUT",
        "/state",
        {"state": "spending_blocked", "reason": "x"},
        "points.set_account_state.v1",
        {"accountNumber": "A-1", "state": "spending_blocked", "reason": "x"},
    ),
    (
        "POST",
        "/replacements",
        {"newNumber": "A-2"},
        "points.replace_number.v1",
        {"accountNumber": "A-1", "newNumber": "A-2"},
    ),
    (
        "PUT",
        "/tiers/LEVELS%20x",
        {"code": "gold", "reason": "x"},
        "points.pin_tier.v1",
        {"accountNumber": "A-1", "tierSet": "LEVELS x", "code": "gold", "reason": "x"},
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "type_", "value"), GOOD)
async def test_bodies_become_commands(
    offline: Offline, method: str, path: str, body: dict[str, Any], type_: str, value: dict[str, Any]
) -> None:
    headers = {**JSON, "Idempotency-Key": "k"}
    for content in (orjson.dumps(body), orjson.dumps(body, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)):
        response = await offline.client.request(method, ACCOUNT + path, content=content, headers=headers)
        assert response.status_code == 200, response.text
    command, again = offline.commands
    assert (command.service, command.type, command.subject, command.key) == (
        "points",
        type_,
        account_id("default", "A-1"),
        "k",
    )
    assert orjson.loads(command.value) == value
    assert command.request_hash_parts == again.request_hash_parts
    COMMANDS[type_].model_validate_json(command.value)


async def test_unpinning_a_tier_needs_no_body(offline: Offline) -> None:
    response = await offline.client.delete(ACCOUNT + "/tiers/LEVELS?reason=no%20more", headers={"Idempotency-Key": "k"})
    assert response.status_code == 200, response.text
    (command,) = offline.commands
    assert (command.type, command.key) == ("points.pin_tier.v1", "k")
    assert orjson.loads(command.value) == {
        "accountNumber": "A-1",
        "tierSet": "LEVELS",
        "code": None,
        "reason": "no more",
    }
    COMMANDS[command.type].model_validate_json(command.value)


async def test_request_hash_parts_differ_for_different_requests(offline: Offline) -> None:
    """Any two of these requests with one key are a reuse of the key."""
    client = offline.client
    reason = {"reason": "x"}
    for number in ("A-1", "A-2"):
        account = f"/v1/accounts/{number}"
        await client.post(account + "/replacements", json={"newNumber": "N"})
        for state in ("active", "closed"):
            await client.put(account + "/state", json={"state": state, **reason})
        for name in ("L", "M"):
            await client.put(f"{account}/tiers/{name}", json={"code": "gold", **reason})
            await client.delete(f"{account}/tiers/{name}?reason=x")
            await client.delete(f"{account}/tiers/{name}?reason=y")
    assert len(offline.commands) == len({tuple(command.request_hash_parts) for command in offline.commands}) == 18


BAD: list[tuple[str, str, dict[str, Any], str, str | None]] = [
    ("POST", "/reversals", {"reason": "x"}, "missing_field", "/transactionId"),
    ("POST", "/reversals", {"transactionId": T}, "missing_field", "/reason"),
    ("POST", "/reversals", {**REVERSAL, "reason": ""}, "value_out_of_range", "/reason"),
    ("POST", "/reversals", {**REVERSAL, "accountNumber": "A-1"}, "unknown_field", "/accountNumber"),
    ("POST", "/reversals", {**REVERSAL, "operations": [{"value": 1}]}, "missing_field", "/operations/0/operation"),
    (
        "POST",
        "/reversals",
        {**REVERSAL, "operations": [{"operation": 1, "value": 0}]},
        "value_out_of_range",
        "/operations/0/value",
    ),
    ("POST", "/reversals", {**REVERSAL, "onlyBy": "client:x"}, "unknown_field", "/onlyBy"),
    ("POST", "/reversals", {**REVERSAL, "only_by": "client:x"}, "unknown_field", "/only_by"),
    ("PUT", "/state", {"state": "gone", "reason": "x"}, "invalid_value", "/state"),
    ("PUT", "/state", {"state": "active"}, "missing_field", "/reason"),
    ("POST", "/replacements", {"newNumber": "x" * 65}, "value_out_of_range", "/newNumber"),
    ("PUT", "/tiers/L", {"reason": "x"}, "missing_field", "/code"),
    ("PUT", "/tiers/L", {"code": None, "reason": "x"}, "missing_field", "/code"),
    ("PUT", "/tiers/L", {"code": "gold", "reason": "x", "tierSet": "L"}, "unknown_field", "/tierSet"),
]


@pytest.mark.parametrize(("method", "path", "body", "code", "pointer"), BAD)
async def test_invalid_bodies_are_refused(
    offline: Offline, method: str, path: str, body: dict[str, Any], code: str, pointer: str | None
) -> None:
    document = problem(await offline.client.request(method, ACCOUNT + path, json=body))
    assert (document["code"], document.get("pointer")) == (code, pointer)
    assert offline.commands == []


async def test_clients_with_api_reverse_may_reverse_their_own_transactions_only(offline: Offline) -> None:
    own, admin = a_client("api_reverse", "api_loyalty"), a_client("api_reverse", "api_admin")
    for client in (own, admin):
        sent = await offline.client.post(ACCOUNT + "/reversals", json=REVERSAL, headers=bearer(offline.token(client)))
        assert sent.status_code == 200, sent.text
        refused = await offline.client.post(
            ACCOUNT + "/reversals", json={**REVERSAL, "onlyBy": "client:x"}, headers=bearer(offline.token(client))
        )
        assert problem(refused)["code"] == "unknown_field"
    by_own, by_admin = (orjson.loads(command.value) for command in offline.commands)
    assert by_own == {"accountNumber": "A-1", **REVERSAL, "onlyBy": f"client:{own.id}"}
    assert by_admin == {"accountNumber": "A-1", **REVERSAL}
    assert offline.commands[0].request_hash_parts == offline.commands[1].request_hash_parts, (
        "members that the edge adds are not hashed"
    )
    COMMANDS["points.reverse.v1"].model_validate(by_own)
    narrowed = bearer(offline.token(admin, "api_reverse"))
    await offline.client.post(ACCOUNT + "/reversals", json=REVERSAL, headers=narrowed)
    assert orjson.loads(offline.commands[2].value)["onlyBy"] == f"client:{admin.id}"


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/tiers/L", "reason"),
        ("/tiers/L?reason=", "reason"),
        ("/tiers/L?reason=" + "x" * 201, "reason"),
        ("/tiers/L?reason=a&reason=b", "reason"),
        ("/tiers/L?reason=%FF", "reason"),
        ("/tiers/L?reason=x&code=gold", "code"),
        (f"/tiers/{'x' * 65}?reason=x", "tierSet"),
        ("/tiers/%FF?reason=x", "tierSet"),
    ],
)
async def test_invalid_parameters_are_named(offline: Offline, path: str, parameter: str) -> None:
    document = problem(await offline.client.delete(ACCOUNT + path))
    assert (document["status"], document["code"], document["parameter"]) == (400, "invalid_parameter", parameter)
    assert offline.commands == []


@pytest.mark.parametrize("key", ["", "a b"])
async def test_commands_check_idempotency_key_and_account_number(offline: Offline, key: str) -> None:
    for method, path, body, _, _ in [*GOOD, ("DELETE", "/tiers/L?reason=x", None, "", {})]:
        content = b"" if body is None else orjson.dumps(body)
        headers = {**JSON, "Idempotency-Key": key}
        response = await offline.client.request(method, ACCOUNT + path, content=content, headers=headers)
        assert problem(response)["code"] == "invalid_idempotency_key"
        response = await offline.client.request(method, f"/v1/accounts/%FF{path}", content=content, headers=JSON)
        assert problem(response)["code"] == "invalid_account_number"
    assert offline.commands == []

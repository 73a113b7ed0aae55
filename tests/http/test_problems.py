"""Problem codes: complete, documented, and the same everywhere."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from schemas.customers import CustomerRefusal
from schemas.points import PointsRefusal
from schemas.replies import Reply, Status
from schemas.vouchers import VoucherRefusal
from services.edge import main
from services.edge.bus import commands as bus
from services.edge.bus.commands import Bus, problem_of
from services.edge.edge import Edge
from services.edge.http.problems import CODES, Problem
from shared.ids import new_id
from shared.runtime.outcomes import RuntimeRefusal
from shared.runtime.requests import Operation
from shared.settings import Settings
from tests.http.conftest import Offline
from tests.http.test_bodies import JSON, OMS, PATH, problem
from tests.http.test_heads import on_health_port

DOCUMENTED = dict(
    re.findall(
        r"^\| `(\w+)` \| (\d{3}) \|",
        (Path(__file__).parents[2] / "docs" / "problems.md").read_text(),
        re.MULTILINE,
    )
)


def test_every_refusal_of_the_rules_has_a_status() -> None:
    assert {str(code) for code in (*PointsRefusal, *VoucherRefusal, *CustomerRefusal, *RuntimeRefusal)} <= set(CODES)


def test_every_code_is_documented_with_its_status() -> None:
    assert {code: str(status) for code, (status, _) in CODES.items()} == DOCUMENTED


def test_codes_raised_by_the_edge_are_listed() -> None:
    root = Path(bus.__file__).parent
    raised = {code for path in root.rglob("*.py") for code in re.findall(r'Problem\(\s*"(\w+)"', path.read_text())}
    assert raised <= set(CODES)


def test_unknown_codes_have_status_422() -> None:
    assert Problem("something_new", "x").response().status_code == 422


@pytest.mark.parametrize(
    ("reply", "code", "status"),
    [
        (Reply(command_id="c", status=Status.REJECTED, code="insufficient_points"), "insufficient_points", 409),
        (Reply(command_id="c", status=Status.REJECTED, code="account_unknown"), "account_unknown", 404),
        (Reply(command_id="c", status=Status.REJECTED, code="value_negative", pointer="/a"), "value_negative", 422),
        (Reply(command_id="c", status=Status.TOO_LATE), "too_late", 503),
        (Reply(command_id="c", status=Status.DEAD_LETTERED, code="bad_payload"), "dead_lettered", 500),
        (Reply(command_id="c", status=Status.KEY_REUSED), "idempotency_key_reused", 422),
    ],
)
def test_replies_become_problems(reply: Reply, code: str, status: int) -> None:
    found = problem_of(reply)
    assert found is not None
    assert (found.code, found.status, found.pointer) == (code, status, reply.pointer)


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.PENDING, Status.NEVER_ACCEPTED])
def test_replies_without_a_refusal_have_no_problem(status: Status) -> None:
    assert problem_of(Reply(command_id="c", status=status)) is None


async def test_unknown_paths_and_methods_are_refused(offline: Offline) -> None:
    assert problem(await offline.client.get("/v2"))["code"] == "not_found"
    assert problem(await offline.client.get("/v1/accounts/A-1/"))["code"] == "not_found"
    response = await offline.client.get(PATH)
    assert problem(response)["code"] == "method_not_allowed"
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("number", ["x" * 65, "%FF"])
async def test_invalid_account_numbers_are_refused(offline: Offline, number: str) -> None:
    responses = [
        await offline.client.get(f"/v1/accounts/{number}"),
        await offline.client.post(PATH.replace("A-1", number), content=OMS, headers=JSON),
    ]
    assert [problem(response)["code"] for response in responses] == ["invalid_account_number"] * 2


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256, "a\tb"])
async def test_malformed_idempotency_keys_are_refused(offline: Offline, key: str) -> None:
    headers = {**JSON, "Idempotency-Key": key.encode("latin-1")}
    response = await offline.client.post(PATH, content=OMS, headers=headers)  # type: ignore[arg-type]
    assert problem(response)["code"] == "invalid_idempotency_key"


async def test_two_idempotency_keys_are_refused(offline: Offline) -> None:
    headers = [("content-type", "application/json"), ("Idempotency-Key", "a"), ("Idempotency-Key", "a")]
    response = await offline.client.post(PATH, content=OMS, headers=headers)
    assert problem(response)["code"] == "invalid_idempotency_key"


async def test_the_idempotency_key_is_sent_with_the_command(offline: Offline) -> None:
    await offline.client.post(PATH, content=OMS, headers={**JSON, "Idempotency-Key": "~!x"})
    assert offline.commands[0].key == "~!x"


async def test_loyaltyvault_paths_match_in_any_case(offline: Offline) -> None:
    response = await offline.client.post("/API/V1.0/loyaltyvault/account/a-B/transaction", content=OMS, headers=JSON)
    assert response.status_code == 200
    assert offline.commands[0].request_hash_parts[1] == "a-B"


async def test_requests_get_503_until_the_servers_are_connected(
    offline: Offline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        offline.edge.bus, "execute", lambda command, view=None: Bus.execute(offline.edge.bus, command, view)
    )
    operation = Operation("points", 3, new_id(), 1)
    responses = [
        await offline.client.post(PATH, content=OMS, headers=JSON),
        await offline.client.get("/v1/accounts/A-1"),
        await offline.client.get(f"/operations/{operation}"),
    ]
    for response in responses:
        assert problem(response)["code"] == "unavailable"
        assert response.headers["retry-after"] == "1"
    assert (await offline.client.get("/health/live")).status_code == 200
    ready = await offline.client.get("/health/ready")
    assert ready.status_code == 503
    assert "edge:views: not joined yet" in ready.text


SOME_ID = "019ab001-0000-7000-8000-00000000000a"


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "points.3.x.1",
        f"vouchers.3.{SOME_ID}.1",
        f"points.12.{SOME_ID}.1",
        f"points.-1.{SOME_ID}.1",
        f"points.3.{SOME_ID}.{'9' * 16}",
        f"points.3.{SOME_ID.upper()}.1",
        f"points.²3.{SOME_ID}.1",
    ],
)
async def test_malformed_operation_ids_are_unknown(offline: Offline, text: str) -> None:
    for path in ("/operations/", "/v1/operations/"):
        assert problem(await offline.client.get(path + text))["code"] == "operation_unknown"


async def test_unexpected_errors_are_measured_and_reveal_nothing(
    offline: Offline, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> Any:
        raise RuntimeError("secret")

    monkeypatch.setattr(offline.edge.bus, "execute", broken)
    response = await offline.client.post(PATH, content=OMS, headers=JSON)
    assert problem(response)["code"] == "internal"
    assert "secret" not in response.text
    metrics = (await on_health_port(offline, "/metrics")).text
    template = "/api/v1.0/LoyaltyVault/Account/{accountNumber}/Transaction"
    assert f'fealty_http_request_seconds_count{{method="POST",route="{template}",status="500"}} 1.0' in metrics
    assert "A-1" not in metrics


async def test_unmatched_paths_share_one_metric_label(offline: Offline) -> None:
    await offline.client.request("GRAB", "/a")
    await offline.client.get("/b")
    metrics = (await on_health_port(offline, "/metrics")).text
    assert 'fealty_http_request_seconds_count{method="other",route="unmatched",status="404"}' in metrics
    assert 'fealty_http_request_seconds_count{method="GET",route="unmatched",status="404"}' in metrics


async def test_creating_the_application_connects_nothing(offline: Offline) -> None:
    assert isinstance(offline.edge, Edge)
    assert offline.edge.broker.running is False


async def test_a_failed_part_ends_the_process_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: Edge) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(Edge, "_connect", broken)
    monkeypatch.setattr(main, "configure_logs", lambda *_: None)
    assert await asyncio.wait_for(main.serve(Settings(kafka="127.0.0.1:1", mongodb="mongodb://127.0.0.1:1")), 30) == 1

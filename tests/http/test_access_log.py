"""The access log: one line per request, with ids of client and command."""

from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from tests.http.conftest import Offline, a_client

ADJUSTMENTS = "/v1/accounts/{accountNumber}/adjustments"
PERSONAL = "6299000000000000017"


@pytest.fixture
def logged() -> Any:
    """The log lines, with the request's log context."""
    before, capture = structlog.get_config()["processors"], LogCapture()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, capture])
    yield capture.entries
    structlog.configure(processors=before)


async def test_access_log_lines_have_ids_of_client_and_command(offline: Offline, logged: list[dict[str, Any]]) -> None:
    client = a_client(store="shoes")
    offline.client.headers["Authorization"] = f"Bearer {offline.token(client)}"
    body = {"programme": "P", "value": 1, "reason": "because"}
    done = await offline.client.post(f"/v1/accounts/{PERSONAL}/adjustments", json=body)
    assert done.status_code == 200
    (line,) = [each for each in logged if each["event"] == "request"]
    assert line.pop("ms") >= 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "POST",
        "route": ADJUSTMENTS,
        "status": 200,
        "actor": f"client:{client.id}",
        "store": "shoes",
    }
    assert PERSONAL not in str(logged)


async def test_refused_clients_are_logged_and_not_in_the_next_line(
    offline: Offline, logged: list[dict[str, Any]]
) -> None:
    client = a_client("api_crm")
    headers = {"Authorization": f"Bearer {offline.token(client)}"}
    assert (await offline.client.get("/v1/accounts/1", headers=headers)).status_code == 403
    assert (await offline.client.get("/v1/accounts/1", headers={"Authorization": "Bearer x"})).status_code == 401
    await offline.client.get("/health/live")
    lines = [(each["status"], each.get("actor")) for each in logged if each["event"] == "request"]
    assert lines == [(403, f"client:{client.id}"), (401, None)], "probes have no line"

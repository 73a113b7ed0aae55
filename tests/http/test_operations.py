"""Operation ids: valid for the client that sent the command, and for administrators of its store."""

import httpx
import pytest
from starlette.responses import Response

from services.edge.auth.tokens import Caller
from services.edge.bus.commands import Bus
from services.edge.bus.operations import Operations
from services.edge.http import answers
from shared.clock import now_ms
from shared.ids import keyed_command_id, new_id
from shared.runtime.requests import Operation, OutcomeUnknown
from shared.settings import Settings
from tests.http.conftest import Offline, a_client
from tests.http.test_access import bearer
from tests.http.test_bodies import JSON, OMS, PATH, problem


class Sent:
    """A command without a reply."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation

    async def reply(self, _: int) -> None:
        """None."""


@pytest.fixture
def polled(offline: Offline, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that were polled; none has an outcome."""
    commands: list[str] = []
    bus = offline.edge.bus

    async def send(request: object) -> Sent:
        return Sent(Operation("points", 3, request.command_id, now_ms()))  # type: ignore[attr-defined]

    async def poll(operation: Operation, store: str) -> Sent:
        commands.append(f"{store} {operation.command_id}")
        return Sent(operation)

    monkeypatch.setattr(bus, "execute", lambda command, result_view=None: Bus.execute(bus, command, result_view))
    monkeypatch.setattr(bus, "_started", True)
    monkeypatch.setattr(bus._requester, "send", send)
    monkeypatch.setattr(bus._requester, "poll", poll)
    return commands


async def test_only_the_sending_client_and_administrators_can_poll_an_operation(
    offline: Offline, polled: list[str]
) -> None:
    sender = bearer(offline.token(client := a_client("api_loyalty")))
    sent = await offline.client.post(PATH, content=OMS, headers={**JSON, **sender, "Idempotency-Key": "k"})
    assert sent.status_code == 202
    location, command = sent.headers["location"], sent.json()["commandId"]
    assert location == f"/operations/{sent.json()['operationId']}"

    async def poll(path: str, **claims: object) -> httpx.Response:
        scopes = claims.pop("scopes", ("api_loyalty", "api_crm", "api_void", "api_switch"))
        token = offline.token(a_client(*scopes, **claims))  # type: ignore[misc]
        return await offline.client.get(path, headers=bearer(token))

    again = await offline.client.get(location, headers=sender)
    assert (again.status_code, again.json()) == (202, sent.json())
    assert (await poll(location, scopes=("api_admin",))).json() == sent.json()
    assert (await poll("/v1" + location, scopes=("api_admin",))).json() == sent.json()
    assert polled == [f"default {command}"] * 3

    other = await poll(location)
    assert (other.status_code, problem(other)["code"]) == (404, "operation_unknown")
    elsewhere = await poll(location, id=client.id, store="other")
    assert problem(elsewhere)["code"] == "operation_unknown"
    assert polled == [f"default {command}"] * 3, "another client's request polled the service"


async def test_forged_operation_ids_are_unknown(offline: Offline, polled: list[str]) -> None:
    victim, curious = a_client("api_loyalty"), bearer(offline.token(a_client("api_loyalty")))
    computed = Operation("points", 3, keyed_command_id("default", victim.id, "order-1"), now_ms())
    for text in (f"{computed}", f"{computed}.{'0' * 32}", f"{computed}.", f"{computed}.{'é' * 32}"):
        assert problem(await offline.client.get(f"/operations/{text}", headers=curious))["code"] == "operation_unknown"
    assert polled == []


async def test_a_504_has_an_operation_that_the_caller_can_poll(
    offline: Offline, polled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(request: object) -> Response:
        raise OutcomeUnknown(Operation("points", 3, request.command_id, now_ms()))  # type: ignore[attr-defined]

    monkeypatch.setattr(offline.edge.bus._requester, "send", lost)
    sender = bearer(offline.token(a_client("api_loyalty")))
    unknown = await offline.client.post(PATH, content=OMS, headers={**JSON, **sender})
    assert (unknown.status_code, problem(unknown)["code"]) == (504, "outcome_unknown")
    location = unknown.headers["location"]
    assert location == answers.location(problem(unknown)["operationId"])
    assert (await offline.client.get(location, headers=sender)).status_code == 202
    assert len(polled) == 1


def test_changed_operation_ids_are_refused() -> None:
    operations, operation = Operations(Settings()), Operation("points", 3, new_id(), 1_795_341_600_000)
    caller = Caller("c", "s", frozenset())
    id_ = operations.id_of(operation, caller)
    assert operations.read(id_, caller) == operation
    others = (
        Operations(Settings(secret="another-secret-than-this")).id_of(operation, caller),
        id_.replace("points", "voucher"),
        id_.replace("points.3", "points.4"),
        id_.replace(".1795341600000", ".1795341600001"),
    )
    for other in others:
        with pytest.raises(Exception, match="No operation of this client"):
            operations.read(other, caller)

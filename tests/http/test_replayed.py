"""`Idempotency-Replayed` is on the outcome of an earlier request with the same key, and on nothing else."""

from dataclasses import dataclass
from typing import Any

import pytest

from schemas.replies import Reply, Status
from services.edge.http.headers import REPLAYED
from shared.ids import new_id
from shared.runtime.requests import Operation, Request
from tests.http.conftest import Offline
from tests.http.declared import DOCUMENT
from tests.http.test_bodies import JSON, OMS

PATH = "/api/v1.0/LoyaltyVault/Account/A-1/Transaction"
ACCEPTED: dict[str, Any] = {"status": Status.ACCEPTED, "result": {"transactionId": "t", "balances": []}}
REFUSED: dict[str, Any] = {"status": Status.REJECTED, "code": "insufficient_points", "detail": "d", "pointer": None}


@dataclass
class FakeRequester:
    """A fake of the requester and of what it sent; every reply is `next_reply`."""

    operation: Operation
    next_reply: Reply | None = None

    async def send(self, _: Request) -> "FakeRequester":
        """As the requester's."""
        return self

    async def poll(self, _operation: Operation, _store: str) -> "FakeRequester":
        """As the requester's."""
        return self

    async def reply(self, _wait_ms: int) -> Reply | None:
        """As that of a command that was sent."""
        return self.next_reply


@pytest.fixture
def requester(offline: Offline, monkeypatch: pytest.MonkeyPatch) -> FakeRequester:
    """The fake requester, under the edge's real bus."""
    found = FakeRequester(Operation("points", 3, new_id(), 1_795_341_600_000))

    async def apply(*_: Any) -> bool:
        return True

    monkeypatch.delattr(offline.edge.bus, "execute")
    monkeypatch.setattr(offline.edge.bus, "_requester", found)
    monkeypatch.setattr(offline.edge.bus, "_started", True)
    monkeypatch.setattr(offline.edge.views, "apply", apply)
    return found


@pytest.mark.parametrize("replayed", [False, True])
@pytest.mark.parametrize(("outcome", "status"), [(ACCEPTED, 200), (REFUSED, 409)])
async def test_only_a_replayed_outcome_has_the_header(
    offline: Offline, requester: FakeRequester, outcome: dict[str, Any], status: int, replayed: bool
) -> None:
    requester.next_reply = Reply(command_id=requester.operation.command_id, replayed=replayed, **outcome)
    response = await offline.client.post(PATH, content=OMS, headers={**JSON, "Idempotency-Key": "k"})
    assert (response.status_code, response.headers.get(REPLAYED)) == (status, "true" if replayed else None)


@pytest.mark.parametrize("next_reply", [None, Reply(command_id="c", status=Status.PENDING)])
async def test_a_pending_response_has_no_header(
    offline: Offline, requester: FakeRequester, next_reply: Reply | None
) -> None:
    requester.next_reply = next_reply
    response = await offline.client.post(PATH, content=OMS, headers={**JSON, "Idempotency-Key": "k"})
    assert (response.status_code, response.headers.get(REPLAYED)) == (202, None)


def test_the_header_is_declared_for_operations_with_an_idempotency_key() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            keyed = any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", ()))
            declaring = {
                code for code, response in operation["responses"].items() if REPLAYED in response.get("headers", {})
            }
            assert ("200" in declaring) == keyed, path
            assert not declaring & {"202", "400", "401", "403", "500", "503", "504"}, path

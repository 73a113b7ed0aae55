"""How much one client, and one address, may ask for; and that wrong secrets never lock the right one out."""

import asyncio

import httpx
import pytest

from services.edge.auth import rates
from services.edge.auth.clients import Client
from services.edge.auth.rates import BURST_S, Rates
from services.edge.auth.throttle import TRIES_MAX
from tests.http.conftest import Offline, a_client
from tests.http.test_access import ACCOUNT, bearer
from tests.http.test_bodies import JSON, OMS, PATH, problem
from tests.unit.test_tokens import Clock

GRANT = {"grant_type": "client_credentials"}
PER_S = 50


@pytest.fixture
def clock(offline: Offline, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock for the rates, which are 50 a second for clients and 5 for strangers."""
    clock = Clock()
    monkeypatch.setattr(rates, "monotonic_s", clock)
    monkeypatch.setattr(offline.edge.access, "rates", Rates(PER_S))
    monkeypatch.setattr(offline.edge.access, "strangers", Rates(PER_S // 10))
    return clock


async def post(offline: Offline, token: str) -> httpx.Response:
    return await offline.client.post(PATH, content=OMS, headers={**JSON, **bearer(token)})


async def test_a_client_has_a_rate_of_its_own(offline: Offline, clock: Clock) -> None:
    client, other = a_client(), offline.token(a_client())
    tokens = [offline.token(client), offline.token(client)]
    most = int(PER_S * BURST_S)
    assert {(await post(offline, tokens[number % 2])).status_code for number in range(most)} == {200}
    refused = await post(offline, tokens[0])
    assert (refused.status_code, problem(refused)["code"]) == (429, "too_many_requests")
    assert refused.headers["retry-after"] == "1"
    assert (await post(offline, other)).status_code == 200
    assert len(offline.commands) == most + 1, "what is refused is not sent"
    clock.now_s += 1.0
    statuses = [(await post(offline, tokens[0])).status_code for _ in range(PER_S + 1)]
    assert statuses == [200] * PER_S + [429]


async def test_strangers_have_less_and_take_nothing_from_those_with_a_token(offline: Offline, clock: Clock) -> None:
    most = int(PER_S // 10 * BURST_S)
    anonymous = {"Authorization": ""}
    statuses = [(await offline.client.get(ACCOUNT, headers=anonymous)).status_code for _ in range(most + 2)]
    assert statuses == [401] * most + [429] * 2
    assert (await offline.client.get("/openapi.json")).status_code == 429
    assert (await post(offline, offline.token(a_client()))).status_code == 200
    assert (await offline.client.get("/health/live")).status_code == 200
    clock.now_s += 1.0
    assert (await offline.client.get("/openapi.json")).status_code == 200


def test_what_is_counted_is_bounded() -> None:
    counted = Rates(1)
    for number in range(12_000):
        counted.take(f"{number}")
    assert len(counted._due_s) == 10_000


async def ask(offline: Offline, client: str, secret: str) -> httpx.Response:
    return await offline.client.post("/oauth/token", data={**GRANT, "client_id": client, "client_secret": secret})


@pytest.fixture
async def client_id(offline: Offline) -> str:
    """A client whose secret is `s`; nobody else is sent along."""
    del offline.client.headers["Authorization"]
    client = a_client()
    offline.fake_credentials.by_id[client.id] = client
    return client.id


async def test_tries_that_come_at_once_all_count(
    offline: Offline, client_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = offline.fake_credentials.client

    async def slowly(id_: str) -> Client | None:
        await asyncio.sleep(0.05)
        return await found(id_)

    monkeypatch.setattr(offline.fake_credentials, "client", slowly)
    offline.fake_credentials.reads.clear()
    answers = await asyncio.gather(*(ask(offline, client_id, f"wrong {number}") for number in range(300)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [401] * TRIES_MAX + [429] * (300 - TRIES_MAX)
    assert len(offline.fake_credentials.reads) <= TRIES_MAX + 1, "the others did not reach the database"


async def test_wrong_secrets_do_not_lock_the_right_one_out(offline: Offline, client_id: str) -> None:
    for _ in range(TRIES_MAX):
        assert (await ask(offline, client_id, "wrong")).status_code == 401
    held = await ask(offline, client_id, "wrong")
    assert (held.status_code, held.json()["error"]) == (429, "invalid_client")
    assert 55 <= int(held.headers["retry-after"]) <= 60
    assert (await ask(offline, client_id, "s")).status_code == 200
    assert (await ask(offline, client_id, "wrong")).status_code == 401, "a success ends the row"


async def test_a_client_may_not_ask_for_tokens_without_end(offline: Offline, client_id: str, clock: Clock) -> None:
    statuses = [(await ask(offline, client_id, "s")).status_code for _ in range(int(PER_S * BURST_S) + 1)]
    assert statuses == [200] * int(PER_S * BURST_S) + [429]

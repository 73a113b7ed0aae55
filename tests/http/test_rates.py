"""Rate limits of clients and addresses, and the throttling of wrong secrets."""

import asyncio

import httpx
import pytest

from services.edge.auth import rates
from services.edge.auth.clients import Client
from services.edge.auth.rates import BURST_S, RateLimiter
from services.edge.auth.throttle import ATTEMPTS_MAX
from tests.http.conftest import Offline, a_client
from tests.http.test_access import ACCOUNT, bearer
from tests.http.test_bodies import JSON, OMS, PATH, problem
from tests.unit.test_tokens import Clock

GRANT = {"grant_type": "client_credentials"}
PER_S = 50


@pytest.fixture
def clock(offline: Offline, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock for the rate limits, which are 50 a second for clients and 5 for unauthenticated requests."""
    clock = Clock()
    monkeypatch.setattr(rates, "monotonic_s", clock)
    monkeypatch.setattr(offline.edge.access, "client_rates", RateLimiter(PER_S))
    monkeypatch.setattr(offline.edge.access, "anonymous_rates", RateLimiter(PER_S // 10))
    return clock


async def post(offline: Offline, token: str) -> httpx.Response:
    return await offline.client.post(PATH, content=OMS, headers={**JSON, **bearer(token)})


async def test_requests_are_limited_per_client(offline: Offline, clock: Clock) -> None:
    client, other = a_client(), offline.token(a_client())
    tokens = [offline.token(client), offline.token(client)]
    burst = int(PER_S * BURST_S)
    assert {(await post(offline, tokens[number % 2])).status_code for number in range(burst)} == {200}
    refused = await post(offline, tokens[0])
    assert (refused.status_code, problem(refused)["code"]) == (429, "too_many_requests")
    assert refused.headers["retry-after"] == "1"
    assert (await post(offline, other)).status_code == 200
    assert len(offline.commands) == burst + 1, "a refused request sent its command"
    clock.now_s += 1.0
    statuses = [(await post(offline, tokens[0])).status_code for _ in range(PER_S + 1)]
    assert statuses == [200] * PER_S + [429]


async def test_unauthenticated_requests_have_a_lower_limit_of_their_own(offline: Offline, clock: Clock) -> None:
    burst = int(PER_S // 10 * BURST_S)
    anonymous = {"Authorization": ""}
    statuses = [(await offline.client.get(ACCOUNT, headers=anonymous)).status_code for _ in range(burst + 2)]
    assert statuses == [401] * burst + [429] * 2
    assert (await offline.client.get("/openapi.json")).status_code == 429
    assert (await post(offline, offline.token(a_client()))).status_code == 200
    assert (await offline.client.get("/health/live")).status_code == 200
    clock.now_s += 1.0
    assert (await offline.client.get("/openapi.json")).status_code == 200


def test_rate_limiters_remember_a_bounded_number_of_callers() -> None:
    limiter = RateLimiter(1)
    for number in range(12_000):
        limiter.take(f"{number}")
    assert len(limiter._due_s) == 10_000


async def request_token(offline: Offline, client: str, secret: str) -> httpx.Response:
    return await offline.client.post("/oauth/token", data={**GRANT, "client_id": client, "client_secret": secret})


@pytest.fixture
async def client_id(offline: Offline) -> str:
    """A client whose secret is `s`; the HTTP client sends no token."""
    del offline.client.headers["Authorization"]
    client = a_client()
    offline.fake_credentials.by_id[client.id] = client
    return client.id


async def test_concurrent_attempts_all_count(offline: Offline, client_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = offline.fake_credentials.client

    async def slowly(id_: str) -> Client | None:
        await asyncio.sleep(0.05)
        return await found(id_)

    monkeypatch.setattr(offline.fake_credentials, "client", slowly)
    offline.fake_credentials.reads.clear()
    answers = await asyncio.gather(*(request_token(offline, client_id, f"wrong {number}") for number in range(300)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [401] * ATTEMPTS_MAX + [429] * (300 - ATTEMPTS_MAX)
    assert len(offline.fake_credentials.reads) <= ATTEMPTS_MAX + 1, "throttled attempts read the database"


async def test_wrong_secrets_do_not_lock_out_the_right_one(offline: Offline, client_id: str) -> None:
    for _ in range(ATTEMPTS_MAX):
        assert (await request_token(offline, client_id, "wrong")).status_code == 401
    throttled = await request_token(offline, client_id, "wrong")
    assert (throttled.status_code, throttled.json()["error"]) == (429, "invalid_client")
    assert 55 <= int(throttled.headers["retry-after"]) <= 60
    assert (await request_token(offline, client_id, "s")).status_code == 200
    assert (await request_token(offline, client_id, "wrong")).status_code == 401, "a success resets the attempts"


async def test_token_requests_count_against_the_client_limit(offline: Offline, client_id: str, clock: Clock) -> None:
    statuses = [(await request_token(offline, client_id, "s")).status_code for _ in range(int(PER_S * BURST_S) + 1)]
    assert statuses == [200] * int(PER_S * BURST_S) + [429]

"""What every answer has in its head, HEAD itself, and what is told at which port."""

import httpx
import pytest

from services.edge.http import health
from shared.runtime.http import serving_aside
from shared.settings import Settings
from tests.harness import free_port
from tests.http.conftest import Offline
from tests.http.test_access import calls
from tests.http.test_bodies import JSON, OMS, PATH, problem
from tests.http.test_openapi import OPERATIONS

CACHED = ("/docs", "/openapi.json")


async def on_health_port(offline: Offline, path: str) -> httpx.Response:
    """What the port for the house answers."""
    transport = httpx.ASGITransport(health.internal_application(offline.edge))
    async with httpx.AsyncClient(transport=transport, base_url="http://house") as client:
        return await client.get(path)


async def test_no_answer_is_kept_or_guessed_at(offline: Offline) -> None:
    """Asked of each route with each method, and of paths and methods that there are none of."""
    asked = [(method, path) for method, path, _ in calls(offline)]
    for method, path in [*asked, ("GET", "/nowhere"), ("GRAB", "/v1/accounts/x")]:
        response = await offline.client.request(method, path)
        assert response.headers.get_list("x-content-type-options") == ["nosniff"], path
        kept = response.headers.get_list("cache-control")
        assert len(kept) == 1, path
        assert (kept == ["no-store"]) == (not path.startswith(CACHED)), path


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/nowhere"])
async def test_nothing_at_the_health_port_is_guessed_at(offline: Offline, path: str) -> None:
    response = await on_health_port(offline, path)
    assert response.headers.get_list("x-content-type-options") == ["nosniff"]


async def test_an_answer_with_a_result_is_not_kept(offline: Offline) -> None:
    response = await offline.client.post(PATH, content=OMS, headers=JSON)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", sorted({path for path, method, _ in OPERATIONS if method == "get"}))
async def test_head_is_get_without_the_body(offline: Offline, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    get = await offline.client.get(path)
    head = await offline.client.head(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers == get.headers
    assert int(head.headers["content-length"]) == len(get.content) > 0


async def test_head_is_measured_as_such_and_refused_where_there_is_no_get(offline: Offline) -> None:
    refused = await offline.client.head(PATH)
    assert (refused.status_code, refused.headers["allow"], refused.content) == (405, "POST", b"")
    await offline.client.head("/health/live")
    metrics = (await on_health_port(offline, "/metrics")).text
    assert 'fealty_http_request_seconds_count{method="HEAD",route="/health/live",status="200"}' in metrics


async def test_allow_names_the_methods_that_a_path_has(offline: Offline) -> None:
    """Asked: what is named is never 405, whatever else it is, and what is not named always is."""
    methods = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    for path in {path for _, path, _ in calls(offline)}:
        refused = await offline.client.request("GRAB", path)
        assert problem(refused)["code"] == "method_not_allowed"
        served = [each for each in methods if (await offline.client.request(each, path)).status_code != 405]
        assert refused.headers["allow"] == ", ".join(sorted(served)), path
    several = await offline.client.request("GRAB", "/v1/accounts/x/tiers/y")
    assert several.headers["allow"] == "DELETE, PUT"


async def test_metrics_are_for_the_house(offline: Offline) -> None:
    assert problem(await offline.client.get("/metrics"))["code"] == "not_found"
    assert "fealty_http_request_seconds" in (await on_health_port(offline, "/metrics")).text
    assert (await on_health_port(offline, "/health/live")).text == "ok\n"
    for path in ("/health/ready", "/health/live"):
        house, public = await on_health_port(offline, path), await offline.client.get(path)
        assert (house.status_code, house.text) == (public.status_code, public.text)
    assert (await on_health_port(offline, PATH)).status_code == 404


async def test_the_health_port_is_served_beside_another_server(offline: Offline) -> None:
    port = free_port()
    async with (
        serving_aside(health.internal_application(offline.edge), Settings(), port),
        httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=3), base_url=f"http://127.0.0.1:{port}") as client,
    ):
        assert (await client.get("/health/live")).status_code == 200
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{port}/health/live")

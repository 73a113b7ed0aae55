"""Headers of every response, HEAD requests, and the internal port."""

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
    """The response at the internal port."""
    transport = httpx.ASGITransport(health.internal_application(offline.edge))
    async with httpx.AsyncClient(transport=transport, base_url="http://house") as client:
        return await client.get(path)


async def test_responses_forbid_caching_and_sniffing(offline: Offline) -> None:
    """Checked for each route with each method, and for unknown paths and methods."""
    known = [(method, path) for method, path, _ in calls(offline)]
    for method, path in [*known, ("GET", "/nowhere"), ("GRAB", "/v1/accounts/x")]:
        response = await offline.client.request(method, path)
        assert response.headers.get_list("x-content-type-options") == ["nosniff"], path
        caching = response.headers.get_list("cache-control")
        assert len(caching) == 1, path
        assert (caching == ["no-store"]) == (not path.startswith(CACHED)), path


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/nowhere"])
async def test_health_port_responses_forbid_sniffing(offline: Offline, path: str) -> None:
    response = await on_health_port(offline, path)
    assert response.headers.get_list("x-content-type-options") == ["nosniff"]


async def test_command_responses_forbid_caching(offline: Offline) -> None:
    response = await offline.client.post(PATH, content=OMS, headers=JSON)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", sorted({path for path, method, _ in OPERATIONS if method == "get"}))
async def test_head_responses_are_those_of_get_without_a_body(
    offline: Offline, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    get = await offline.client.get(path)
    head = await offline.client.head(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers == get.headers
    assert int(head.headers["content-length"]) == len(get.content) > 0


async def test_head_is_measured_and_refused_without_a_get(offline: Offline) -> None:
    refused = await offline.client.head(PATH)
    assert (refused.status_code, refused.headers["allow"], refused.content) == (405, "POST", b"")
    await offline.client.head("/health/live")
    metrics = (await on_health_port(offline, "/metrics")).text
    assert 'fealty_http_request_seconds_count{method="HEAD",route="/health/live",status="200"}' in metrics


async def test_allow_lists_all_methods_of_a_path(offline: Offline) -> None:
    """Checked by requests: methods listed in `Allow` never get 405, all others always do."""
    methods = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    for path in {path for _, path, _ in calls(offline)}:
        refused = await offline.client.request("GRAB", path)
        assert problem(refused)["code"] == "method_not_allowed"
        served = [each for each in methods if (await offline.client.request(each, path)).status_code != 405]
        assert refused.headers["allow"] == ", ".join(sorted(served)), path
    several = await offline.client.request("GRAB", "/v1/accounts/x/tiers/y")
    assert several.headers["allow"] == "DELETE, PUT"


async def test_metrics_are_served_at_the_internal_port_only(offline: Offline) -> None:
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

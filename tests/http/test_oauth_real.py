"""The token endpoint over a real database: RFC 6749's errors, wrong secrets, key rotation, disabled clients."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx
import jwt
import pytest

from services.edge import main
from services.edge.auth import access
from services.edge.auth.clients import Client, new_secret
from services.edge.auth.store import Credentials, credentials_of
from services.edge.auth.throttle import ATTEMPTS_MAX
from services.edge.edge import Edge
from shared.errors import Conflict
from tests.harness import Installation, eventually
from tests.http.caller import calling, load
from tests.http.test_openapi import schema
from tests.tokens import authorization

pytestmark = pytest.mark.real

GRANT = {"grant_type": "client_credentials"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SECRET = new_secret()
NOBODY = "/v1/accounts/nobody"


def basic(client: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{quote_plus(client)}:{quote_plus(secret)}'.encode()).decode()}"}


@dataclass
class TokenServer:
    """An edge in this process over a real database, an HTTP client for it, and an API client with two scopes."""

    edge: Edge
    http: httpx.AsyncClient
    credentials: Credentials
    client: Client

    async def post(self, form: Mapping[str, str] | bytes, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Send a token request, and check that the response forbids caching."""
        content = form if isinstance(form, bytes) else urlencode(form).encode()
        response = await self.http.post("/oauth/token", content=content, headers=FORM | dict(headers or {}))
        if response.status_code != 503:
            assert response.headers["cache-control"] == "no-store"
            schema("TokenAnswer" if response.status_code == 200 else "TokenError").validate(response.json())
        return response

    async def token(self, secret: str = SECRET) -> str:
        """A new token of the client."""
        response = await self.post(GRANT, basic(self.client.id, secret))
        assert response.status_code == 200, response.text
        return str(response.json()["access_token"])

    async def status(self, token: str) -> int:
        """The status of a request for an unknown account: 404 if the token is valid."""
        return (await self.http.get(NOBODY, headers={"Authorization": f"Bearer {token}"})).status_code

    async def refused(self, response: httpx.Response, status: int, error: str) -> None:
        assert (response.status_code, response.json()["error"]) == (status, error), response.text


@pytest.fixture
async def server(empty_installation: Installation) -> AsyncIterator[TokenServer]:
    """A token server that joins no consumer group."""
    edge = Edge(empty_installation.settings)
    await edge.views.start()
    await edge.access.start()
    transport = httpx.ASGITransport(main.application(edge), client=("192.0.2.1", 1))
    async with (
        credentials_of(empty_installation.settings) as credentials,
        httpx.AsyncClient(transport=transport, base_url="http://edge") as http,
    ):
        client = await credentials.add("till", ["api_loyalty", "api_admin"], "shoes", SECRET)
        yield TokenServer(edge, http, credentials, client)
    await edge.views.stop()


async def test_clients_authenticate_by_http_basic_or_by_form_fields(server: TokenServer) -> None:
    form = {**GRANT, "client_id": server.client.id, "client_secret": SECRET}
    for response in (
        await server.post(GRANT, basic(server.client.id, SECRET)),
        await server.post({**GRANT, "client_id": server.client.id, "unknown": "x"}, basic(server.client.id, SECRET)),
        await server.post(form, {"Content-Type": "Application/X-WWW-Form-URLEncoded; charset=UTF-8"}),
        await server.post({**form, "scope": ""}),
    ):
        assert response.status_code == 200, response.text
        document = response.json()
        assert (document["token_type"], document["expires_in"]) == ("Bearer", 3600)
        assert document["scope"] == "api_admin api_loyalty"
        claims = jwt.decode(document["access_token"], options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == 3600
        assert (claims["sub"], claims["store"], claims["scope"]) == (server.client.id, "shoes", "api_admin api_loyalty")
        assert await server.status(document["access_token"]) == 404


async def test_tokens_can_be_limited_to_some_scopes_of_the_client(server: TokenServer) -> None:
    good = basic(server.client.id, SECRET)
    narrow = await server.post({**GRANT, "scope": "api_loyalty"}, good)
    assert narrow.json()["scope"] == "api_loyalty"
    assert await server.status(narrow.json()["access_token"]) == 403
    both = await server.post({**GRANT, "scope": "api_loyalty api_admin"}, good)
    assert both.json()["scope"] == "api_admin api_loyalty"
    for scope in ("api_void", "api_loyalty api_void", "API_LOYALTY", " ", "api_loyalty  api_admin", "api_admin,x"):
        await server.refused(await server.post({**GRANT, "scope": scope}, good), 400, "invalid_scope")


async def test_malformed_token_requests_get_the_errors_of_rfc_6749(server: TokenServer) -> None:
    good, secret = basic(server.client.id, SECRET), {"client_secret": SECRET}
    requests: list[tuple[Any, dict[str, str], int, str]] = [
        ({}, good, 400, "invalid_request"),
        ({"grant_type": ""}, good, 400, "invalid_request"),
        ({"grant_type": "password"}, good, 400, "unsupported_grant_type"),
        (b"grant_type=client_credentials&grant_type=client_credentials", good, 400, "invalid_request"),
        (b"grant_type=client_credentials&x=%FF", good, 400, "invalid_request"),
        (b"grant_type=client_credentials&x=\xff", good, 400, "invalid_request"),
        (b"&".join(b"a%d=1" % number for number in range(30)), good, 400, "invalid_request"),
        ({**GRANT, "x": "y" * 10_000}, good, 400, "invalid_request"),
        (b'{"grant_type": "client_credentials"}', {**good, "Content-Type": "application/json"}, 400, "invalid_request"),
        ({**GRANT, **secret}, good, 400, "invalid_request"),
        ({**GRANT, "client_id": "another"}, good, 400, "invalid_request"),
        (GRANT, {}, 401, "invalid_client"),
        ({**GRANT, "client_id": server.client.id}, {}, 401, "invalid_client"),
        ({**GRANT, **secret}, {}, 401, "invalid_client"),
        (GRANT, {"Authorization": "Basic"}, 401, "invalid_client"),
        (GRANT, {"Authorization": "Basic !!!"}, 401, "invalid_client"),
        (GRANT, {"Authorization": "Basic /w=="}, 401, "invalid_client"),
        (GRANT, {"Authorization": "Basic YWJj"}, 401, "invalid_client"),
        (GRANT, {"Authorization": "Bearer x"}, 401, "invalid_client"),
    ]
    for form, headers, status, error in requests:
        response = await server.post(form, headers)
        await server.refused(response, status, error)
        assert (response.headers.get("www-authenticate") == 'Basic realm="fealty"') == (status == 401)
    assert (await server.http.get("/oauth/token")).status_code == 405
    query = f"?grant_type=client_credentials&client_id={server.client.id}&client_secret={SECRET}"
    assert (await server.http.post(f"/oauth/token{query}", headers=FORM)).json()["error"] == "invalid_client"


async def test_the_response_does_not_reveal_why_authentication_failed(server: TokenServer) -> None:
    await server.credentials.add("off", ["api_admin"], "shoes", SECRET)
    await server.credentials.disable("off", True)
    off = await server.credentials.named("off")
    assert off is not None
    answers = [
        await server.post(GRANT, basic(server.client.id, "wrong")),
        await server.post(GRANT, basic(server.client.id, SECRET + " ")),
        await server.post(GRANT, basic("nobody", SECRET)),
        await server.post(GRANT, basic("\x00", SECRET)),
        await server.post(GRANT, basic(off.id, SECRET)),
        await server.post(GRANT, basic("till", SECRET)),
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(401, answers[0].content)}


@pytest.mark.parametrize("known", [True, False])
async def test_repeated_wrong_secrets_are_throttled(server: TokenServer, known: bool) -> None:
    id_ = server.client.id if known else "nobody"
    for _ in range(ATTEMPTS_MAX):
        await server.refused(await server.post(GRANT, basic(id_, "wrong")), 401, "invalid_client")
    throttled = await server.post(GRANT, basic(id_, "wrong"))
    await server.refused(throttled, 429, "invalid_client")
    assert 55 <= int(throttled.headers["retry-after"]) <= 60
    other = server.http._transport
    assert isinstance(other, httpx.ASGITransport)
    other.client = ("192.0.2.2", 1)
    assert (await server.post(GRANT, basic(server.client.id, SECRET))).status_code == 200


async def test_a_successful_authentication_resets_the_attempts(server: TokenServer) -> None:
    for _ in range(3):
        for _ in range(ATTEMPTS_MAX - 1):
            await server.post(GRANT, basic(server.client.id, "wrong"))
        await server.token()


async def test_a_replaced_secret_is_refused_and_its_tokens_stay_valid(server: TokenServer) -> None:
    before, secret = await server.token(), new_secret()
    assert await server.credentials.replace_secret("till", secret)
    await server.refused(await server.post(GRANT, basic(server.client.id, SECRET)), 401, "invalid_client")
    assert await server.status(await server.token(secret)) == 404
    assert await server.status(before) == 404
    assert not await server.credentials.replace_secret("nobody", secret)


async def test_tokens_signed_before_a_key_rotation_stay_valid(server: TokenServer) -> None:
    before = await server.token()
    ring = await server.credentials.rotate()
    after = await server.token()
    assert jwt.get_unverified_header(after)["kid"] == ring.current.id != jwt.get_unverified_header(before)["kid"]
    assert await server.status(after) == await server.status(before) == 404


async def test_disabled_clients_are_refused(server: TokenServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for age in ("CLIENT_REFRESH_S", "CLIENT_STALE_S"):
        monkeypatch.setattr(access, age, 0.0)
    token = await server.token()
    assert await server.status(token) == 404
    await server.credentials.disable("till", True)
    assert await server.status(token) == 401
    await server.refused(await server.post(GRANT, basic(server.client.id, SECRET)), 401, "invalid_client")
    await server.credentials.disable("till", False)
    assert await server.status(token) == await server.status(await server.token()) == 404


async def test_the_last_use_of_a_client_is_recorded_to_the_minute(server: TokenServer) -> None:
    assert server.client.used_at is None
    await server.token()

    async def used() -> Client:
        found = await server.credentials.client(server.client.id)
        assert found is not None
        return found

    async def noted() -> bool:
        return (await used()).used_at is not None

    await eventually(noted, True, 5)
    first = await used()
    assert first.used_at is not None
    assert first.used_at >= server.client.created_at
    await server.token()
    await asyncio.sleep(0.5)
    assert await used() == first


async def test_concurrent_edges_create_one_first_key(empty_installation: Installation) -> None:
    edges = [Edge(empty_installation.settings) for _ in range(8)]
    try:
        await asyncio.gather(*(edge.views.start() for edge in edges))
        await asyncio.gather(*(edge.access.start() for edge in edges))
        rings = [edge.access._ring for edge in edges]
        assert rings[0] is not None
        assert rings == rings[:1] * 8
        assert await empty_installation.collection("edge", "signing_keys").count_documents({}) == 1
    finally:
        await asyncio.gather(*(edge.views.stop() for edge in edges))


async def test_concurrent_rotations_keep_all_keys(server: TokenServer) -> None:
    rings = await asyncio.gather(*(server.credentials.rotate() for _ in range(3)))
    found = await server.credentials.keys()
    assert {ring.current.id for ring in rings} <= {key.id for key in found.all}
    assert len(found.all) == 4
    assert sum(key.retired_at is None for key in found.all) == 1


async def test_client_names_are_unique(server: TokenServer) -> None:
    with pytest.raises(Conflict, match="till"):
        await server.credentials.add("till", ["api_loyalty"], "shoes", SECRET)
    added = await asyncio.gather(
        *(server.credentials.add("new", ["api_loyalty"], "shoes", SECRET) for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(each, Client) for each in added) == 1
    assert [client.name for client in await server.credentials.clients()] == ["new", "till"]


# ── between processes, with a worker ──────────────────────────────────────────────────────────────────────────────────


async def test_idempotency_keys_are_per_client_and_account_numbers_per_store(installation: Installation) -> None:
    """The same key of two clients means two requests; the same number in two stores means two accounts."""
    settings = installation.settings
    other = await authorization(settings, "other")
    elsewhere = await authorization(settings, "elsewhere", "shoes")
    async with installation.points(), calling(installation) as caller:
        assert (await caller.post("A-1", load(5), key="k")).status_code == 200
        mine = await caller.post("A-1", load(5), key="k")
        caller.client.headers.update(other)
        theirs = await caller.post("A-1", load(7), key="k")
        assert theirs.status_code == 200
        assert theirs.json()["transactionId"] != mine.json()["transactionId"]
        assert await caller.balance("A-1") == 12
        caller.client.headers.update(elsewhere)
        assert (await caller.account("A-1")).status_code == 404
        assert (await caller.post("A-1", load(7), key="k")).json()["code"] == "programme_unknown"
        entry = await installation.collection("points", "journal").find_one({"store": "shoes"})
        assert entry is not None
        assert entry["code"] == "programme_unknown"


async def test_tokens_signed_after_a_rotation_elsewhere_are_accepted(installation: Installation) -> None:
    settings = installation.settings
    async with installation.edge() as url, httpx.AsyncClient(base_url=url) as client:
        before = await authorization(settings)
        async with credentials_of(settings) as credentials:
            await credentials.rotate()
        after = await authorization(settings)

        async def status() -> set[int]:
            return {(await client.get(NOBODY, headers=headers)).status_code for headers in (before, after)}

        await eventually(status, {404}, 5)

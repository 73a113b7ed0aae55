"""Authentication and authorization: routes need a scope unless listed as public; tokens have scopes, store and life."""

import asyncio
import re

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.routing import Route

from services.edge.auth import access, tokens
from services.edge.auth.access import CLIENT_REFRESH_S, CLIENT_STALE_S, PUBLIC_ROUTES
from services.edge.auth.clients import SCOPES
from services.edge.auth.keys import SKEW_S, TOKEN_LIFE_S, new_key
from services.edge.auth.principals import scopes_of
from services.edge.auth.tokens import sign
from shared.clock import instant, now_ms
from shared.errors import Unavailable
from tests.http.conftest import Offline, a_client
from tests.http.declared import DOCUMENT
from tests.http.test_bodies import JSON, OMS, PATH, problem
from tests.unit.test_tokens import Clock

ACCOUNT = "/v1/accounts/A-1"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


# ── every route ───────────────────────────────────────────────────────────────────────────────────────────────────────


def calls(offline: Offline) -> list[tuple[str, str, Route | APIRoute]]:
    """A call of each route with each of its methods."""
    found = []
    for route in offline.app.routes:
        assert isinstance(route, Route | APIRoute), route
        path = re.sub(r"\{\w+\}", "x", route.path)
        found += [(method, path, route) for method in sorted(route.methods or ())]
    return found


async def test_every_route_needs_a_scope_or_is_listed_as_public(offline: Offline) -> None:
    """Checked by requests: without a token, with one that lacks the scope, and with one that has only it."""
    del offline.client.headers["Authorization"]
    seen = set()
    for method, path, route in calls(offline):
        scopes = scopes_of(route) if isinstance(route, APIRoute) else None
        seen.add(route.path)
        assert (scopes is None) == (route.path in PUBLIC_ROUTES), f"{route.path} has no scope and is not listed as open"
        if scopes is None:
            assert (await offline.client.request(method, path)).status_code not in (401, 403) or "oauth" in path, path
            continue
        nothing = await offline.client.request(method, path)
        assert (nothing.status_code, problem(nothing)["code"]) == (401, "unauthenticated"), (method, path)
        others = [name for name in SCOPES if name not in scopes]
        lacking = await offline.client.request(method, path, headers=bearer(offline.token(a_client(*others))))
        assert (lacking.status_code == 403) == bool(scopes), (method, path)
        for scope in scopes or ("api_switch",):
            good = await offline.client.request(method, path, headers=bearer(offline.token(a_client(scope))))
            assert good.status_code not in (401, 403), (method, path, scope)
    assert seen >= PUBLIC_ROUTES
    sent = [command.type for command in offline.commands]
    assert sent == ["customer.anonymise.v1"], "only the command without a body is sent, once, with its scope"


SCOPE_OF = {"LoyaltyVault": "api_loyalty", "Crm": "api_crm", "giftcard": "api_switch"}


def test_the_scopes_of_each_family(offline: Offline) -> None:
    for _, path, route in calls(offline):
        scopes = scopes_of(route) if isinstance(route, APIRoute) else None
        if path.endswith("/reversals"):
            assert scopes == ("api_reverse", "api_admin")
        elif "/transactions" in path and path.startswith("/v1/accounts/"):
            assert scopes == ("api_loyalty",)
        elif path.startswith("/v1/"):
            assert scopes == ("api_admin",)
        else:
            scope = next((SCOPE_OF[name] for name in SCOPE_OF if f"/{name}/" in path), None)
            assert scopes in ((None, ()) if scope is None else ((scope,),))


def test_the_openapi_document_declares_the_scopes_that_are_checked(offline: Offline) -> None:
    (flow,) = DOCUMENT["components"]["securitySchemes"]["oauth2"]["flows"].items()
    assert flow == ("clientCredentials", {"tokenUrl": "/oauth/token", "scopes": dict(SCOPES)})
    for method, _, route in calls(offline):
        if isinstance(route, APIRoute) and route.include_in_schema:
            operation, scopes = DOCUMENT["paths"][route.path][method.lower()], scopes_of(route)
            expected = None if scopes is None else [{"oauth2": [scope]} for scope in scopes] or [{"oauth2": []}]
            assert operation.get("security") == expected
            assert ("401" in operation["responses"]) == (scopes is not None or route.path == "/oauth/token")
            assert ("403" in operation["responses"]) == bool(scopes)


# ── the header ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic Yzpz", "Digest x", "{token}", "Bearer\t{token}"])
async def test_requests_without_a_bearer_token_are_refused(offline: Offline, header: str) -> None:
    token = offline.token(a_client())
    response = await offline.client.get(ACCOUNT, headers={"Authorization": header.format(token=token)})
    assert problem(response)["code"] == "unauthenticated"
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="fealty"'


async def test_requests_with_two_tokens_are_refused(offline: Offline) -> None:
    headers = [("Authorization", f"Bearer {offline.token(a_client())}")] * 2
    offline.client.headers.pop("Authorization")
    assert problem(await offline.client.get(ACCOUNT, headers=headers))["code"] == "unauthenticated"


async def test_the_authentication_scheme_is_case_insensitive(offline: Offline) -> None:
    headers = {"Authorization": f"bEARER  {offline.token(a_client())}"}
    assert (await offline.client.post(PATH, content=OMS, headers={**JSON, **headers})).status_code == 200


async def test_the_missing_scope_is_named(offline: Offline) -> None:
    response = await offline.client.get(ACCOUNT, headers=bearer(offline.token(a_client("api_loyalty"))))
    assert problem(response)["code"] == "insufficient_scope"
    header = response.headers["www-authenticate"]
    assert header == 'Bearer realm="fealty", error="insufficient_scope", scope="api_admin"'


async def test_expired_and_forged_tokens_are_refused(offline: Offline) -> None:
    client = a_client()
    for token, code in (
        (offline.token(client, signed_at_s=now_ms() // 1000 - 2 * TOKEN_LIFE_S), "token_expired"),
        (sign(client, client.scopes, new_key(), offline.edge.access.issuer, now_ms() // 1000), "token_invalid"),
        (
            sign(client, client.scopes, offline.fake_credentials.ring.current, "somebody", now_ms() // 1000),
            "token_invalid",
        ),
        ("x" * 5_000, "token_invalid"),
    ):
        response = await offline.client.get(ACCOUNT, headers=bearer(token))
        assert (response.status_code, problem(response)["code"]) == (401, code)
        assert 'error="invalid_token"' in response.headers["www-authenticate"]


# ── the store and the client of a token ───────────────────────────────────────────────────────────────────────────────


async def test_commands_carry_the_store_and_the_client_of_the_token(offline: Offline) -> None:
    client = a_client(store="shoes")
    headers = {**JSON, **bearer(offline.token(client)), "Idempotency-Key": "k"}
    await offline.client.post(PATH, content=OMS, headers=headers)
    await offline.client.post(f"{ACCOUNT}/replacements", content=b'{"newNumber": "A-2"}', headers=headers)
    assert [(command.caller.client, command.caller.store) for command in offline.commands] == [(client.id, "shoes")] * 2
    assert len({command.subject for command in offline.commands}) == 1
    await offline.client.post(PATH, content=OMS, headers=JSON)
    assert offline.commands[2].subject != offline.commands[0].subject


# ── caching of tokens, clients and keys ───────────────────────────────────────────────────────────────────────────────


async def get(offline: Offline, token: str) -> str:
    """The code of the problem; empty if the token was accepted."""
    response = await offline.client.post(PATH, content=OMS, headers={**JSON, **bearer(token)})
    return "" if response.status_code == 200 else str(problem(response)["code"])


async def test_tokens_are_decoded_once(offline: Offline, monkeypatch: pytest.MonkeyPatch) -> None:
    token = offline.token(a_client())
    assert await get(offline, token) == ""
    monkeypatch.setattr(tokens, "verify", None)
    reads = [*offline.fake_credentials.reads]
    assert [await get(offline, token) for _ in range(5)] == [""] * 5
    assert offline.fake_credentials.reads == reads


async def test_cached_tokens_expire(offline: Offline, monkeypatch: pytest.MonkeyPatch) -> None:
    signed_at_s = now_ms() // 1000
    token = offline.token(a_client(), signed_at_s=signed_at_s)
    assert await get(offline, token) == ""
    ends_ms = (signed_at_s + TOKEN_LIFE_S + SKEW_S) * 1000
    monkeypatch.setattr(access, "now_ms", lambda: ends_ms - 1)
    assert await get(offline, token) == ""
    monkeypatch.setattr(access, "now_ms", lambda: ends_ms)
    assert await get(offline, token) == "token_expired"


async def test_the_caches_are_bounded(offline: Offline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_TOKENS_MAX", 5)
    monkeypatch.setattr(access, "_CLIENTS_MAX", 3)
    made = [offline.token(a_client()) for _ in range(8)]
    for token in made:
        assert await get(offline, token) == ""
        assert await get(offline, made[0]) == ""
    assert len(offline.edge.access._verified) == 5
    assert made[0] in offline.edge.access._verified  # The least recently used one is dropped, not the oldest.
    assert len(offline.edge.access._clients) == 3


async def test_tokens_of_a_disabled_client_are_refused_within_a_minute(
    offline: Offline, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(access, "monotonic_s", clock)
    assert CLIENT_REFRESH_S < CLIENT_STALE_S <= 60
    client = a_client()
    token, idle = offline.token(client), offline.token(other := a_client())
    assert await get(offline, token) == await get(offline, idle) == ""
    offline.fake_credentials.by_id[client.id] = a_client(id=client.id, disabled=True)
    del offline.fake_credentials.by_id[other.id]
    clock.now_s += CLIENT_REFRESH_S - 1
    assert await get(offline, token) == ""
    clock.now_s += 1
    assert await get(offline, token) == ""  # The client is read again in the background.
    await asyncio.sleep(0)
    assert await get(offline, token) == "token_invalid"
    clock.now_s += CLIENT_STALE_S - CLIENT_REFRESH_S
    assert await get(offline, idle) == "token_invalid"
    offline.fake_credentials.by_id[client.id] = client
    clock.now_s += CLIENT_STALE_S
    assert await get(offline, token) == ""


async def test_concurrent_requests_share_one_read_of_their_client(
    offline: Offline, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slowly(id_: str) -> object:
        await asyncio.sleep(0.01)
        return await found(id_)

    found = offline.fake_credentials.client
    monkeypatch.setattr(offline.fake_credentials, "client", slowly)
    client = a_client()
    token = offline.token(client)
    assert await asyncio.gather(*(get(offline, token) for _ in range(200))) == [""] * 200
    assert offline.fake_credentials.reads.count(client.id) == 1


async def test_a_failed_read_of_a_client_fails_all_waiting_requests_and_is_retried(
    offline: Offline, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: str) -> None:
        await asyncio.sleep(0.01)
        raise Unavailable("away")

    token = offline.token(a_client())
    with monkeypatch.context() as at_first:
        at_first.setattr(offline.fake_credentials, "client", away)
        assert await asyncio.gather(*(get(offline, token) for _ in range(20))) == ["unavailable"] * 20
    assert await get(offline, token) == ""


async def test_cached_clients_are_accepted_for_a_minute_without_the_database(
    offline: Offline, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(access, "monotonic_s", clock)
    token = offline.token(a_client())
    assert await get(offline, token) == ""

    async def away(_: str) -> None:
        raise Unavailable("away")

    found = offline.fake_credentials.client
    monkeypatch.setattr(offline.fake_credentials, "client", away)
    for _ in range(2):
        clock.now_s += CLIENT_REFRESH_S
        assert await get(offline, token) == ""
        await asyncio.sleep(0)
    clock.now_s += CLIENT_REFRESH_S
    assert await get(offline, token) == "unavailable"
    monkeypatch.setattr(offline.fake_credentials, "client", found)
    assert await get(offline, token) == ""


async def test_a_token_with_an_unknown_key_makes_the_keys_be_read_again(offline: Offline) -> None:
    client = a_client()
    assert await get(offline, offline.token(client)) == ""
    before = offline.token(client)
    offline.fake_credentials.ring = offline.fake_credentials.ring.rotated(instant(now_ms()))
    assert await get(offline, offline.token(client)) == ""
    assert await get(offline, before) == ""
    assert offline.fake_credentials.reads.count("keys") == 2


async def test_unknown_keys_cause_at_most_one_read_a_second(offline: Offline) -> None:
    client = a_client()
    assert await get(offline, offline.token(client)) == ""
    made_up = [sign(client, (), new_key(), offline.edge.access.issuer, now_ms() // 1000) for _ in range(30)]
    ring = offline.fake_credentials.ring.rotated(instant(now_ms()))
    offline.fake_credentials.ring = ring
    codes = await asyncio.gather(*(get(offline, token) for token in made_up), get(offline, offline.token(client)))
    assert codes == ["token_invalid"] * 30 + [""]
    assert offline.fake_credentials.reads.count("keys") == 2


async def test_without_the_database_requests_get_503(offline: Offline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    response: httpx.Response = await offline.client.get(ACCOUNT)
    assert (response.status_code, problem(response)["code"]) == (503, "unavailable")
    assert response.headers["retry-after"] == "1"

"""Rules for every mounted operation, checked by requests, so that new operations are covered at once.

Requests without a token, without the scope, with unknown parameters and members, with wrong types, and with the
documented examples. test_other_stores_real.py checks the isolation of stores on real servers.
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import httpx
import orjson
import pytest

from schemas._registry import registry
from services.edge.auth.clients import SCOPES
from services.edge.http.problems import BODY_CODES, CODES
from tests.http.conftest import Offline, a_client
from tests.http.declared import DOCUMENT
from tests.http.test_access import bearer
from tests.http.test_bodies import JSON, problem
from tests.http.test_openapi import OPERATIONS, fits, schema

Steps = tuple[str | int, ...]


class Call(NamedTuple):
    """One operation with one example of its body, None when it has none."""

    method: str
    path: str
    operation: Mapping[str, Any]
    body: Any

    @property
    def query(self) -> dict[str, str]:
        """The parameters that it cannot do without."""
        required = (each for each in self.operation.get("parameters", ()) if each["in"] == "query" and each["required"])
        return {each["name"]: _value(each) for each in required}

    @property
    def scopes(self) -> list[str]:
        """Those of which it needs one; none when every client may call it."""
        return [scope for each in self.operation["security"] for scope in each["oauth2"]]

    async def send(self, client: httpx.AsyncClient, **more: Any) -> httpx.Response:
        """Call it; `more` replaces parts of the request."""
        parameters = {
            each["name"]: _value(each) for each in self.operation.get("parameters", ()) if each["in"] == "path"
        }
        path = re.sub(r"\{(\w+)\}", lambda found: parameters[found[1]], self.path)
        content = b"" if self.body is None else orjson.dumps(self.body)
        arguments: dict[str, Any] = {"content": content, "params": self.query, "headers": JSON, **more}
        return await client.request(self.method, path, **arguments)


def _value(parameter: Mapping[str, Any]) -> str:
    """An example of a parameter, or a text that any of them may be."""
    return next((str(each["value"]) for each in parameter.get("examples", {}).values()), "x")


def _examples(operation: Mapping[str, Any]) -> list[Any]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return [each["value"] for each in content.get("examples", {}).values()]


CLOSED = [(path, method, operation) for path, method, operation in OPERATIONS if "security" in operation]
CALLS = [
    pytest.param(Call(method, path, operation, body), id=f"{method} {path} {at}")
    for path, method, operation in CLOSED
    for at, body in enumerate(_examples(operation) or [None])
]
BODIES = [each for each in CALLS if each.values[0].body is not None]  # type: ignore[union-attr]
ONE_EACH = [each for each in CALLS if str(each.id).endswith(" 0")]


def refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem of a response: of this status and code, documented, in shape, and kept by no cache."""
    document = problem(response)
    assert (document["status"], document["code"]) == (status, code), response.text
    schema("ProblemDocument").validate(document)
    assert CODES[code] == (status, document["title"])
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    return document


def test_operations_are_found() -> None:
    assert len(ONE_EACH) == len(CLOSED) > 25
    assert len(BODIES) > len({each.values[0].path for each in BODIES}) > 10  # type: ignore[union-attr]


# ── who ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("call", ONE_EACH)
async def test_requests_without_a_token_are_refused(offline: Offline, call: Call) -> None:
    del offline.client.headers["Authorization"]
    response = await call.send(offline.client)
    refused(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"] == 'Bearer realm="fealty"'
    assert offline.commands == []


@pytest.mark.parametrize("call", ONE_EACH)
async def test_requests_without_the_scope_are_refused(offline: Offline, call: Call) -> None:
    others = [scope for scope in SCOPES if scope not in call.scopes]
    response = await call.send(offline.client, headers={**JSON, **bearer(offline.token(a_client(*others)))})
    if call.scopes:
        refused(response, 403, "insufficient_scope")
        assert f'scope="{call.scopes[0]}"' in response.headers["www-authenticate"]
        assert offline.commands == []
    else:
        assert response.status_code not in (401, 403)


# ── parameters ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("call", ONE_EACH)
async def test_unknown_query_parameters_are_refused(offline: Offline, call: Call) -> None:
    response = await call.send(offline.client, params={**call.query, "zzUnknown": "1"})
    assert refused(response, 400, "invalid_parameter")["parameter"] == "zzUnknown"
    assert offline.commands == []


@pytest.mark.parametrize("call", ONE_EACH)
async def test_repeated_query_parameters_are_refused(offline: Offline, call: Call) -> None:
    once = [each for each in call.operation.get("parameters", ()) if each["in"] == "query"]
    for parameter in once:
        if parameter["schema"].get("type") != "array":
            name = parameter["name"]
            params = [*(pair for pair in call.query.items() if pair[0] != name), (name, "1"), (name, "1")]
            response = await call.send(offline.client, params=params)
            assert refused(response, 400, "invalid_parameter")["parameter"] == name
    assert offline.commands == []


@pytest.mark.parametrize("call", ONE_EACH)
async def test_missing_query_parameters_are_refused(offline: Offline, call: Call) -> None:
    for name in call.query:
        response = await call.send(offline.client, params={})
        assert refused(response, 400, "invalid_parameter")["parameter"] == name


# ── bodies ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _objects(part: Any, at: Steps = ()) -> Iterator[Steps]:
    if isinstance(part, dict):
        yield at
        for name, each in part.items():
            yield from _objects(each, (*at, name))
    elif isinstance(part, list):
        for index, each in enumerate(part):
            yield from _objects(each, (*at, index))


def _members(part: Any, at: Steps = ()) -> Iterator[Steps]:
    if at:
        yield at
    for step, each in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        yield from _members(each, (*at, step))


def _put(body: Any, at: Steps, value: Any) -> Any:
    """A copy of the body with another value at a place."""
    changed = copy.deepcopy(body)
    inner = changed
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = value
    return changed


def _pointer(at: Steps) -> str:
    return "".join(f"/{step}" for step in at)


@pytest.mark.parametrize("call", BODIES)
async def test_unknown_members_are_refused_at_any_depth(offline: Offline, call: Call) -> None:
    for at in _objects(call.body):
        body = _put(call.body, (*at, "zzUnknown"), 1)
        document = refused(await call.send(offline.client, content=orjson.dumps(body)), 400, "unknown_field")
        assert document["pointer"].lower() == _pointer((*at, "zzUnknown")).lower()
    assert offline.commands == []


@pytest.mark.parametrize("call", BODIES)
async def test_members_of_another_type_are_refused(offline: Offline, call: Call) -> None:
    """No member may be an object where it is none, nor a number where it is an object, a list or a text."""
    for at in _members(call.body):
        was = call.body
        for step in at:
            was = was[step]
        other: Any = 5 if isinstance(was, dict | list | str) else {}
        response = await call.send(offline.client, content=orjson.dumps(_put(call.body, at, other)))
        document = problem(response)
        assert (document["status"], document["code"]) in ((400, "wrong_type"), (400, "invalid_value")), (at, document)
        assert document["pointer"].lower().startswith(_pointer(at).lower()), (at, document)
    assert offline.commands == []


@pytest.mark.parametrize("call", BODIES)
async def test_malformed_bodies_are_refused(offline: Offline, call: Call) -> None:
    given = (
        ("malformed_json", b"{", JSON),
        ("malformed_json", b"", JSON),
        ("not_an_object", b"[]", JSON),
        ("duplicate_key", b'{"a":1,"a":2}', JSON),
        ("body_too_large", b'{"a":"' + b"x" * 20_000 + b'"}', JSON),
        ("unsupported_media_type", orjson.dumps(call.body), {"content-type": "text/plain"}),
        ("unsupported_media_type", orjson.dumps(call.body), {**JSON, "content-encoding": "gzip"}),
    )
    for code, content, headers in given:
        refused(await call.send(offline.client, content=content, headers=headers), BODY_CODES[code][0], code)
    assert offline.commands == []


# ── what is documented works ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("call", CALLS)
async def test_documented_examples_are_accepted_with_all_members(offline: Offline, call: Call) -> None:
    """A read gets as far as the database that is not there; a command is sent, and its own service can read it."""
    response = await call.send(offline.client)
    if response.status_code != 200:
        refused(response, 503, "unavailable") if "operationId}" not in call.path else refused(
            response, 404, "operation_unknown"
        )
        return
    (sent_command,) = offline.commands
    command = orjson.loads(sent_command.value)
    registry()[sent_command.type].model.model_validate(command)
    sent_json = json.dumps(command).lower()
    for at in _members(call.body):
        value = call.body
        for step in at:
            value = value[step]
        if not isinstance(value, dict | list):
            assert _written(value) in sent_json, (at, value, sent_json)


def _written(value: Any) -> str:
    return json.dumps(value).lower().removesuffix('z"')


@pytest.mark.parametrize("call", CALLS)
def test_documented_bodies_fit_their_schemas(call: Call) -> None:
    if call.body is not None and "LoyaltyPrograms" not in call.body:  # That one is written in another case on purpose.
        fits(call.operation["requestBody"]["content"]["application/json"]["schema"], call.body)


@pytest.mark.parametrize("call", ONE_EACH)
async def test_invalid_idempotency_keys_are_refused(offline: Offline, call: Call) -> None:
    if any(each["name"] == "Idempotency-Key" for each in call.operation.get("parameters", ())):
        response = await call.send(offline.client, headers={**JSON, "Idempotency-Key": "a b"})
        refused(response, 400, "invalid_idempotency_key")
        assert offline.commands == []


def test_operations_document_their_problems() -> None:
    for path, method, operation in CLOSED:
        codes = {
            code
            for each in operation["responses"].values()
            for content in each.get("content", {}).values()
            for code in content.get("examples", {})
        }
        assert {"unauthenticated", "token_expired", "too_many_requests", "invalid_parameter"} <= codes, (method, path)
        if "requestBody" in operation:
            assert {*BODY_CODES} <= codes, (method, path)
    assert set(DOCUMENT["components"]["securitySchemes"]) == {"oauth2"}

"""Control characters are refused in every parameter of every operation that is mounted."""

import re
from typing import Any

import pytest

from tests.http.conftest import Offline
from tests.http.declared import example_of
from tests.http.test_bodies import JSON, PATH, post, problem
from tests.http.test_openapi import OPERATIONS

ODD = ("%00", "a%00b", "a%1Bb", "a%C2%85b", "a%E2%80%AEb")
PARAMETERS = [
    (method, path, example_of(operation), parameter["name"], parameter["in"])
    for path, method, operation in OPERATIONS
    for parameter in operation.get("parameters", ())
    if parameter["in"] in ("path", "query")
]


@pytest.mark.parametrize(("method", "path", "body", "name", "where"), PARAMETERS)
@pytest.mark.parametrize("text", ODD)
async def test_control_characters_in_parameters_are_refused(
    offline: Offline, method: str, path: str, body: bytes, name: str, where: str, text: str
) -> None:
    if where == "path":
        path = path.replace(f"{{{name}}}", text)
    path = re.sub(r"\{\w+\}", "x", path)
    query = f"?{name}={text}" if where == "query" else ""
    document = problem(await offline.client.request(method, path + query, content=body, headers=JSON))
    assert document["status"] == 400
    assert document["code"] in ("invalid_parameter", "invalid_account_number")
    assert offline.commands == []


def test_parameters_are_found() -> None:
    assert len(PARAMETERS) > 25


@pytest.mark.parametrize("number", ["%20A", "A%20", "A%C2%A0", "A%E2%80%8B", "e%CC%81"])
async def test_numbers_with_ambiguous_characters_are_refused(offline: Offline, number: str) -> None:
    response = await offline.client.get(f"/v1/accounts/{number}")
    assert problem(response)["code"] == "invalid_account_number"
    assert problem(await offline.client.get(f"/v1/vouchers/{number}"))["code"] == "invalid_parameter"


async def test_texts_with_control_characters_are_named_by_pointer(offline: Offline) -> None:
    body = b'{"loyaltyPrograms":[{"loyaltyPointDefinitionId":" L","loads":[]}],"context":{"comment":"a\\u0000b"}}'
    document = problem(await post(offline, body))
    faults: list[dict[str, Any]] = document["errors"]
    assert [(fault["code"], fault["pointer"]) for fault in faults] == [
        ("invalid_value", "/loyaltyPrograms/0/loyaltyPointDefinitionId"),
        ("invalid_value", "/context/comment"),
    ]


async def test_comments_may_have_several_lines(offline: Offline) -> None:
    assert (await post(offline, b'{"context":{"comment":"a\\r\\n\\tb"}}', PATH)).status_code == 200

"""The OpenAPI document: generated offline, with resolvable references and valid examples."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from schemas.generate import HERE
from schemas.points import Adjust, PinTier, ReplaceNumber, Reverse, SetAccountState
from services.edge.http.problems import CODES
from tests.http.conftest import Offline
from tests.http.declared import DOCUMENT

OPERATIONS = [
    (path, method, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]


def schema(name: str) -> Draft202012Validator:
    """A validator for one of the document's schemas."""
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]})


def fits(part: dict[str, Any], value: Any) -> None:
    """Fail unless a value is valid against a schema of the document, date formats included."""
    whole = {**part, "components": DOCUMENT["components"]}
    Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)


def test_operation_ids_are_unique_method_names() -> None:
    """The comparison with released.json refuses renamed ids."""
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len({*ids}) == len(ids) > 30
    assert all(re.fullmatch("[a-z]+([A-Z][a-z]+)+", id_) for id_ in ids), ids


def test_no_two_models_have_one_name() -> None:
    """They would be named by their modules, and a client generator leaves both out."""
    assert [name for name in DOCUMENT["components"]["schemas"] if "__" in name] == []


def test_bounds_use_json_schema_keywords() -> None:
    documents = [DOCUMENT, *(json.loads(path.read_text()) for path in (HERE / "json").glob("*.json"))]
    assert len(documents) > 100
    for document in documents:
        assert not re.findall(r'"(?:ge|gt|le|lt|multiple_of|decimal_places|max_digits)": ', json.dumps(document))


def test_all_references_resolve() -> None:
    names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DOCUMENT)))
    assert names <= set(DOCUMENT["components"]["schemas"])
    assert {"Transaction", "Adjustment", "ProblemDocument"} <= names


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_operation_is_described(path: str, method: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["tags"]
    for status, response in operation["responses"].items():
        assert response["description"], (path, method, status)
        for kind, content in response.get("content", {}).items():
            if kind == "application/problem+json":
                for code, example in content["examples"].items():
                    assert str(CODES[code][0]) == status
                    schema("ProblemDocument").validate(example["value"])


def test_examples_fit_their_schemas() -> None:
    for path, method, operation in OPERATIONS:
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        for name, example in body.get("examples", {}).items():
            if name != "oms":  # Written in another case on purpose.
                fits(body["schema"], example["value"])
        for response in operation["responses"].values():
            content = response.get("content", {}).get("application/json", {})
            for example in content.get("examples", {}).values():
                fits(content["schema"], example["value"])
            if "example" in content:
                fits(content["schema"], content["example"])
        for parameter in operation.get("parameters", []):
            if "example" in parameter:
                fits(parameter["schema"], parameter["example"])
        assert method in ("get", "post", "put", "delete"), path


@pytest.mark.parametrize(
    ("body", "command", "needed"),
    [
        ("Adjustment", Adjust, set()),
        ("Reversal", Reverse, set()),
        ("AccountStanding", SetAccountState, set()),
        ("Replacement", ReplaceNumber, set()),
        ("TierPin", PinTier, {"code"}),
    ],
)
def test_body_schemas_are_those_of_commands_without_added_members(
    body: str, command: type[BaseModel], needed: set[str]
) -> None:
    wire = command.model_json_schema()
    found = DOCUMENT["components"]["schemas"][body]
    assert set(found["properties"]) == set(wire["properties"]) - {"accountNumber", "tierSet", "onlyBy"}
    assert set(found["required"]) == set(wire["required"]) - {"accountNumber", "tierSet", "onlyBy"} | needed


def test_writes_accept_an_idempotency_key() -> None:
    for path, method, operation in OPERATIONS:
        if path == "/oauth/token" or path.endswith(("/Search", "/preview", "/GetBalance", "/find")):
            continue  # Another token does no harm; a search, a preview and a look-up change nothing.
        names = {parameter["name"] for parameter in operation.get("parameters", [])}
        assert ("Idempotency-Key" in names) == (method != "get")


@pytest.mark.parametrize("text", ["x" * 65, "%C2%85", "a%20"], ids=["long", "control", "blank"])
async def test_responses_to_invalid_paths_are_declared(offline: Offline, text: str) -> None:
    """The client of the tests holds each answer against the document (tests/http/declared.py)."""
    for path, method, operation in OPERATIONS:
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        examples = [example["value"] for example in body.get("examples", {}).values()]
        if "{" in path and not path.endswith("operationId}"):
            called = re.sub(r"\{\w+\}", text, path) + ("?reason=x" if method == "delete" else "")
            answer = await offline.client.request(method, called, json=examples[0] if examples else None)
            assert 400 <= answer.status_code < 500 or answer.status_code == 503, (method, path)

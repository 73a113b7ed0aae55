"""What the OpenAPI document says beyond what FastAPI finds: raw bodies, problems, the folded keys, who may call."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from pydantic.json_schema import models_json_schema

from schemas.bounds import spell_bounds, walk
from schemas.customers import CreateCustomer, SetCustomerState, UpdateCustomer
from schemas.points import Adjust, ReplaceNumber, Reverse, SetAccountState
from schemas.transaction import Transaction
from services.edge.auth.access import scopes_of
from services.edge.auth.clients import SCOPES
from services.edge.families.crm.models import CustomerSearch
from services.edge.families.v1.models import NewCard, VoucherIssue, VoucherVoid
from services.edge.http.headers import CACHE_CONTROL, OF_PROBLEMS
from services.edge.http.models import ProblemDocument, TierPin
from services.edge.http.problems import CODES, MEDIA_TYPE

_REF = "#/components/schemas/{model}"
_COMMANDS: dict[str, tuple[type[BaseModel], str]] = {
    "Adjustment": (Adjust, "A correction by hand; negative takes points away."),
    "Reversal": (Reverse, "What is to be undone: the whole transaction when no operations are named."),
    "AccountStanding": (SetAccountState, "What the account may do from now on, and why."),
    "Replacement": (ReplaceNumber, "The number that shall lead to the account."),
    "TierPin": (TierPin, "The level that the account shall have, and why."),
}
"""Bodies that are commands without what is in the path, or set here."""

_NOT_IN_BODY = ("accountNumber", "tierSet", "onlyBy")
_SCHEMAS: tuple[type[BaseModel], ...] = (
    Transaction,
    CustomerSearch,
    CreateCustomer,
    UpdateCustomer,
    SetCustomerState,
    NewCard,
    VoucherIssue,
    VoucherVoid,
    ProblemDocument,
    *(model for model, _ in _COMMANDS.values()),
)

BODY_PROBLEMS = (
    "malformed_json",
    "not_an_object",
    "duplicate_key",
    "unknown_field",
    "wrong_type",
    "value_out_of_range",
    "missing_field",
    "invalid_value",
    "body_too_large",
    "unsupported_media_type",
)
COMMAND_PROBLEMS = (
    *BODY_PROBLEMS,
    "invalid_idempotency_key",
    "idempotency_key_reused",
    "internal",
    "dead_lettered",
    "unavailable",
    "too_late",
    "outcome_unknown",
)
"""What every command can end in, whatever its rules."""

TOKEN_PROBLEMS = ("unauthenticated", "token_expired", "token_invalid", "too_many_requests")

_SCHEME = "oauth2"
_SCHEMES = {
    _SCHEME: {
        "type": "oauth2",
        "description": "An access token of a client, good for an hour, sent as `Authorization: Bearer …`.",
        "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": {**SCOPES}}},
    }
}


def operation_id(route: APIRoute) -> str:
    """The id of an operation, of which generated clients make a method: its function's name, as `postTransaction`."""
    return to_camel(route.name)


def body(model: str, examples: Mapping[str, Any], *parameters: dict[str, Any]) -> dict[str, Any]:
    """An operation's extra for a JSON body and parameters that the route reads by itself."""
    content = {"schema": {"$ref": _REF.format(model=model)}, "examples": examples}
    return {
        "requestBody": {"required": True, "content": {"application/json": content}},
        "parameters": [*parameters],
    }


def refusals(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The responses of these problem codes, by status, with an example of each."""
    responses: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        status, title = CODES[code]
        fresh = {"description": "", "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="ProblemDocument")}}}}
        response = responses.setdefault(status, fresh)
        if code in OF_PROBLEMS:
            response["headers"] = OF_PROBLEMS[code]
        response["description"] = ", ".join(filter(None, (response["description"], f"`{code}`")))
        example = {"type": f"urn:fealty:problem:{code}", "title": title, "status": status, "detail": title}
        examples = response["content"][MEDIA_TYPE].setdefault("examples", {})
        examples[code] = {"summary": title, "value": {**example, "code": code}}
    return responses


def describe(app: FastAPI) -> dict[str, Any]:
    """The whole document, made once; needs no server."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, summary=app.summary, description=app.description, routes=app.routes
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(_bodies())
        document["components"]["schemas"] = {name: walk(schema, _spelt) for name, schema in schemas.items()}
        _drop_default_validation(document)
        _secure(app, document)
        _restore_examples(app, document)
        _forbid_caching(document)
        app.openapi_schema = document
    return app.openapi_schema


def _bodies() -> dict[str, Any]:
    """The schemas of bodies and of problems."""
    _, definitions = models_json_schema([(model, "validation") for model in _SCHEMAS], ref_template=_REF)
    schemas: dict[str, Any] = definitions["$defs"]
    for name, (model, description) in _COMMANDS.items():
        schemas[name] = _body_of(schemas.pop(model.__name__), name, description)
    problems = {name: schemas.pop(name) for name in ("ProblemDocument", "FaultAnswer")}
    return {**{name: _nullable(schema) for name, schema in schemas.items()}, **problems}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a body: what may be left out may be null instead, which is the same."""
    fields = {}
    for name, field in schema.get("properties", {}).items():
        alternatives = field.get("anyOf", [field])
        if name in schema.get("required", ()) or any(each.get("type") == "null" for each in alternatives):
            fields[name] = field
        else:
            said = {key: field[key] for key in ("title", "description", "default") if key in field}
            only = {key: value for key, value in field.items() if key not in said}
            fields[name] = {**said, "anyOf": [*only.get("anyOf", [only]), {"type": "null"}]}
    return {**schema, "properties": fields} if fields else schema


def _spelt(schema: dict[str, Any], _name: str) -> dict[str, Any]:
    return spell_bounds(schema)


def _restore_examples(app: FastAPI, document: dict[str, Any]) -> None:
    """Examples of answers as they were written: FastAPI leaves out members that are null."""
    documented = [route for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema]
    for route in documented:
        for status, told in route.responses.items():
            for method in route.methods or ():
                answer = document["paths"][route.path_format][method.lower()]["responses"][str(status)]
                for media, content in told.get("content", {}).items():
                    written = {name: content[name] for name in ("example", "examples") if name in content}
                    answer["content"][media].update(written)


def _forbid_caching(document: dict[str, Any]) -> None:
    """Every answer says that no cache may keep it."""
    for path in document["paths"].values():
        for operation in path.values():
            for answer in operation["responses"].values():
                answer["headers"] = {**answer.get("headers", {}), **CACHE_CONTROL}


def _secure(app: FastAPI, document: dict[str, Any]) -> None:
    """Say of each operation which scopes it needs one of, from the check itself, and how it refuses who has none."""
    document["components"]["securitySchemes"] = _SCHEMES
    for route in app.routes:
        if isinstance(route, APIRoute) and (scopes := scopes_of(route.endpoint)) is not None:
            codes = (*TOKEN_PROBLEMS, "insufficient_scope") if scopes else TOKEN_PROBLEMS
            for method in route.methods or ():
                operation = document["paths"][route.path_format][method.lower()]
                operation["security"] = [{_SCHEME: [scope]} for scope in scopes] or [{_SCHEME: []}]
                operation["responses"] |= {str(status): told for status, told in refusals(*codes).items()}


def _body_of(schema: dict[str, Any], title: str, description: str) -> dict[str, Any]:
    """The schema of a command's body, without the members that a caller does not send in it."""
    properties = {name: value for name, value in schema["properties"].items() if name not in _NOT_IN_BODY}
    required = [name for name in schema["required"] if name not in _NOT_IN_BODY]
    more = {"title": title, "description": description}
    return {**schema, "properties": properties, "required": required, **more}


def _drop_default_validation(document: dict[str, Any]) -> None:
    """FastAPI's own 422 never happens here: the routes validate by themselves."""
    for path in document["paths"].values():
        for operation in path.values():
            content = operation["responses"].get("422", {}).get("content", {})
            if content.get("application/json", {}).get("schema", {}).get("$ref", "").endswith("HTTPValidationError"):
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)

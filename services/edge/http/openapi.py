"""Generates the OpenAPI document: that of FastAPI, with the additions and corrections of this module."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from schemas.bounds import spell_bounds, walk
from services.edge.http.bodies import JsonBody
from services.edge.http.documenting import REF
from services.edge.http.headers import CACHE_CONTROL
from services.edge.http.models import ProblemDocument


def describe(app: FastAPI) -> dict[str, Any]:
    """The whole document, generated once and cached in the application; needs no server."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, summary=app.summary, description=app.description, routes=app.routes
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(_body_schemas(app))
        document["components"]["schemas"] = {name: walk(schema, _with_spelt_bounds) for name, schema in schemas.items()}
        _drop_default_validation(document)
        _drop_titles_of_parameters(document)
        _allow_each_scope(document)
        _restore_examples(app, document)
        _forbid_caching(document)
        app.openapi_schema = document
    return app.openapi_schema


def _body_schemas(app: FastAPI) -> dict[str, Any]:
    """The schemas of all request bodies, and of problems."""
    models: list[type[BaseModel]] = [*dict.fromkeys(_body_models(app)), ProblemDocument]
    _, definitions = models_json_schema([(model, "validation") for model in models], ref_template=REF)
    schemas: dict[str, Any] = definitions["$defs"]
    problems = {name: schemas.pop(name) for name in ("ProblemDocument", "FaultAnswer")}
    return {**{name: _nullable(schema) for name, schema in schemas.items()}, **problems}


def _body_models(app: FastAPI) -> Iterator[type[BaseModel]]:
    for route in app.routes:
        if isinstance(route, APIRoute):
            for dependency in route.dependant.dependencies:
                if isinstance(dependency.call, JsonBody):
                    yield dependency.call.model


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """Allow null for each optional member of a body's schema: null means absent."""
    fields = {}
    for name, field in schema.get("properties", {}).items():
        alternatives = field.get("anyOf", [field])
        if name in schema.get("required", ()) or any(each.get("type") == "null" for each in alternatives):
            fields[name] = field
        else:
            annotations = {key: field[key] for key in ("title", "description", "default") if key in field}
            constraints = {key: value for key, value in field.items() if key not in annotations}
            fields[name] = {**annotations, "anyOf": [*constraints.get("anyOf", [constraints]), {"type": "null"}]}
    return {**schema, "properties": fields} if fields else schema


def _with_spelt_bounds(schema: dict[str, Any], _name: str) -> dict[str, Any]:
    return spell_bounds(schema)


def _restore_examples(app: FastAPI, document: dict[str, Any]) -> None:
    """Restore the examples of responses: FastAPI removes their members that are null."""
    documented = [route for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema]
    for route in documented:
        for status, response in route.responses.items():
            for method in route.methods or ():
                declared = document["paths"][route.path_format][method.lower()]["responses"][str(status)]
                for media, content in response.get("content", {}).items():
                    examples = {name: content[name] for name in ("example", "examples") if name in content}
                    declared["content"][media].update(examples)


def _forbid_caching(document: dict[str, Any]) -> None:
    """Declare the header that forbids caching for all responses."""
    for path in document["paths"].values():
        for operation in path.values():
            for declared in operation["responses"].values():
                declared["headers"] = {**declared.get("headers", {}), **CACHE_CONTROL}


def _allow_each_scope(document: dict[str, Any]) -> None:
    """Split the scopes of an operation into alternatives: in one security requirement all would be needed."""
    for path in document["paths"].values():
        for operation in path.values():
            if "security" in operation:
                ((scheme, scopes),) = operation["security"][0].items()
                operation["security"] = [{scheme: [scope]} for scope in scopes] or [{scheme: []}]


def _drop_default_validation(document: dict[str, Any]) -> None:
    """Remove FastAPI's response 422, which never occurs: invalid parameters get 400."""
    for path in document["paths"].values():
        for operation in path.values():
            content = operation["responses"].get("422", {}).get("content", {})
            if content.get("application/json", {}).get("schema", {}).get("$ref", "").endswith("HTTPValidationError"):
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)


def _drop_titles_of_parameters(document: dict[str, Any]) -> None:
    """Remove the titles that FastAPI generates from the names of parameters."""
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                parameter["schema"].pop("title", None)

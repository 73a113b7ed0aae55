"""The OpenAPI document: what FastAPI finds in the operations' types, and what it leaves out."""

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
    """The whole document, made once; needs no server."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, summary=app.summary, description=app.description, routes=app.routes
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(_bodies(app))
        document["components"]["schemas"] = {name: walk(schema, _spelt) for name, schema in schemas.items()}
        _drop_default_validation(document)
        _drop_titles_of_parameters(document)
        _allow_each_scope(document)
        _restore_examples(app, document)
        _forbid_caching(document)
        app.openapi_schema = document
    return app.openapi_schema


def _bodies(app: FastAPI) -> dict[str, Any]:
    """The schemas of all bodies that operations read, and of problems."""
    models: list[type[BaseModel]] = [*dict.fromkeys(_bodies_read(app)), ProblemDocument]
    _, definitions = models_json_schema([(model, "validation") for model in models], ref_template=REF)
    schemas: dict[str, Any] = definitions["$defs"]
    problems = {name: schemas.pop(name) for name in ("ProblemDocument", "FaultAnswer")}
    return {**{name: _nullable(schema) for name, schema in schemas.items()}, **problems}


def _bodies_read(app: FastAPI) -> Iterator[type[BaseModel]]:
    for route in app.routes:
        if isinstance(route, APIRoute):
            for dependency in route.dependant.dependencies:
                if isinstance(dependency.call, JsonBody):
                    yield dependency.call.model


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


def _allow_each_scope(document: dict[str, Any]) -> None:
    """Say that one of an operation's scopes is enough: in one requirement they would all be needed."""
    for path in document["paths"].values():
        for operation in path.values():
            if "security" in operation:
                ((scheme, scopes),) = operation["security"][0].items()
                operation["security"] = [{scheme: [scope]} for scope in scopes] or [{scheme: []}]


def _drop_default_validation(document: dict[str, Any]) -> None:
    """FastAPI's own 422 never happens here: the routes validate by themselves."""
    for path in document["paths"].values():
        for operation in path.values():
            content = operation["responses"].get("422", {}).get("content", {})
            if content.get("application/json", {}).get("schema", {}).get("$ref", "").endswith("HTTPValidationError"):
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)


def _drop_titles_of_parameters(document: dict[str, Any]) -> None:
    """A title that FastAPI makes of a parameter's name says nothing beside the name."""
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                parameter["schema"].pop("title", None)

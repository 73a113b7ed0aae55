"""Routers and routes that document operations by their dependencies, and render problems in the family's format."""

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from inspect import signature
from typing import Any, ClassVar, get_origin

from fastapi import FastAPI, params
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIRouter
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import Response

from services.edge.http.documenting import Documentation, Documented
from services.edge.http.problems import Problem, parameter_code


class FamilyRoute(APIRoute):
    """The route of one operation. Families with case-insensitive paths or other error formats have a subclass."""

    case_insensitive: ClassVar[bool] = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self.case_insensitive:
            self.path_regex = re.compile(self.path_regex.pattern, re.IGNORECASE)

    @cached_property
    def query_parameters(self) -> dict[str, bool]:
        """The names of the query parameters, with whether each may be repeated."""
        return dict(_query_parameters(self.dependant))

    @staticmethod
    def error_response(problem: Problem) -> Response:
        """The response of a problem, in the family's error format."""
        return problem.response()


class CaseInsensitiveRoute(FamilyRoute):
    """A route whose path matches in any case: existing callers spell it in several ways."""

    case_insensitive = True


class Router(APIRouter):
    """The operations of one subject under one prefix; their functions return a `Response`."""

    def __init__(self, tag: str, prefix: str = "", route_class: type[FamilyRoute] = FamilyRoute) -> None:
        super().__init__(
            prefix=prefix,
            tags=[tag],
            route_class=route_class,
            default_response_class=Response,
            generate_unique_id_function=operation_id,
        )

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Add an operation, documented by its arguments here and by the dependencies of its function."""
        operation = Documentation(options.pop("responses", None) or {})
        for part in _documented_parts(endpoint):
            if isinstance(part, Documented):
                part.document(operation)
            else:
                operation.refuse(parameter_code(part))
        extra = {**(options.pop("openapi_extra", None) or {}), **operation.extra}
        super().add_api_route(path, endpoint, responses=operation.responses, openapi_extra=extra, **options)


def mount(app: FastAPI, *routers: Router) -> None:
    """Add the routes of these routers to the application itself, which matches them fastest."""
    for router in routers:
        app.router.routes.extend(router.routes)


def operation_id(route: APIRoute) -> str:
    """The id of an operation, which names the method of generated clients, such as `postTransaction`."""
    return to_camel(route.name)


async def problem_response(request: Request, problem: Problem) -> Response:
    """The response of a problem in the error format of the request's family; RFC 9457 if no route matches."""
    route = request.scope.get("route")
    return route.error_response(problem) if isinstance(route, FamilyRoute) else problem.response()


def _documented_parts(endpoint: Callable[..., Any]) -> Iterator[Documented | str]:
    """The documented dependencies of an operation, and the names of its path and query parameters."""
    for name, parameter in signature(endpoint).parameters.items():
        for each in getattr(parameter.annotation, "__metadata__", ()):
            match each:
                case params.Depends(dependency=Documented() as dependency):
                    yield dependency
                case params.Path() | params.Query():
                    yield each.alias or name


def _query_parameters(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        yield field.alias, get_origin(annotation) in (list, tuple)
    for each in dependant.dependencies:
        yield from _query_parameters(each)

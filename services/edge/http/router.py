"""Routers and routes of operations: what an operation's function takes is checked, documented, and refused."""

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
    """One operation. A family with paths in any case, or with errors of another shape, has a class of its own."""

    any_case: ClassVar[bool] = False

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        if self.any_case:
            self.path_regex = re.compile(self.path_regex.pattern, re.IGNORECASE)

    @cached_property
    def query(self) -> dict[str, bool]:
        """The names of the parameters in the query; whether each may be repeated."""
        return dict(_query_of(self.dependant))

    @staticmethod
    def refused(problem: Problem) -> Response:
        """A problem in the shape of the family's errors."""
        return problem.response()


class AnyCaseRoute(FamilyRoute):
    """An operation whose path matches in any case, since the callers of its document write it in several ways."""

    any_case = True


class Router(APIRouter):
    """The operations of one subject under one prefix; their functions answer with a `Response`."""

    def __init__(self, tag: str, prefix: str = "", route_class: type[FamilyRoute] = FamilyRoute) -> None:
        super().__init__(
            prefix=prefix,
            tags=[tag],
            route_class=route_class,
            default_response_class=Response,
            generate_unique_id_function=operation_id,
        )

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        """Add an operation, documented by what its function takes beside what is said of it here."""
        operation = Documentation(more.pop("responses", None) or {})
        for part in _parts(endpoint):
            if isinstance(part, Documented):
                part.document(operation)
            else:
                operation.refuse(parameter_code(part))
        extra = {**(more.pop("openapi_extra", None) or {}), **operation.extra}
        super().add_api_route(path, endpoint, responses=operation.responses, openapi_extra=extra, **more)


def mount(app: FastAPI, *routers: Router) -> None:
    """Serve the operations of these routers: as routes of the application itself, which is the quickest to match."""
    for router in routers:
        app.router.routes.extend(router.routes)


def operation_id(route: APIRoute) -> str:
    """The id of an operation, of which generated clients make a method: its function's name, as `postTransaction`."""
    return to_camel(route.name)


async def refuse(request: Request, problem: Problem) -> Response:
    """A problem as the family of the request's operation shows it; where there is no operation, as RFC 9457 has it."""
    route = request.scope.get("route")
    return route.refused(problem) if isinstance(route, FamilyRoute) else problem.response()


def _parts(endpoint: Callable[..., Any]) -> Iterator[Documented | str]:
    """The documented dependencies of an operation, and the names of its parameters in path and query."""
    for name, parameter in signature(endpoint).parameters.items():
        for each in getattr(parameter.annotation, "__metadata__", ()):
            match each:
                case params.Depends(dependency=Documented() as dependency):
                    yield dependency
                case params.Path() | params.Query():
                    yield each.alias or name


def _query_of(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        yield field.alias, get_origin(annotation) in (list, tuple)
    for each in dependant.dependencies:
        yield from _query_of(each)

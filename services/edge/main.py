"""The edge process: wires and runs the application. Nothing connects at import or creation."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from services.edge.auth import oauth
from services.edge.edge import Edge
from services.edge.families.crm import customers as crm
from services.edge.families.giftcard import cards, issuing
from services.edge.families.loyaltyvault import transactions
from services.edge.families.v1 import (
    accounts,
    batches,
    corrections,
    customers,
    giftcards,
    operations,
    paid_transactions,
    refusals,
    statements,
    vouchers,
)
from services.edge.http import docs, health, openapi
from services.edge.http.metrics import RequestMetrics
from services.edge.http.problems import Problem, invalid_parameter, unavailable
from services.edge.http.router import mount, operation_id, problem_response
from shared.errors import TooSlow, Unavailable
from shared.logs import configure_logs
from shared.runtime.http import make_server, serving_aside
from shared.runtime.tuning import tune_memory
from shared.settings import Settings

_DESCRIPTION = """
Customers, points, vouchers and gift cards over HTTP. Each write is a command that has exactly one effect: it waits for
its outcome, and where that takes too long the answer is 202 with the `Location` to poll. Amounts are JSON numbers in
whole units, exact to the last digit. Errors are RFC 9457 problem documents; their `code` is stable. Every call but
those for health needs an access token from `/oauth/token`.
"""
ROUTERS = (
    transactions.router,
    crm.router,
    cards.router,
    issuing.router,
    paid_transactions.router,
    accounts.router,
    statements.router,
    corrections.router,
    customers.router,
    vouchers.router,
    batches.router,
    giftcards.router,
    operations.router,
    refusals.router,
    oauth.router,
    health.router,
    docs.router,
)
"""The routers of all operations, the most frequent first."""

_CODES_BY_STATUS = {404: "not_found", 405: "method_not_allowed", 415: "unsupported_media_type"}


def create_app(settings: Settings) -> FastAPI:
    """The application. Its lifespan connects to servers, in the background, so `.openapi()` works offline."""
    return application(Edge(settings))


def application(edge: Edge) -> FastAPI:
    """The application over `edge`, which its lifespan starts and stops."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await edge.start()
        try:
            yield
        finally:
            await edge.stop()

    app = FastAPI(
        title="Fealty",
        version="0.1.0",
        summary="A self-hosted loyalty platform.",
        description=_DESCRIPTION,
        lifespan=lifespan,
        redirect_slashes=False,
        openapi_url=None,
        generate_unique_id_function=operation_id,
    )
    app.state.edge = edge
    app.state.document = docs.OpenApiDocument(app)
    mount(app, *ROUTERS)
    app.add_middleware(RequestMetrics)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(Unavailable, _unavailable)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.openapi = lambda: openapi.describe(app)  # type: ignore[method-assign]
    return app


def run(settings: Settings) -> None:
    """Run the edge process until a signal stops it; exits non-zero if a part of it failed."""
    tune_memory()
    sys.exit(uvloop.run(serve(settings)))


async def serve(settings: Settings) -> int:
    """Serve until a signal or the failure of a part; returns the exit status."""
    configure_logs(settings.log_level, "edge")
    edge = Edge(settings)
    server = make_server(application(edge), settings)
    failed = False

    def fail() -> None:
        nonlocal failed
        failed = True
        server.should_exit = True

    edge.on_failure = fail
    async with serving_aside(health.internal_application(edge), settings, settings.health_port):
        await server.serve()
    return 1 if failed else 0


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return await problem_response(request, error)


async def _unavailable(request: Request, error: Exception) -> Response:
    assert isinstance(error, Unavailable)
    if isinstance(error, TooSlow):
        return await problem_response(
            request, unavailable("The query took too long and was stopped. Ask for less at once, or later.")
        )
    return await problem_response(
        request, unavailable("A server that this operation needs cannot be reached. Send the request again.")
    )


async def _invalid(request: Request, error: Exception) -> Response:
    """The response for invalid parameters that FastAPI found: the first one."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return await problem_response(request, invalid_parameter(str(first["loc"][-1]), str(first["msg"])))


async def _http_error(request: Request, error: Exception) -> Response:
    """The response for unknown paths and methods, which the router refuses."""
    assert isinstance(error, HTTPException)
    code = _CODES_BY_STATUS[error.status_code]
    headers = {**(error.headers or {})}
    if code == "method_not_allowed":
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return await problem_response(request, Problem(code, error.detail, headers=headers))


def _methods(request: Request) -> set[str]:
    """The methods of all routes of a path; the router itself names only those of the first route."""
    matching = (route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
    methods = {method for route in matching for method in route.methods or ()}
    return methods | {"HEAD"} if "GET" in methods else methods

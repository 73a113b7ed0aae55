"""Liveness, readiness and metrics."""

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.edge.edge import Edge
from services.edge.http.router import Router
from shared.runtime.http import NoSniff


def _text_responses(good: str, bad: str) -> dict[int | str, dict[str, object]]:
    return {
        200: {"description": good, "content": {"text/plain": {"example": "ok"}}},
        503: {"description": bad, "content": {"text/plain": {}}},
    }


router = Router("Health", "/health")
"""The health checks at the port of the API."""


@router.get(
    "/live",
    summary="Liveness",
    responses=_text_responses("The process works.", "A part is stuck; restart the process."),
)
async def get_liveness(request: Request) -> Response:
    """The liveness probe: 503 while a part of the process is stuck, which a restart mends."""
    return _text_response(request.app.state.edge.not_alive())


@router.get(
    "/ready",
    summary="Readiness",
    responses=_text_responses(
        "Requests can be served.", "A server cannot be reached, or the process has just started; the body says which."
    ),
)
async def get_readiness(request: Request) -> Response:
    """The readiness probe, for load balancers: 503 until the servers that requests need have answered."""
    return _text_response(request.app.state.edge.health.not_ready())


def internal_application(edge: Edge) -> NoSniff:
    """The health checks and `/metrics`, for the internal port: metrics are too expensive for public callers."""

    async def live(_: Request) -> Response:
        return _text_response(edge.not_alive())

    async def ready(_: Request) -> Response:
        return _text_response(edge.health.not_ready())

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    routes = [Route("/health/live", live), Route("/health/ready", ready), Route("/metrics", metrics)]
    return NoSniff(Starlette(routes=routes))


def _text_response(troubles: dict[str, str]) -> Response:
    text = "".join(f"{name}: {why}\n" for name, why in troubles.items()) or "ok\n"
    return Response(text.encode(), 503 if troubles else 200, media_type="text/plain")

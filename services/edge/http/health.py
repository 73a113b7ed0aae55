"""Whether the process lives and is ready, and its metrics."""

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.edge.edge import Edge
from shared.runtime.http import NoSniff


def add_routes(app: FastAPI, edge: Edge) -> None:
    """`/health/live` and `/health/ready`, where the API is."""

    @app.get(
        "/health/live",
        tags=["Health"],
        summary="Whether the process gets on",
        response_class=Response,
        responses=_answers("It does.", "A part is stuck; restart it."),
    )
    async def get_liveness() -> Response:
        return _plain(edge.not_alive())

    @app.get(
        "/health/ready",
        tags=["Health"],
        summary="Whether requests can be served",
        response_class=Response,
        responses=_answers("They can.", "A server is away, or the process has just started; the body says which."),
    )
    async def get_readiness() -> Response:
        return _plain(edge.health.not_ready())


def application(edge: Edge) -> NoSniff:
    """The same, and `/metrics`, for the port of the house: what is asked there costs too much for strangers."""

    async def live(_: Request) -> Response:
        return _plain(edge.not_alive())

    async def ready(_: Request) -> Response:
        return _plain(edge.health.not_ready())

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    routes = [Route("/health/live", live), Route("/health/ready", ready), Route("/metrics", metrics)]
    return NoSniff(Starlette(routes=routes))


def _plain(troubles: dict[str, str]) -> Response:
    text = "".join(f"{name}: {why}\n" for name, why in troubles.items()) or "ok\n"
    return Response(text.encode(), 503 if troubles else 200, media_type="text/plain")


def _answers(good: str, bad: str) -> dict[int | str, dict[str, object]]:
    return {
        200: {"description": good, "content": {"text/plain": {"example": "ok"}}},
        503: {"description": bad, "content": {"text/plain": {}}},
    }

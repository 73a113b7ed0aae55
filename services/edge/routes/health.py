"""Whether the process lives and is ready, and its metrics."""

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from services.edge.edge import Edge


def add_routes(app: FastAPI, edge: Edge) -> None:
    """`/health/live`, `/health/ready` and `/metrics`."""

    @app.get(
        "/health/live",
        tags=["Health"],
        summary="Whether the process gets on",
        response_class=Response,
        responses=_answers("It does.", "A part is stuck; restart it."),
    )
    async def live() -> Response:
        return _plain(edge.not_alive())

    @app.get(
        "/health/ready",
        tags=["Health"],
        summary="Whether requests can be served",
        response_class=Response,
        responses=_answers("They can.", "A server is away, or the process has just started; the body says which."),
    )
    async def ready() -> Response:
        return _plain(edge.health.not_ready())

    @app.get(
        "/metrics",
        tags=["Health"],
        summary="Metrics for Prometheus",
        response_class=Response,
        responses={200: {"description": "Prometheus' text format.", "content": {"text/plain": {}}}},
    )
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _plain(troubles: dict[str, str]) -> Response:
    text = "".join(f"{name}: {why}\n" for name, why in troubles.items()) or "ok\n"
    return Response(text.encode(), 503 if troubles else 200, media_type="text/plain")


def _answers(good: str, bad: str) -> dict[int | str, dict[str, object]]:
    return {
        200: {"description": good, "content": {"text/plain": {"example": "ok"}}},
        503: {"description": bad, "content": {"text/plain": {}}},
    }

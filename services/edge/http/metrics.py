"""The outermost middleware: measures and logs each request, and turns unexpected errors into problem documents.

It also forbids caching unless a route allows it, and serves HEAD as a GET without its body.
"""

from collections.abc import Iterable

import structlog
from prometheus_client import Histogram
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import unbind_contextvars

from services.edge.http.problems import Problem
from shared.clock import monotonic_s

log = structlog.get_logger()

Field = tuple[bytes, bytes]

HTTP_SECONDS = Histogram(
    "fealty_http_request_seconds",
    "Duration of requests, by method, route template and status.",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CLIENT_LEFT = 499
_NOSNIFF = (b"x-content-type-options", b"nosniff")
_NO_STORE = (b"cache-control", b"no-store")
_REQUEST_CONTEXT = ("actor", "store", "command")
_PROBES = frozenset({"/health/live", "/health/ready", "/metrics"})


class RequestMetrics:
    """Measures and logs requests; pure ASGI, so that it costs microseconds."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and record its status and duration."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        unbind_contextvars(*_REQUEST_CONTEXT)  # Of the connection's last request, which may have had another caller.
        started_s = monotonic_s()
        status = 0
        method, head_only = scope["method"], scope["method"] == "HEAD"
        if head_only:
            scope = {**scope, "method": "GET"}

        async def send_recorded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _with_default_headers(message["headers"])
            elif head_only and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, send_recorded)
        except ClientDisconnect:
            status = status or _CLIENT_LEFT
        except Exception as error:
            log.error("a request failed", route=_route(scope), exc_info=error)
            if status:
                raise
            await Problem("internal", "The request failed unexpectedly; the failure was logged.").response()(
                scope, receive, send_recorded
            )
        finally:
            _record(scope, method, status, monotonic_s() - started_s)


def _record(scope: Scope, method: str, status: int, duration_s: float) -> None:
    """Record the metrics of a request and its line of the access log; health checks and `/metrics` have no line.

    `actor`, `store` and `command` come from the log context; the path is left out, since it has account numbers.
    """
    method, route = method if method in _METHODS else "other", _route(scope)
    HTTP_SECONDS.labels(method, route, str(status)).observe(duration_s)
    if route not in _PROBES:
        log.info("request", method=method, route=route, status=status, ms=round(duration_s * 1000, 1))


def _with_default_headers(headers: Iterable[Field]) -> list[Field]:
    fields = [*headers, _NOSNIFF]
    if all(name != b"cache-control" for name, _ in fields):
        fields.append(_NO_STORE)
    return fields


def _route(scope: Scope) -> str:
    """The template of the route, never the path: that has account numbers."""
    return getattr(scope.get("route"), "path", "unmatched")

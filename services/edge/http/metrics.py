"""Around everything: each request is measured and logged once; what nobody expected is a problem without a trace.

Answers are kept by no cache unless their route says otherwise, and HEAD is a GET without its body.
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
_OF_A_REQUEST = ("actor", "store", "command")
_PROBES = frozenset({"/health/live", "/health/ready", "/metrics"})


class Measured:
    """Pure ASGI, so that it costs microseconds; the outermost layer of the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request, see how it ends, and observe it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        unbind_contextvars(*_OF_A_REQUEST)  # A connection's next request has a caller of its own.
        started_s = monotonic_s()
        status = 0
        method, head_only = scope["method"], scope["method"] == "HEAD"
        if head_only:
            scope = {**scope, "method": "GET"}

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _guarded(message["headers"])
            elif head_only and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            status = status or _CLIENT_LEFT
        except Exception as error:
            log.error("a request failed", route=_route(scope), exc_info=error)
            if status:
                raise
            await Problem("internal", "The request failed unexpectedly; the failure was logged.").response()(
                scope, receive, watched
            )
        finally:
            _observe(scope, method, status, monotonic_s() - started_s)


def _observe(scope: Scope, method: str, status: int, taken_s: float) -> None:
    """Measure a request, and write its line of the access log: who it was, by id, and what; probes have none.

    `actor`, `store` and `command` are bound where they become known; the path is left out for its account numbers.
    """
    method, route = method if method in _METHODS else "other", _route(scope)
    HTTP_SECONDS.labels(method, route, str(status)).observe(taken_s)
    if route not in _PROBES:
        log.info("request", method=method, route=route, status=status, ms=round(taken_s * 1000, 1))


def _guarded(headers: Iterable[Field]) -> list[Field]:
    found = [*headers, _NOSNIFF]
    if all(name != b"cache-control" for name, _ in found):
        found.append(_NO_STORE)
    return found


def _route(scope: Scope) -> str:
    """The template and never the path, which has account numbers in it."""
    return getattr(scope.get("route"), "path", "unmatched")

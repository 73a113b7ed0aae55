"""The OpenAPI document, made once, and `/docs`, which shows it by Swagger UI and needs nothing from elsewhere."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from services.edge.auth.access import address_of
from services.edge.http import openapi
from services.edge.http.router import Router
from shared.hashing import to_json

DOCUMENT, PAGE = "/openapi.json", "/docs"
FILES = Path(fastapi_offline.__file__).parent / "static"
"""Swagger UI as its project publishes it; this is all that is used of the package."""

_TYPES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing from elsewhere, no inline script, in nobody's frame. Swagger UI writes styles into its elements."""

_HTML = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fealty</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{PAGE}/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{PAGE}/swagger-ui-bundle.js"></script>
<script src="{PAGE}/start.js"></script>
</body>
</html>
"""
_START = f"""SwaggerUIBundle({{
  url: "{DOCUMENT}",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
}});
"""
_UNTIL_CHANGED = {"Cache-Control": "no-cache"}
_FOR_AN_HOUR = {"Cache-Control": "public, max-age=3600"}


router = Router("Documents")


class Document:
    """The OpenAPI document as bytes. It is made once, in a thread, since that takes a good part of a second."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._made: asyncio.Task[bytes] | None = None

    async def content(self) -> bytes:
        """The document; whoever is first has it made."""
        if self._made is None:
            self._made = asyncio.create_task(asyncio.to_thread(lambda: to_json(openapi.describe(self._app))))
        return await asyncio.shield(self._made)


@router.get(DOCUMENT, include_in_schema=False)
async def openapi_json(request: Request) -> Response:
    """The OpenAPI document."""
    state = request.app.state
    state.edge.access.anonymous_rates.take(address_of(request))
    content = await state.document.content()
    headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"', **_UNTIL_CHANGED}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type="application/json")


@router.get(PAGE, include_in_schema=False)
async def page() -> Response:
    """The page that shows it."""
    return Response(_HTML, headers={"Content-Security-Policy": _POLICY, **_UNTIL_CHANGED}, media_type="text/html")


@router.get(f"{PAGE}/start.js", include_in_schema=False)
async def start() -> Response:
    """What starts the page."""
    return Response(_START, headers=_FOR_AN_HOUR, media_type="text/javascript")


def _file(name: str, type_: str) -> Callable[[], Awaitable[Response]]:
    async def file() -> Response:
        return FileResponse(FILES / name, headers=_FOR_AN_HOUR, media_type=type_)

    return file


for _name, _type in _TYPES.items():
    router.get(f"{PAGE}/{_name}", include_in_schema=False)(_file(_name, _type))

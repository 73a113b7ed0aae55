"""`/docs` loads no files from other hosts, and the OpenAPI document is generated once."""

import hashlib
import re

import pytest

from services.edge.http import openapi
from services.edge.http.docs import FILES
from tests.http.conftest import Offline
from tests.http.declared import DOCUMENT

OFFICIAL = {
    "swagger-ui-bundle.js": "4b5a9b35a1adf37f00d39c0bae23cdb37007e2946240ef035137cc85b4d55349",
    "swagger-ui.css": "ca238f7d7c2cf4480c1e77a9c3b9da915ab216e96ffd354e69076560c650c6de",
}
"""SHA-256 of Swagger UI 5.32.6 as its own project publishes it; the package that we take it from repacks it."""


@pytest.mark.parametrize("name", OFFICIAL)
def test_swagger_ui_has_the_published_checksums(name: str) -> None:
    assert hashlib.sha256((FILES / name).read_bytes()).hexdigest() == OFFICIAL[name]


async def test_the_docs_page_loads_files_of_the_edge_only(offline: Offline) -> None:
    page = await offline.client.get("/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "://" not in page.text
    loaded = re.findall(r'(?:src|href)="(/[^"]*)"', page.text)
    assert {path.rpartition("/")[2] for path in loaded} == {*OFFICIAL, "start.js"}
    for path in loaded:
        found = await offline.client.get(path)
        assert found.status_code == 200, path
        assert found.headers["content-type"].startswith("text/css" if path.endswith("css") else "text/javascript")
    start = (await offline.client.get("/docs/start.js")).text
    assert "://" not in start
    assert '"/openapi.json"' in start


async def test_the_docs_page_forbids_foreign_and_inline_scripts(offline: Offline) -> None:
    page = await offline.client.get("/docs")
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert re.findall(r"<script(?! src=)", page.text) == []
    assert re.findall(r"\son\w+=", page.text) == []


async def test_the_docs_pages_of_fastapi_do_not_exist(offline: Offline) -> None:
    for path in ("/redoc", "/docs/oauth2-redirect"):
        assert (await offline.client.get(path)).status_code == 404


async def test_the_openapi_document_is_generated_once(offline: Offline, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await offline.client.get("/openapi.json")
    assert first.json() == DOCUMENT
    monkeypatch.setattr(openapi, "describe", None)
    again = await offline.client.get("/openapi.json")
    assert (again.status_code, again.content) == (200, first.content)
    unchanged = await offline.client.get("/openapi.json", headers={"If-None-Match": first.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")

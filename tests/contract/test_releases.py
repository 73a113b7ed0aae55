"""What is promised between releases: types, topics, the HTTP API, and the command that guards them."""

import copy
import json
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
from fastapi import FastAPI

from schemas import generate
from schemas.compatibility import Direction, breaking_api_changes, broken_types
from schemas.generate import catalogue
from tests.contract.test_compatibility import NUMBER, TEXT, WHOLE, A, P, Schema, record


def entry(schema: Schema, direction: Direction = P, topics: tuple[str, ...] = ("t",)) -> Schema:
    return {"direction": direction, "topics": list(topics), "schema": schema}


def test_types() -> None:
    old = {"t.v1": entry({**record(a=TEXT), "title": "t.v1"}, topics=("t", "u"))}
    renamed = {"s.v1": entry({**record(a=TEXT), "$id": "s.v1", "title": "s.v1"}, topics=("t", "u"))}
    assert broken_types(old, old | renamed) == []
    assert broken_types(old, renamed) == ["t.v1: is renamed to s.v1"]
    assert broken_types(old, {}) == ["t.v1: is removed from t, u"]
    assert broken_types(old, {"t.v1": entry(record(a=TEXT))}) == ["t.v1: is no longer published on u"]
    turned = {"t.v1": entry(record(a=TEXT), A, ("t", "u"))}
    assert broken_types(old, turned) == ["t.v1: was published and is now accepted"]


def test_no_type_breaks_itself_and_each_loss_is_found() -> None:
    """End to end, on what is really promised: take any field of any published type away, and it is missed."""
    types = catalogue()["types"]
    assert broken_types(types, types) == []
    for name, was in types.items():
        for field in was["schema"].get("properties", {}) if was["direction"] == P else ():
            changed = copy.deepcopy(was)
            del changed["schema"]["properties"][field]
            assert broken_types({name: was}, {name: changed}) == [f"{name}: /{field} is gone"]


def test_api() -> None:
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/R"}}}}
    body = {"content": {"application/json": {"schema": record(a=TEXT, b=TEXT)}}}
    query = {"in": "query", "name": "q", "schema": NUMBER}
    get: Schema = {"operationId": "getX", "parameters": [query], "responses": {"200": answer}}
    components = {"schemas": {"R": record("a", a=TEXT, b=TEXT)}}
    old: Schema = {
        "paths": {"/x": {"get": get, "put": {"requestBody": body}}, "/y": {"get": {}}},
        "components": components,
    }
    new = copy.deepcopy(old)
    assert breaking_api_changes(old, new) == []
    new["components"]["schemas"]["R"] = record(a=TEXT)
    new["paths"]["/x"]["put"]["requestBody"]["content"]["application/json"]["schema"] = record(a=TEXT)
    new["paths"]["/x"]["put"]["requestBody"]["required"] = True
    new["paths"]["/x"]["get"]["parameters"] = [
        {"in": "query", "name": "q", "schema": WHOLE, "required": True},
        {"in": "header", "name": "h", "schema": TEXT},
    ]
    new["paths"]["/x"]["get"]["operationId"] = "readX"
    del new["paths"]["/y"]
    assert breaking_api_changes(old, new) == [
        "GET /x: was called getX by generated clients, and is now readX",
        "GET /x: the query parameter q is now required",
        "GET /x: the query parameter q: the value may no longer be number",
        "GET /x: the answer 200: /a was always there and may now be missing",
        "GET /x: the answer 200: /b is gone",
        "PUT /x: a body is now required",
        "PUT /x: the body: /b is no longer accepted",
        "/y: is gone",
    ]
    del new["paths"]["/x"]["put"]
    new["paths"]["/x"]["get"]["responses"] = {}
    changes = breaking_api_changes(old, new)
    assert "PUT /x: is gone" in changes
    assert "GET /x: the answer 200 is gone" in changes


def test_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written, then up to date; refused when the baseline is broken, unless released."""
    monkeypatch.setattr(generate, "HERE", tmp_path)
    assert generate.main(["--check"]) == 1
    assert "asyncapi.yaml" in capsys.readouterr().out
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    assert generate.main(["--release"]) == 0
    baseline = tmp_path / generate.RELEASED
    released = json.loads(baseline.read_text())
    released["types"]["points.changed.v1"]["schema"]["properties"]["till"] = {"type": "string"}
    baseline.write_text(json.dumps(released))
    (tmp_path / "json" / "gone.v1.json").write_text("{}")
    capsys.readouterr()
    assert generate.main([]) == 1
    assert "points.changed.v1: /till is gone" in capsys.readouterr().out
    assert generate.main(["--release"]) == 0
    assert generate.main(["--check"]) == 0
    assert not (tmp_path / "json" / "gone.v1.json").exists()


def test_the_http_api_is_described_and_guarded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    app = FastAPI()
    app.get("/v1/ping")(lambda: None)
    edge = ModuleType("services.edge.main")
    edge.__spec__ = ModuleSpec("services.edge.main", None)
    monkeypatch.setattr(edge, "create_app", lambda _settings: app, raising=False)
    monkeypatch.setitem(sys.modules, "services.edge.main", edge)
    monkeypatch.setattr(generate, "HERE", tmp_path)
    assert generate.main(["--release"]) == 0
    described = json.loads((tmp_path / "openapi.json").read_text())
    assert described["openapi"].startswith("3.1.")
    assert list(described["paths"]) == ["/v1/ping"]
    app.routes.clear()
    app.openapi_schema = None
    assert generate.broken(catalogue()) == ["/v1/ping: is gone"]

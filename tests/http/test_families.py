"""Differences between families: error formats, and case-insensitive paths."""

import httpx
import pytest
from starlette.responses import JSONResponse, Response

from services.edge import main
from services.edge.auth.principals import Administrator
from services.edge.http.documenting import success_responses
from services.edge.http.models import PendingAnswer
from services.edge.http.paging import SIZE, PageSize
from services.edge.http.problems import Problem
from services.edge.http.router import CaseInsensitiveRoute, FamilyRoute, Router, mount
from tests.http.conftest import Offline


class OtherErrors(FamilyRoute):
    """A family whose errors are not RFC 9457's."""

    @staticmethod
    def error_response(problem: Problem) -> Response:
        """The family's own error format."""
        return JSONResponse({"message": problem.detail}, problem.status, problem.headers)


def thing(router: Router) -> None:
    """Mount one operation on a router."""

    responses = success_responses(PendingAnswer, "It.", "not_found")

    @router.get("/thing", summary="A thing", responses=responses, operation_id=f"getThing{router.prefix[1:]}")
    async def get_thing(caller: Administrator, size: PageSize = SIZE) -> Response:
        if size == 1:
            raise Problem("not_found", f"{caller.store} has none")
        return JSONResponse({"size": size})


@pytest.fixture
def families(offline: Offline) -> httpx.AsyncClient:
    """An edge with two more families."""
    for prefix, route in (("/other", OtherErrors), ("/AnyCase", CaseInsensitiveRoute)):
        router = Router("Things", prefix, route)
        thing(router)
        mount(offline.app, router)
    offline.client.event_hooks = {}
    return offline.client


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("?size=1", 404, "default has none"),
        ("?size=0", 400, "size: It must be a whole number from 1 to 100."),
        ("?colour=red", 400, "colour: There is no such parameter."),
    ],
)
async def test_problems_have_the_error_format_of_the_family(
    families: httpx.AsyncClient, query: str, status: int, message: str
) -> None:
    response = await families.get("/other/thing" + query)
    assert (response.status_code, response.json()) == (status, {"message": message})
    other = await families.get("/AnyCase/thing" + query)
    assert (other.status_code, other.json()["detail"]) == (status, message)
    assert other.headers["content-type"] == "application/problem+json"


async def test_missing_tokens_have_the_error_format_of_the_family(families: httpx.AsyncClient) -> None:
    del families.headers["Authorization"]
    response = await families.get("/other/thing")
    assert response.status_code == 401
    assert [*response.json()] == ["message"]
    assert response.headers["www-authenticate"] == 'Bearer realm="fealty"'


async def test_only_case_insensitive_families_match_paths_in_any_case(families: httpx.AsyncClient) -> None:
    assert (await families.get("/aNYcASE/THING?size=7")).json() == {"size": 7}
    assert (await families.get("/Other/thing")).status_code == 404


async def test_operations_are_documented_by_their_dependencies(offline: Offline, families: httpx.AsyncClient) -> None:
    document = offline.app.openapi()
    operation = document["paths"]["/other/thing"]["get"]
    assert operation["security"] == [{"oauth2": ["api_admin"]}]
    assert [each["name"] for each in operation["parameters"]] == ["size"]
    assert {"200", "400", "401", "403", "404", "429"} <= {*operation["responses"]}
    assert main.create_app(offline.edge.settings).openapi()["paths"].keys() == document["paths"].keys() - {
        "/other/thing",
        "/AnyCase/thing",
    }

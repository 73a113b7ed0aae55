"""Parameters of reads: an invalid one gets a 400 that names it, before any server is contacted."""

from datetime import datetime

import pytest

from services.edge.http.parameters import instant_of
from tests.http.conftest import Offline
from tests.http.test_bodies import problem

INSTANTS = [
    "",
    "now",
    "2026-11-22",
    "2026-11-22T10:00Z",
    "2026-11-22T10:00:00",
    "2026-11-22 10:00:00Z",
    "2026-11-22T10:00:00+01:00",  # In a URL a plus is a space.
    "2026-11-22T24:00:01Z",
    "2026-02-29T10:00:00Z",
    "2026-11-22T10:00:60Z",
    "2026-11-22T10:00:00.Z",
    "2026-W47-7T10:00:00Z",
    "20261122T100000Z",
    "+2026-11-22T10:00:00Z",
    "2026-11-22T10:00:00%2B99:00",
    "٢٠٢٦-11-22T10:00:00Z",
    "1795341600",
    "2026-11-22T10:00:00Z%00",
    "2026-11-22T10:00:00Z%0A",
]


@pytest.mark.parametrize("text", INSTANTS)
async def test_malformed_instants_are_refused(offline: Offline, text: str) -> None:
    for path, name in (("", "at"), ("/statement", "from"), ("/statement", "until")):
        document = problem(await offline.client.get(f"/v1/accounts/A-1{path}?{name}={text}"))
        assert (document["status"], document["code"], document["parameter"]) == (400, "invalid_parameter", name)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("size=0", "size"),
        ("size=101", "size"),
        ("size=", "size"),
        ("size=-1", "size"),
        ("size=1e1", "size"),
        ("size=²", "size"),
        ("size=" + "9" * 5_000, "size"),
        ("size=1&size=1", "size"),
        ("programme=", "programme"),
        ("programme=" + "x" * 65, "programme"),
        ("programme=P&programme=Q", "programme"),
        ("programme=%FF", "programme"),
        ("kind=", "kind"),
        ("kind=load&kind=" + "x" * 65, "kind"),
        ("&".join(f"kind={number}" for number in range(21)), "kind"),
        ("from=2026-11-22T10:00:00Z&from=2026-11-22T10:00:00Z", "from"),
        ("kinds=load", "kinds"),
        ("Size=5", "Size"),
        ("cursor=a&cursor=a", "cursor"),
    ],
)
async def test_invalid_parameters_of_statements_are_named(offline: Offline, query: str, name: str) -> None:
    document = problem(await offline.client.get("/v1/accounts/A-1/statement?" + query))
    assert (document["status"], document["code"], document["parameter"]) == (400, "invalid_parameter", name)


@pytest.mark.parametrize(("query", "name"), [("At=2026-11-22T10:00:00Z", "At"), ("at=x&at=y", "at"), ("_=1", "_")])
async def test_invalid_parameters_of_past_balances_are_named(offline: Offline, query: str, name: str) -> None:
    document = problem(await offline.client.get("/v1/accounts/A-1?" + query))
    assert (document["code"], document["parameter"]) == ("invalid_parameter", name)


async def test_valid_parameters_reach_the_servers(offline: Offline) -> None:
    kinds = "&".join(["kind=load"] * 50 + [f"kind={number}" for number in range(19)])
    for query in (
        "",
        "?size=100&" + kinds,
        "?from=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59.999Z",
        "?from=2026-11-22T10:00:00.123456789%2B01:00&programme=%20",
    ):
        response = await offline.client.get("/v1/accounts/A-1/statement" + query)
        assert problem(response)["code"] == "unavailable"
    assert (
        problem(await offline.client.get("/v1/accounts/A-1/balances?at=0001-01-01T00:00:00Z"))["code"] == "unavailable"
    )


@pytest.mark.parametrize(
    ("text", "up", "instant"),
    [
        ("0001-01-01T00:00:00+23:00", False, "0001-01-01T00:00:00+00:00"),
        ("9999-12-31T23:59:59-23:00", False, "9999-12-31T23:59:59.999000+00:00"),
        ("9999-12-31T23:59:59.9999Z", True, "9999-12-31T23:59:59.999000+00:00"),
        ("9999-12-31T23:59:59.9999Z", False, "9999-12-31T23:59:59.999000+00:00"),
        ("2026-11-22T10:00:00.0001+01:00", True, "2026-11-22T09:00:00.001000+00:00"),
    ],
)
def test_instants_outside_of_the_calendar_become_its_bounds(text: str, up: bool, instant: str) -> None:
    assert instant_of(text, up=up) == datetime.fromisoformat(instant)

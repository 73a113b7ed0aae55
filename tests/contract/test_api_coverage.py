"""docs/api-coverage.md is true: the list is whole, the page is current, and what works has a real test of its own."""

from collections import Counter
from collections.abc import Generator
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from tests import api_coverage, conftest
from tests.api_coverage import PAGE, RealTest, documented, faults, key, mounted, page, real_tests
from tests.http.exercised import note_answered

CREATE = "POST /api/v1.0/Switch/Crm/Customer/Create"

SMALL = documented("""
- family: Small shop
  prefix: /shop
  subjects:
    Things:
      GET /{thing}: Get a thing
      POST /{thing}: Make a thing
  withoutExample:
    - POST /{thing}
""")
"""Two operations, of which an application that mounts one stands for any."""
GET, POST = (operation.name for operation in SMALL)


def a_test(*names: str, marks: tuple[str, ...] = ("real", "exercises")) -> RealTest:
    return RealTest("tests/http/test_x_real.py", "test_x", names, frozenset(marks))


def test_the_page_is_as_generated() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(documented(), mounted(), real_tests()), "run `make schemas`"


def test_what_works_has_a_real_test_of_its_own() -> None:
    assert faults(documented(), mounted(), real_tests()) == []


def test_every_operation_of_the_documents_is_listed_once() -> None:
    """As counted in the documents: 131 with an example request under their own path, and four without."""
    operations = documented()
    assert Counter(operation.family for operation in operations) == {
        "LoyaltyVault": 1,
        "Treazure CRM": 5,
        "Treazure gift cards": 6,
        "Open Loyalty": 36,
        "CRM.COM self service": 87,
    }
    assert Counter(operation.has_example for operation in operations) == {True: 131, False: 4}
    assert len({key(operation.name) for operation in operations}) == len(operations)


def test_an_operation_that_is_not_mounted_is_missing() -> None:
    told = page(SMALL, {key(GET)}, [a_test(GET)])
    assert "| [Small shop](#small-shop) | 2 | 1 | 1 |" in told
    assert f"| `{GET}` | Get a thing | works | [`test_x`](../tests/http/test_x_real.py) |" in told
    assert f"| `{POST}` \\* | Make a thing | missing |  |" in told
    gone = page(SMALL, set(), [a_test(GET)])
    assert f"| `{GET}` | Get a thing | missing |  |" in gone
    assert faults(SMALL, set(), [a_test(GET)]) == [
        f"tests/http/test_x_real.py::test_x exercises {GET}, which is not mounted"
    ]


def test_an_operation_that_is_mounted_needs_a_real_test() -> None:
    routes = {key(GET), key(POST), "get /health"}
    assert f"| `{POST}` \\* | Make a thing | works |  |" in page(SMALL, routes, [a_test(GET)])
    assert faults(SMALL, routes, [a_test(GET)]) == [
        f"{POST} works and no test exercises it: mark one with pytest.mark.exercises"
    ]
    assert faults(SMALL, routes, [a_test(GET), a_test(POST)]) == []


@pytest.mark.parametrize(
    ("test", "fault"),
    [
        (a_test(GET, marks=("exercises",)), "exercises an operation and is not marked real"),
        (a_test(GET, marks=("real", "long")), "exercises an operation and may be left out or fail: long"),
        (
            a_test(GET, marks=("real", "xfail", "skip")),
            "exercises an operation and may be left out or fail: skip, xfail",
        ),
        (a_test(GET, f"{GET}/"), "exercises 2 operations: each needs a test of its own"),
        (a_test("GET /else"), "exercises GET /else, which is not documented"),
    ],
)
def test_what_is_no_real_test_of_an_operation(test: RealTest, fault: str) -> None:
    assert faults(SMALL, {key(GET)}, [a_test(GET), test]) == [f"{test.path}::{test.name} {fault}"]


def test_names_are_compared_without_case_parameters_and_last_slash() -> None:
    app = FastAPI()
    app.delete("/API/things/{thingId}/parts/{part}/")(lambda: None)
    assert mounted(app) == {key("DELETE /api/Things/{id}/parts/{part_id}")}
    assert key("GET /things/{id}") != key("GET /things/register")


def test_the_marks_of_real_tests_are_read() -> None:
    """From module and function alike; the module's own helpers and imports are no tests."""
    tests = real_tests()
    assert len(tests) > 5
    for test in tests:
        assert {"real", "exercises"} <= test.marks
        assert f"def {test.name}(" in (api_coverage.ROOT / test.path).read_text(encoding="utf-8")


class Marked:
    """A test that is marked to exercise Create."""

    def iter_markers(self, name: str) -> list[Any]:
        return [pytest.mark.exercises(CREATE).mark] if name == "exercises" else []


def running() -> Generator[None, Any, Any]:
    """Such a test, begun."""
    run = conftest.pytest_runtest_call(cast(pytest.Item, Marked()))
    next(run)
    return run


def answer(status: int, path: str = "/api/v1.0/switch/crm/customer/create") -> httpx.Response:
    return httpx.Response(status, request=httpx.Request("POST", f"http://edge{path}?q=1"))


async def test_a_marked_test_that_called_its_operation_passes() -> None:
    run = running()
    await note_answered(answer(200))
    with pytest.raises(StopIteration):
        run.send(None)


@pytest.mark.parametrize(
    "other", [None, answer(409), answer(200, "/api/v1.0/Switch/Crm/Customer/Search"), answer(200, "/unknown")]
)
async def test_a_marked_test_that_did_not_call_its_operation_with_success_fails(other: httpx.Response | None) -> None:
    await note_answered(answer(200))
    run = running()
    if other is not None:
        await note_answered(other)
    with pytest.raises(pytest.fail.Exception, match="no running edge answered with success: POST"):
        run.send(None)

"""Which documented operations work: `python -m tests.api_coverage` writes `docs/api-coverage.md` (`make schemas`).

An operation works when the edge mounts its method and path. It then needs a test on the real servers of its own, marked
`exercises`, which `tests/http/exercised.py` fails when it does not call the operation.
"""

import re
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from fastapi import FastAPI
from fastapi.routing import APIRoute

from services.edge.main import create_app
from shared.settings import Settings

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "api-coverage.md"
DOCUMENTED = ROOT / "schemas" / "documented.yaml"

NOT_IN_EVERY_RUN = {"long", "skip", "skipif", "xfail"}
"""Marks of tests that `make test` leaves out, or lets fail."""


class Operation(NamedTuple):
    """One operation as its document names it."""

    family: str
    subject: str
    name: str
    """Method and path, `GET /v1/things/{id}`."""
    title: str
    has_example: bool


class RealTest(NamedTuple):
    """A test that is marked to exercise operations."""

    path: str
    """From the project's root."""
    name: str
    exercises: tuple[str, ...]
    marks: frozenset[str]


def key(name: str) -> str:
    """What operations are compared by: case, names of parameters and a last slash do not count."""
    return re.sub(r"\{[^}]*\}", "{}", name).rstrip("/").lower()


def documented(text: str | None = None) -> list[Operation]:
    """All documented operations, in the order of the list."""
    families = yaml.safe_load(DOCUMENTED.read_text(encoding="utf-8") if text is None else text)
    return [
        Operation(
            family["family"],
            subject,
            name.replace(" ", f" {family['prefix']}", 1),
            title,
            name not in family.get("withoutExample", ()),
        )
        for family in families
        for subject, operations in family["subjects"].items()
        for name, title in operations.items()
    ]


def mounted(app: FastAPI | None = None) -> set[str]:
    """The keys of all operations that the edge mounts."""
    app = app or create_app(Settings.model_construct())
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    return {key(f"{method} {route.path}") for route in routes for method in route.methods or ()}


def real_tests() -> list[RealTest]:
    """All tests with the mark `exercises`; only modules that mention it are imported."""
    paths = sorted((ROOT / "tests").rglob("test_*.py"))
    return [
        test
        for path in paths
        if "pytest.mark.exercises(" in path.read_text(encoding="utf-8")
        for test in _tests_of(path.relative_to(ROOT))
    ]


def _tests_of(path: Path) -> Iterator[RealTest]:
    module = import_module(".".join(path.with_suffix("").parts))
    for name, found in vars(module).items():
        if not name.startswith("test_") or getattr(found, "__module__", None) != module.__name__:
            continue
        marks = [*_marks(module), *_marks(found)]
        exercises = tuple(operation for mark in marks if mark.name == "exercises" for operation in mark.args)
        if exercises:
            yield RealTest(path.as_posix(), name, exercises, frozenset(mark.name for mark in marks))


def _marks(holder: object) -> list[Any]:
    marks = getattr(holder, "pytestmark", [])
    return [getattr(mark, "mark", mark) for mark in (marks if isinstance(marks, list) else [marks])]


def faults(operations: Sequence[Operation], routes: Collection[str], tests: Sequence[RealTest]) -> list[str]:
    """What keeps the page from being true, one sentence each."""
    known = {key(operation.name) for operation in operations}
    exercised = {key(name) for test in tests for name in test.exercises}
    found = [
        f"{operation.name} works and no test exercises it: mark one with pytest.mark.exercises"
        for operation in operations
        if key(operation.name) in routes and key(operation.name) not in exercised
    ]
    for test in tests:
        where = f"{test.path}::{test.name}"
        if len(test.exercises) > 1:
            found.append(f"{where} exercises {len(test.exercises)} operations: each needs a test of its own")
        if "real" not in test.marks:
            found.append(f"{where} exercises an operation and is not marked real")
        if left_out := sorted(test.marks & NOT_IN_EVERY_RUN):
            found.append(f"{where} exercises an operation and may be left out or fail: {', '.join(left_out)}")
        for name in test.exercises:
            if key(name) not in known:
                found.append(f"{where} exercises {name}, which is not documented")
            elif key(name) not in routes:
                found.append(f"{where} exercises {name}, which is not mounted")
    return found


def page(operations: Sequence[Operation], routes: Collection[str], tests: Sequence[RealTest]) -> str:
    """The text of the page."""
    by_operation = {key(name): test for test in reversed(tests) for name in test.exercises}
    return "\n".join([*_summary(operations, routes), *_details(operations, routes, by_operation)]) + "\n"


def _summary(operations: Sequence[Operation], routes: Collection[str]) -> Iterator[str]:
    of_family = Counter(each.family for each in operations)
    working = Counter(each.family for each in operations if key(each.name) in routes)
    without = sum(not each.has_example for each in operations)
    yield from (
        "# What of the documented APIs works",
        "",
        "Generated by `make schemas` from [the documented operations](../schemas/documented.yaml) and the routes that",
        "the edge mounts; not to be edited. Beside each operation that works stands the test that calls it on a real",
        "Kafka and a real MongoDB, and that fails when the call has no success.",
        "",
        "| family | documented | works | missing |",
        "|---|---:|---:|---:|",
    )
    for family, count in of_family.items():
        yield f"| [{family}](#{_anchor(family)}) | {count} | {working[family]} | {count - working[family]} |"
    yield f"| all | {of_family.total()} | {working.total()} | {of_family.total() - working.total()} |"
    if without:
        yield from (
            "",
            f"Of {without} of them, marked with \\*, the documents show no example request under their own path.",
        )


def _details(operations: Sequence[Operation], routes: Collection[str], tests: Mapping[str, RealTest]) -> Iterator[str]:
    family = subject = ""
    for operation in operations:
        if operation.family != family:
            family, subject = operation.family, ""
            yield from ("", f"## {family}")
        if operation.subject != subject:
            subject = operation.subject
            yield from ("", f"### {subject}", "", "| operation | what it does | state | test |", "|---|---|---|---|")
        star = "" if operation.has_example else " \\*"
        test = tests.get(key(operation.name))
        state = "works" if key(operation.name) in routes else "missing"
        link = f"[`{test.name}`](../{test.path})" if test and state == "works" else ""
        yield f"| `{operation.name}`{star} | {operation.title} | {state} | {link} |"


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def main() -> int:
    """Write the page when it has changed; 1 when an operation that works lacks its test."""
    operations, routes, tests = documented(), mounted(), real_tests()
    text = page(operations, routes, tests)
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        PAGE.write_text(text, encoding="utf-8")
        sys.stdout.write(f"written: {PAGE.relative_to(ROOT)}\n")
    found = faults(operations, routes, tests)
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

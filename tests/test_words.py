"""Phrases that readers did not understand stay out of what they read: pages, help texts, messages, log events."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.test_cli_output import ALL

ROOT = Path(__file__).parent.parent
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/alerts.yml")),
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if page.name != "api-coverage.md"),
]
"""The pages but those that are generated."""

MESSAGES = [*sorted((ROOT / "cli").rglob("*.py")), *sorted((ROOT / "shared").rglob("*.py"))]
"""Their texts reach users: errors, headings, log events, readiness, metrics."""

INSTEAD = {
    r"\b(is|are|was|were) told\b|\bwhat .{0,20}tells\b": "is reported, is published, gets the answer",
    r"\b(is|are|was) heard\b": "is received, is read",
    r"\bwho(ever)? (is|comes) first\b": "the first one",
    r"\bcut short\b": "interrupted",
    r"\banew\b": "again, from the beginning",
    r"\bgo(es)? on (at|where|behind|with it)\b|\bwent on\b": "continues",
    r"\b(is|are) off\b": "differs, is wrong",
    r"\b(of|by) ours\b|\bour own\b": "name it: a Fealty process, a follow-up command",
    r"(?<!dead )(?<!dead-)\bletters\b": "dead letters",
    r"\bheld? .{0,20}against\b": "compared with, checked against",
    r"\bgood for (an|its|the) hour\b": "valid for an hour",
    r"\bnobody (waits|knows|listens|sees)\b": "name what is missing: no reply, unknown, invisible",
    r"\bdrawn\b": "generated, random",
    r"\bstood at\b|\bstands still\b": "was at, is stopped",
    r"\bworks? no more\b|\bno more do\b": "stops working",
    r"\bmend(s|ed|ing)?\b": "repair, correct",
    r"\bwholly\b": "completely",
    r"\b(is|are|was) away\b": "is not available",
    r"\bwhat (it|they|an? \w+|all \w+) comes? to\b": "the result, the sum",
    r"\bat the door\b|\bhouse rules?\b|\bdesk\b|\bwaiter\b": "name the thing by what it is",
}
"""A pattern, and what to write instead."""


def phrases(text: str) -> Iterator[str]:
    """What is found in a text, with the advice."""
    flat = " ".join(text.split())
    for pattern, instead in INSTEAD.items():
        for found in re.finditer(pattern, flat, re.IGNORECASE):
            yield f"“…{flat[max(0, found.start() - 30) : found.end() + 30]}…”; better: {instead}"


def texts(path: Path) -> Iterator[str]:
    """The texts in a module that somebody may see: every string but docstrings."""
    nodes = [*ast.walk(ast.parse(path.read_text()))]
    bodies = [body for node in nodes if isinstance(body := getattr(node, "body", None), list)]
    docstrings = {id(each.value) for body in bodies for each in body if isinstance(each, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_are_in_plain_words(page: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", "", page.read_text(), flags=re.DOTALL)
    assert [*phrases(prose)] == []


def test_help_texts_are_in_plain_words() -> None:
    for name, command in ALL.items():
        for text in (command.help, *(getattr(each, "help", None) for each in command.params)):
            assert [*phrases(text or "")] == [], name


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_messages_are_in_plain_words(path: Path) -> None:
    found = [each for text in texts(path) if " " in text.strip() for each in phrases(text)]
    assert found == []


def test_a_riddle_is_found() -> None:
    assert (
        len([*phrases("What is told of an order\nis heard by whoever is first, and is held against the books.")]) == 4
    )

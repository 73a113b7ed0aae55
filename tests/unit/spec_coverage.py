"""Which specs a service lacks: every command is accepted in one, refused in one for each code, and repeated in one.

What the specs show is noted while they run: `World.then` and its like call :func:`note` once they have compared. The
codes that a command can be refused with are read from the service's source, so that a new one needs a spec.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from schemas.base import Wire

ROOT = Path(__file__).parent.parent.parent
ACCEPTED, QUIET = "accepted", "quiet"

Shown = tuple[str, str]
"""A command's class by name, and what it came to: `accepted`, `quiet`, or the code of its refusal."""

_noted: set[Shown] = set()


def note(command: type[Wire], outcome: str) -> None:
    """A spec has just shown that a command comes to this."""
    _noted.add((command.__name__, outcome))


def shown_by(*modules: ModuleType) -> frozenset[Shown]:
    """What the tests of these modules show."""
    return frozenset[Shown]().union(*(_shown_by(module) for module in modules))


@cache
def _shown_by(module: ModuleType) -> frozenset[Shown]:
    """What one module's tests show: each is run with each of its parameters, here and now.

    One that fails shows nothing, and is told by itself.
    """
    _noted.clear()
    for name, test in vars(module).items():
        if name.startswith("test_"):
            for arguments in _parameters(test):
                with suppress(AssertionError):
                    test(**arguments)
    return frozenset(_noted)


def _parameters(test: Any) -> Iterator[dict[str, Any]]:
    axes = []
    for mark in getattr(test, "pytestmark", ()):
        assert mark.name == "parametrize", f"{test.__name__} is marked {mark.name}: a spec is a function of its rows"
        names = mark.args[0].split(", ") if isinstance(mark.args[0], str) else mark.args[0]
        axes.append([dict(zip(names, row if len(names) > 1 else (row,), strict=True)) for row in mark.args[1]])
    for row in product(*axes):
        yield {name: value for part in row for name, value in part.items()}


def lacking(
    commands: Iterable[type[Wire]],
    codes: Mapping[str, set[str]],
    never: Mapping[tuple[type[Wire], str], str],
    shown: Iterable[Shown],
) -> set[Shown]:
    """What no spec shows; `never` has what cannot come about though the source looks like it, and why not."""
    excepted = {(command.__name__, outcome) for command, outcome in never}
    wanted = {
        (command.__name__, outcome)
        for command in commands
        for outcome in (ACCEPTED, QUIET, *codes.get(command.__name__, ()))
    }
    assert excepted <= wanted, f"no exception is needed for {sorted(excepted - wanted)}"
    assert not excepted & {*shown}, f"this does come about: {sorted(excepted & {*shown})}"
    return wanted - excepted - {*shown}


class SpecCoverage:
    """The tests that a service has its specs; its subclass names its wire, its modules of specs and its exceptions."""

    service: ClassVar[str]
    commands: ClassVar[Mapping[str, type[Wire]]]
    refusal: ClassVar[type[StrEnum]]
    specs: ClassVar[Sequence[ModuleType]]
    never: ClassVar[Mapping[tuple[type[Wire], str], str]]

    @classmethod
    def codes(cls) -> dict[str, set[str]]:
        """The codes of each command."""
        return refusals_in_source(cls.service, cls.refusal)

    @classmethod
    def without_specs(cls, shown: Iterable[Shown]) -> set[Shown]:
        """What none of these specs shows."""
        return lacking(cls.commands.values(), cls.codes(), cls.never, shown)

    def test_every_command_and_every_refusal_has_a_spec(self) -> None:
        assert self.without_specs(shown_by(*self.specs)) == set()

    def test_every_code_can_come_about(self) -> None:
        codes = self.codes()
        assert {code for each in codes.values() for code in each} == {*self.refusal}
        assert codes.keys() == {command.__name__ for command in self.commands.values()}

    def test_specs_that_are_missing_are_found(self) -> None:
        """Each module has a spec that no other has."""
        for absent in self.specs:
            kept = shown_by(*(module for module in self.specs if module is not absent))
            assert self.without_specs(kept), f"nothing is lacking without {absent.__name__}"


# ── the codes in a service's source ─────────────────────────────────────────────────────────────────────────────────


@dataclass
class _Module:
    """A module's names: what each stands for here, and from where the others come."""

    own: dict[str, ast.AST] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)


@cache
def refusals_in_source(service: str, refusal: type[StrEnum]) -> dict[str, set[str]]:
    """The codes that can be reached from each command's case of `decide`, by the name of the command's class.

    What `decide` does for some commands before it comes to their cases counts for each of them.
    """
    modules = {_name(path): _module(path) for path in (ROOT / "services" / service).rglob("*.py")}
    start = f"services.{service}.decide"
    found: dict[str, set[str]] = {}
    for names, body in _cases(start, modules):
        codes = {
            refusal[node.attr].value
            for part in _reached(start, body, modules)
            for node in ast.walk(part)
            if isinstance(node, ast.Attribute) and node.attr in refusal.__members__
        }
        for name in names:
            found.setdefault(name, set()).update(codes)
    return found


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def _module(path: Path) -> _Module:
    module = _Module()
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                module.own[name] = node
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                module.own[name] = node
            case ast.ImportFrom(module=str(source)):
                module.imported.update({each.asname or each.name: (source, each.name) for each in node.names})
    return module


def _cases(start: str, modules: Mapping[str, _Module]) -> Iterator[tuple[list[str], Sequence[ast.AST]]]:
    """The classes of each case of `match`, and its body; and those of each `if isinstance(…, UNION)` before it."""
    for node in ast.walk(modules[start].own["decide"]):
        if isinstance(node, ast.match_case):
            classes = [each.cls for each in ast.walk(node.pattern) if isinstance(each, ast.MatchClass)]
            yield [each.id for each in classes if isinstance(each, ast.Name)], node.body
        elif isinstance(node, ast.If):
            for call in ast.walk(node.test):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "isinstance":
                    yield _members(start, call.args[1], modules), [node]


def _members(where: str, union: ast.AST, modules: Mapping[str, _Module]) -> list[str]:
    """The classes of a union that stands there, or under a name."""
    assert isinstance(union, ast.Name)
    source, name = modules[where].imported.get(union.id, (where, union.id))
    value = getattr(modules[source].own[name], "value")  # noqa: B009 - an assignment, which has one
    return [each.id for each in ast.walk(value) if isinstance(each, ast.Name)]


def _reached(module: str, start: Sequence[ast.AST], modules: Mapping[str, _Module]) -> Iterator[ast.AST]:
    """What stands behind the names in `start`, and behind the names in that, within the service."""
    todo: list[tuple[str, ast.AST]] = [(module, node) for node in start]
    seen: set[tuple[str, str]] = set()
    while todo:
        where, node = todo.pop()
        yield node
        for source, name in {*_names(where, node, modules)} - seen:
            seen.add((source, name))
            todo.append((source, modules[source].own[name]))


def _names(where: str, node: ast.AST, modules: Mapping[str, _Module]) -> Iterator[tuple[str, str]]:
    """The service's own things that are named in `node`, also as members of one of its modules: `credits.load`."""
    imported = modules[where].imported
    for each in ast.walk(node):
        match each:
            case ast.Name(id=name):
                source, known = imported.get(name, (where, name))
            case ast.Attribute(value=ast.Name(id=name), attr=known) if name in imported:
                source = ".".join(imported[name])
            case _:
                continue
        if source in modules and known in modules[source].own:
            yield source, known

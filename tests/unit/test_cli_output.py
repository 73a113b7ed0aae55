"""What commands show: the same rows for people, for a pipe and for programs; and settings that do not exist."""

import asyncio
import inspect
import json
import re
import shlex
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer
from rich.console import Console
from typer.testing import CliRunner

from cli.commands import console
from cli.commands.demo_clients import DEMO_CLIENTS
from cli.commands.environment import unknown_settings
from cli.commands.output import Form, Sheet, _table, facts, print_json, printable, say, show
from cli.commands.status import Standing, size, well
from cli.importing import Format
from cli.main import app
from services.registry import JOURNALED, SERVICES
from shared.clock import instant

SHOW_NOTHING = frozenset(
    {
        *("run", "up", "republish", "token", "env", "skip", "unknown-accounts replay"),
        *("clients disable", "clients enable", "clients remove", "clients rotate-key"),
        *("dead-letters replay", "dead-letters remove"),
    }
)
"""Commands that do something and say in a line that it is done; `report liability` has `--format`."""


def commands(group: Any, path: str = "") -> dict[str, Any]:
    """Every command by its words."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        inner = f"{path} {name}".strip()
        found |= commands(command, inner) if hasattr(command, "commands") else {inner: command}
    return found


ALL = commands(typer.main.get_command(app))


def example_of(name: str) -> list[str]:
    """The words of the example in a command's help, without `fealty`."""
    found = re.search(r"Example: fealty (.*)", ALL[name].help)
    assert found, name
    return shlex.split(found[1].partition(" > ")[0])


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_command_that_shows_something_has_json(name: str) -> None:
    options = {option for parameter in ALL[name].params for option in parameter.opts}
    assert ("-o" in options or "--format" in options) != (name in SHOW_NOTHING), name


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_option_and_argument_is_described(name: str) -> None:
    assert ALL[name].help
    for parameter in ALL[name].params:
        if parameter.name != "help":
            assert parameter.help, (name, parameter.name)


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_command_has_an_example_that_can_be_typed(name: str) -> None:
    words, options = name.split(), example_of(name)
    assert options[: len(words)] == words
    ALL[name].make_context(name, options[len(words) :])


UNITS = {
    "CARDS": "cards",
    "LETTERS": "dead letters",
    "NUMBERS": "account numbers",
    "REFUSALS": "refusals",
    "ROWS": "rows",
}
"""What numbers are given in: as a number's place in the usage says it, and its help."""

CHOICES = {
    "service": tuple(SERVICES),
    "client": tuple(DEMO_CLIENTS),
    "file_format": tuple(Format),
    "form": ("table", "csv", "json"),
}
"""Texts of which there are only so many."""


def given(name: str, *types: Any) -> Iterator[tuple[Any, str]]:
    """The options and arguments of a command that take such a value, each with what names it in a failure."""
    for parameter in ALL[name].params:
        descriptor = getattr(parameter, "type_descriptor", None)
        if descriptor is not None and descriptor.annotation in types:
            yield parameter, f"{name} {parameter.opts[0]}: {parameter.help}"


@pytest.mark.parametrize("name", sorted(ALL))
def test_numbers_say_their_unit(name: str) -> None:
    for parameter, where in given(name, int, float, Decimal):
        assert parameter.metavar in UNITS, where
        assert UNITS[parameter.metavar] in parameter.help, where


def test_there_are_numbers() -> None:
    assert sum(1 for name in ALL for _ in given(name, int, float, Decimal)) >= len(UNITS)


@pytest.mark.parametrize("name", sorted(ALL))
def test_texts_say_how_they_are_written(name: str) -> None:
    for parameter, where in given(name, str, list[str]):
        if parameter.name in CHOICES:
            choices = JOURNALED if parameter.name == "service" and name != "run" else CHOICES[parameter.name]
            assert all(choice in parameter.help for choice in choices), where
        elif "FILE" not in (parameter.metavar or ""):
            assert re.search(r"\blike \w", parameter.help), where


@pytest.mark.parametrize("name", sorted(ALL))
def test_times_and_days_say_how_they_are_written(name: str) -> None:
    for parameter in ALL[name].params:
        written = re.search(r"like ([\d:TZ-]+)", parameter.help or "")
        if parameter.metavar == "INSTANT":
            assert "RFC 3339" in parameter.help
            assert written
            assert datetime.fromisoformat(written[1]).tzinfo is not None
        elif parameter.metavar == "DAY":
            assert written
            assert date.fromisoformat(written[1])
        else:
            assert parameter.name not in ("since", "until", "to"), (name, parameter.name)


def test_the_table_of_exit_codes_names_what_may_end_with_2() -> None:
    """Whose work is done under `one_line(code=2)` could not look when it ends with 2."""
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    rows = re.findall(r"^\| (\d+) \| (.*?) \|", page, re.MULTILINE)
    assert {code for code, _ in rows} == {"0", "1", "2", "130"}
    looks = {name for name, command in ALL.items() if "one_line(code=2)" in inspect.getsource(command.callback)}
    documented = [set(re.findall(r"`([^`]+)`", of)) for code, of in rows if "`" in of]
    assert len(documented) == 2
    for names in documented:
        assert {name for name in ALL if name in names or name.split()[0] in names} == looks


def sheet() -> Sheet:
    """Two rows, one with what a terminal must not see."""
    made = Sheet(("topic", "stood at", "price"))
    made.add("points.commands", 12, Decimal("1.50"))
    made.add("a\tb\x1b[2J\nc", None, instant(0))
    return made


def test_a_pipe_gets_a_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    show(sheet(), Form.TABLE)
    assert capsys.readouterr().out == (
        "topic\tstood at\tprice\npoints.commands\t12\t1.50\na b\\x1b[2J c\t\t1970-01-01T00:00:00.000Z\n"
    )


def test_a_program_gets_json(capsys: pytest.CaptureFixture[str]) -> None:
    show(sheet(), Form.JSON)
    out = capsys.readouterr().out
    assert json.loads(out, parse_float=Decimal)[0] == {
        "topic": "points.commands",
        "stoodAt": 12,
        "price": Decimal("1.50"),
    }
    show(Sheet(("a",), documents=[]), Form.JSON, "nothing")
    assert capsys.readouterr().out == "[]\n"


def test_a_table_fits_eighty_columns() -> None:
    made = Sheet(("at", "code", "topic", "order", "account", "id"))
    id_ = "5d0d1f0a-7c00-5000-8000-000000000001"
    made.add(instant(0), "order_amendment_below_facts", "oms.fulfilments", "W-2026-12345", "6299000000000000017", id_)
    console = Console(width=80, record=True)
    with console.capture() as capture:
        console.print(_table(made))
    assert max(map(len, capture.get().splitlines())) <= 80


def test_control_characters_reach_no_terminal() -> None:
    assert printable("a\x1b]0;x\x07\u202eb") == "a\\x1b]0;x\\x07\\u202eb"


def test_a_setting_that_does_not_exist_is_named() -> None:
    given = [
        "FEALTY_SECRET",
        "FEALTY_SECRETT",
        "FEALTY_POINTS_SERVICE_HOST",
        "FEALTY_PORT_80_TCP",
        "FEALTY_ROOT",
        "HOME",
    ]
    assert [*unknown_settings(given)] == [
        "unknown setting FEALTY_SECRETT, which is ignored; did you mean FEALTY_SECRET?"
    ]


@pytest.mark.parametrize("terminal", [True, False])
def test_whoever_looks_on_is_told_within_a_second(
    terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow() -> int:
        await asyncio.sleep(0.1)
        return 7

    assert console._QUIET_MAX_S <= 1
    monkeypatch.setattr(console, "_QUIET_MAX_S", 0.01)
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    assert console.execute(slow(), waits="for an answer") == 7
    told = "fealty: waiting for an answer; press Ctrl-C to stop\n" if terminal else ""
    assert capsys.readouterr().err == told


def test_the_version_is_told() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, "fealty 0.1.0\n")


def test_all_is_well_when_everything_runs_and_nothing_was_put_aside() -> None:
    good = Standing("points", processes=1, behind=3, letters=0)
    assert well([good])
    for bad in (
        Standing("points", processes=0, letters=0),
        Standing("points", processes=1, letters=1),
        Standing("points", processes=1, letters=0, faults=["away"]),
        Standing("points"),
    ):
        assert not well([good, bad])
    assert [size(0), size(1536), size(5 * 1024**4)] == ["0 B", "1.5 KiB", "5.0 TiB"]


HOSTILE = "\x1b[2Jboo\x9b31m\u202e\x07\ud800"
"""What clears a screen, colours, turns the line and rings, and what no terminal could be sent."""


def hostile(printed: str) -> bool:
    return any(not each.isprintable() and each != "\n" for each in printed)


@pytest.mark.parametrize("form", [Form.TABLE, Form.JSON])
def test_nothing_that_is_shown_reaches_a_terminal_raw(capsys: pytest.CaptureFixture[str], form: Form) -> None:
    shown = Sheet(("what",), title=None if form is Form.JSON else HOSTILE)
    told = HOSTILE.removesuffix("\ud800") if form is Form.JSON else HOSTILE  # No document has half of a character.
    shown.add(told)
    show(shown, form)
    facts({"what": told}, form)
    console.complain(HOSTILE)
    console.out().print(HOSTILE, soft_wrap=True)
    say(HOSTILE)
    with pytest.raises(typer.Exit), console.one_line():
        raise console.Failure(HOSTILE)
    printed = capsys.readouterr()
    assert "boo" in printed.out
    assert "boo" in printed.err
    assert not hostile(printed.out + printed.err)


def test_escaped_json_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    text = "a\x85\u202e\U000e0041é"
    print_json({"text": text})
    assert json.loads(capsys.readouterr().out) == {"text": text}


def test_a_log_of_a_command_is_printable(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    try:
        console.quiet_logs()
        structlog.get_logger().error("boo", value=HOSTILE[:3])
    finally:
        structlog.configure(**before)
    assert "\\x1b[2" in capsys.readouterr().err

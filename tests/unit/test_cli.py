"""The command line without servers: every error is one line, and nothing is sent before all is valid."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from cli.commands.apply import UNANSWERED, Outcome
from cli.commands.console import QUIETED
from cli.commands.environment import settings_at
from cli.commands.topics import keeps
from cli.main import app
from services.registry import SERVICES
from shared.settings import Settings
from tests.unit.declaration_cases import ONE, programme, write

DEMO = Path(__file__).parents[2] / "demo"
NOBODY = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "MONGODB_URL": "mongodb://127.0.0.1:1/"}


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """A command quiets the logs of its process, which are those of all tests: they are as before afterwards."""
    configured = structlog.get_config()
    levels = {name: logging.getLogger(name).level for name in QUIETED}
    yield
    structlog.configure(**configured)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No addresses from the environment, and no stack in the directory."""
    for name in (*NOBODY, "FEALTY_KAFKA", "FEALTY_MONGODB", "FEALTY_ROOT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def fealty(*arguments: str, stdin: str = "", **environment: str) -> tuple[int, str, list[str]]:
    """Exit status, standard output, and the lines of standard error."""
    result = CliRunner().invoke(app, list(arguments), input=stdin, env=environment)
    return result.exit_code, result.stdout, result.stderr.splitlines()


# ── declarations ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_all_faults_of_all_files_are_told_and_nothing_is_sent(tmp_path: Path) -> None:
    one, two = write(tmp_path, ONE), write(tmp_path, ONE, "two.yaml")
    wrong = write(tmp_path, "programmes: [{id: ''}]", "wrong.yaml")
    code, _, errors = fealty("apply", "-f", one, "-f", wrong, "-f", two, "-f", str(tmp_path / "none.yaml"))
    assert code == 1
    assert [line.removeprefix(f"fealty: {tmp_path}/") for line in errors] == [
        "wrong.yaml:1:19: /programmes/0/id: String should have at least 1 character",
        "wrong.yaml:1:14: /programmes/0/descriptions: Field required",
        "none.yaml: No such file or directory",
        f"two.yaml:1:19: /programmes/0/id: is also declared at {one}:1:14",
    ]


def test_a_dry_run_tells_what_only_the_store_can_know_and_strict_refuses_it(tmp_path: Path) -> None:
    file = write(tmp_path, programme("purchases: [{voucherId: W, price: 010}]"))
    warnings = [
        f"fealty: warning: {file}:2:79: 010 is read as 10; write 10",
        f"fealty: warning: {file}:2:69: /programmes/0/purchases/0/voucherId: there is no voucher W",
    ]
    valid = "valid: 1 vouchers, 1 programmes, 0 tier sets, 0 gift card types; nothing was sent\n"
    assert fealty("apply", "--dry-run", "-f", file) == (0, valid, warnings)
    refused = "fealty: 2 warnings, which --strict takes for errors; nothing was sent"
    assert fealty("apply", "--dry-run", "--strict", "-f", file) == (1, "", [*warnings, refused])


def test_a_dry_run_needs_no_server(tmp_path: Path) -> None:
    file = str(DEMO / "programmes.yaml")
    assert fealty("apply", "--dry-run", "-f", file) == (
        0,
        "valid: 4 vouchers, 4 programmes, 1 tier sets, 0 gift card types; nothing was sent\n",
        [],
    )
    assert fealty("apply", "--dry-run", "-f", "-", stdin=ONE) == (
        0,
        "valid: 0 vouchers, 1 programmes, 0 tier sets, 0 gift card types; nothing was sent\n",
        [],
    )
    assert fealty("apply", "--dry-run", "-f", "-", stdin="[")[0] == 1


def test_an_unanswered_declaration_is_not_good() -> None:
    assert not Outcome("programme", "A", UNANSWERED).good


# ── settings and servers ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_addresses_of_the_running_stack_are_used_unless_the_environment_gives_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    default = Settings()
    assert settings_at(tmp_path) == default
    (tmp_path / "endpoints.json").write_text(
        json.dumps({"http": "h", "kafka": "localhost:1", "mongodb": "mongodb://localhost"})
    )
    assert (settings_at(tmp_path).kafka, settings_at(tmp_path).mongodb) == ("localhost:1", "mongodb://localhost")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    assert (settings_at(tmp_path).kafka, settings_at(tmp_path).mongodb) == ("127.0.0.1:1", "mongodb://localhost")


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_broken_file_of_addresses_is_told(content: str, tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_text(content)
    code, _, errors = fealty("topics", "--root", str(tmp_path))
    assert code == 1
    assert len(errors) == 1
    assert "endpoints.json cannot be read" in errors[0]


def test_a_wrong_setting_is_told_by_its_variable() -> None:
    code, _, errors = fealty("verify", FEALTY_PARTITIONS="0")
    assert code == 2
    assert errors == ["fealty: FEALTY_PARTITIONS: Input should be greater than 0"]


def test_without_servers_each_command_says_so_in_one_line(tmp_path: Path) -> None:
    quick = {**NOBODY, "FEALTY_REQUEST_TIMEOUT_MS": "500"}
    for arguments in (
        ["topics"],
        ["apply", "-f", write(tmp_path, ONE)],
        ["verify"],
        ["dead-letters", "list"],
        ["dead-letters", "show", "points.commands/0/0"],
        ["dead-letters", "replay", "--all"],
    ):
        code, out, errors = fealty(*arguments, **quick)
        assert (code, out) == (2 if arguments == ["verify"] else 1, ""), arguments
        assert len(errors) == 1, errors
        assert "fealty up" in errors[0]


# ── the commands ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_service_is_told() -> None:
    services = ", ".join(SERVICES)
    assert fealty("run", "till") == (1, "", [f"fealty: unknown service 'till'; choose one of {services}"])
    assert fealty("verify", "--service", "edge")[0] == 2
    assert fealty("dead-letters", "list", "--service", "edge")[0] == 1


def test_replay_wants_ids_or_all() -> None:
    for arguments in ([], ["points.commands/0/0", "--all"]):
        code, _, errors = fealty("dead-letters", "replay", *arguments)
        assert code == 1
        assert errors == ["fealty: give the ids of the dead letters to replay, or --all"]


def test_every_command_has_a_line_of_help() -> None:
    assert fealty()[0] == 0
    for words in (
        ["run"],
        ["topics"],
        ["apply"],
        ["verify"],
        ["up"],
        ["dead-letters", "list"],
        ["clients", "add"],
        ["token"],
    ):
        code, out, errors = fealty(*words, "--help")
        assert (code, errors) == (0, [])
        assert "Usage" in out


@pytest.mark.parametrize("arguments", [["fly"], ["apply"], ["topics", "--colour"], ["dead-letters"]])
def test_a_wrong_command_line_is_one_line_too(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "cli", *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("fealty: ")


def test_how_long_topics_keep_their_records() -> None:
    assert keeps({"retention.ms": str(6 * 24 * 3_600_000)}) == "6 days"
    assert keeps({"retention.ms": "-1"}) == "for ever"
    assert keeps({"cleanup.policy": "compact"}) == "the latest record of each key"


def test_brackets_in_a_help_text_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The renderer of help texts takes them for markup unless they are escaped, and leaves them out."""
    monkeypatch.setenv("COLUMNS", "200")
    assert "pip install 'fealty[parquet]'" in CliRunner().invoke(app, ["export", "changes", "--help"]).output

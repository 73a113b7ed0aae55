"""Fetching, and which server is used; the package managers are stand-ins on a PATH of the test's."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared.embedded import fetch
from shared.embedded.errors import FetchError, StackError
from shared.embedded.locate import External, locate_kafka, locate_mongod

FILES = Path(fetch.__file__).parent


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Nothing in the environment, and a PATH with one directory of the test's own."""
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_HOME", "MONGODB_URL", "JAVA_HOME"):
        monkeypatch.delenv(name, raising=False)
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    return programs


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_the_version_in_the_directory_name_is_the_pinned_one() -> None:
    assert f"<version>{fetch.KAFKA_VERSION}</version>" in (FILES / "pom.xml").read_text()


def test_without_java_the_line_names_what_to_install_and_the_variable() -> None:
    with pytest.raises(StackError) as caught:
        locate_kafka()
    message = str(caught.value)
    assert "Java 17" in message
    assert "KAFKA_BOOTSTRAP_SERVERS" in message
    assert "\n" not in message


def test_without_maven_the_line_names_what_to_install_and_the_variables(tmp_path: Path) -> None:
    with pytest.raises(FetchError) as caught:
        fetch.fetch_kafka(tmp_path / "servers")
    message = str(caught.value)
    assert all(word in message for word in ("Maven", "KAFKA_HOME", "KAFKA_BOOTSTRAP_SERVERS"))
    assert "\n" not in message


def test_a_failing_maven_is_one_line_and_leaves_nothing(bare: Path, tmp_path: Path) -> None:
    program(bare / "mvn", "echo '[ERROR] no route to the repository'; echo '[ERROR] more'; exit 1")
    with pytest.raises(FetchError, match=r"KAFKA_HOME.*\(\[ERROR\] no route to the repository\)$") as caught:
        fetch.fetch_kafka(tmp_path / "servers")
    assert "\n" not in str(caught.value)
    assert [path.name for path in (tmp_path / "servers").iterdir()] == [".lock"]


def test_a_failing_pip_is_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, bare: Path, tmp_path: Path
) -> None:
    program(bare / "python", "echo 'ERROR: No matching distribution found'; exit 1")
    monkeypatch.setattr(sys, "executable", str(bare / "python"))
    with pytest.raises(FetchError, match=r"MONGODB_URL.*\(ERROR: No matching distribution found\)$"):
        fetch.fetch_mongod(tmp_path / "servers")


def test_a_killed_fetch_leaves_nothing_that_looks_complete(bare: Path, tmp_path: Path) -> None:
    servers = tmp_path / "servers"
    # It writes one jar of several into the directory that it was told, then hangs.
    half = 'for word; do out="${word#-DoutputDirectory=}"; done; /bin/mkdir -p "$out"; echo x >"$out/a.jar"'
    program(bare / "mvn", f"{half}; echo $$ >'{tmp_path}/pid'; exec /bin/sleep 60")
    code = "import pathlib, sys; from shared.embedded.fetch import fetch_kafka; fetch_kafka(pathlib.Path(sys.argv[1]))"
    killed = subprocess.Popen([sys.executable, "-c", code, str(servers)])
    try:
        deadline = time.monotonic() + 20
        while not (tmp_path / "pid").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert list(servers.glob(".fetch-*/kafka/libs/a.jar"))
    finally:
        killed.kill()
        killed.wait()
    assert not (servers / f"kafka-{fetch.KAFKA_VERSION}").exists()
    maven = Path("/proc", (tmp_path / "pid").read_text().strip(), "cmdline")
    while maven.exists() and maven.read_bytes() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not maven.exists() or not maven.read_bytes(), "Maven dies with who called it"

    program(bare / "mvn", half)
    home = fetch.fetch_kafka(servers)
    assert [path.name for path in (home / "libs").iterdir()] == ["a.jar"]
    assert not list(servers.glob(".fetch-*"))
    (bare / "mvn").unlink()
    assert fetch.fetch_kafka(servers) == home  # there already: no Maven needed


def test_the_environment_wins_and_hides_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "broker:9092")
    monkeypatch.setenv("MONGODB_URL", "mongodb://user:secret@db/?replicaSet=rs0")
    assert locate_kafka() == External("broker:9092")
    mongo = locate_mongod()
    assert mongo == External("mongodb://user:secret@db/?replicaSet=rs0")
    assert "secret" not in str(mongo)


def test_servers_of_this_machine_are_used(monkeypatch: pytest.MonkeyPatch, bare: Path, tmp_path: Path) -> None:
    program(bare / "java", "")
    program(bare / "mongod", "")
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path / "kafka"))
    with pytest.raises(StackError, match=r"KAFKA_HOME is .*no libs/kafka_\*\.jar"):
        locate_kafka()
    (tmp_path / "kafka" / "libs").mkdir(parents=True)
    (tmp_path / "kafka" / "libs" / "kafka_2.13-4.3.1.jar").touch()
    assert locate_kafka() == tmp_path / "kafka"
    assert locate_mongod() == bare / "mongod"

"""What a stack writes is its owner's alone, also what an earlier release left open."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.embedded.private import make_private, write_private


def mode(path: Path) -> int:
    """Its permissions."""
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def generous() -> Iterator[None]:
    """A umask under which everybody may read and write."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("generous")
def test_what_is_open_is_mended_and_what_is_not_of_a_stack_is_left_alone(tmp_path: Path) -> None:
    for name in ("data/kafka/content/0.log", "logs/edge.log", "servers/mongod", "own/notes", "endpoints.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch(mode=0o666)
    (tmp_path / "servers" / "mongod").chmod(0o755)
    (tmp_path / "data" / "link").symlink_to(tmp_path / "own")
    make_private(tmp_path)
    assert {
        name: oct(mode(tmp_path / name)) for name in ("", "data/kafka/content", "logs", "servers")
    } == dict.fromkeys(("", "data/kafka/content", "logs", "servers"), "0o700")
    assert {mode(tmp_path / name) for name in ("data/kafka/content/0.log", "logs/edge.log", "endpoints.json")} == {
        0o600
    }
    assert mode(tmp_path / "servers" / "mongod") == 0o700
    assert (mode(tmp_path / "own"), mode(tmp_path / "own" / "notes")) == (0o777, 0o666)


@pytest.mark.usefixtures("generous")
def test_a_small_file_is_private_whatever_was_there(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    path.touch(mode=0o666)
    write_private(path, "{}")
    assert (mode(path), path.read_text(), [*tmp_path.iterdir()]) == (0o600, "{}", [path])

"""One stack at a time uses a root, and a fresh one takes nobody's data."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import stack as benchmark
from shared.embedded import stack as module
from shared.embedded.errors import StackError
from shared.embedded.locate import External
from shared.embedded.stack import Stack


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file among the data of the benchmark's stack, whose servers are others' and answer."""

    async def answers(_: str) -> bool:
        return True

    for name in ("kafka", "mongod"):
        monkeypatch.setattr(module, f"locate_{name}", lambda: External("127.0.0.1:1"))
    monkeypatch.setattr(module, "kafka_answers", answers)
    monkeypatch.setattr(module, "mongo_answers", answers)
    monkeypatch.setattr(benchmark, "ROOT", tmp_path)
    file = tmp_path / "data" / "mongo" / "journal"
    file.parent.mkdir(parents=True)
    file.touch()
    clients = logging.getLogger("aiokafka")
    level = clients.level
    yield file
    clients.setLevel(level)  # A benchmark silences them.


def is_there(path: Path) -> bool:
    return path.exists()


async def test_data_survive(tmp_path: Path, data: Path) -> None:
    async with Stack(tmp_path):
        assert is_there(data)


async def test_a_fresh_stack_has_none(data: Path) -> None:
    async with benchmark.fresh_stack():
        assert not is_there(data)


async def test_a_fresh_stack_leaves_the_data_of_one_that_runs(tmp_path: Path, data: Path) -> None:
    async with Stack(tmp_path):
        with pytest.raises(StackError, match="another stack"):
            await benchmark.fresh_stack().start()
        assert is_there(data)

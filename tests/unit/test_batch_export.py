"""Where an export for the printer is written, and how it is found again."""

import json
from pathlib import Path

import pytest

from cli.commands import batch_export
from cli.commands.console import Failure

BATCH = "summer"


def begun(file: Path, batch: str = BATCH, resume: str | None = None) -> tuple[str, bool]:
    return batch_export._export_of(batch_export._Place.of(file), batch, resume)


def test_an_export_is_found_again_by_its_file(tmp_path: Path) -> None:
    file = tmp_path / "printer.csv"
    first, is_new = begun(file)
    assert is_new
    assert begun(file) == (first, False)
    note = tmp_path / "printer.csv.export"
    assert json.loads(note.read_text()) == {"batch": BATCH, "exportId": first}
    assert note.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [note.name]
    assert begun(tmp_path / "other.csv")[0] != first


def test_an_export_whose_files_are_lost_is_named(tmp_path: Path) -> None:
    assert begun(tmp_path / "printer.csv", resume="lost") == ("lost", True)
    assert begun(tmp_path / "printer.csv") == ("lost", False)


def test_no_file_is_written_over(tmp_path: Path) -> None:
    file = tmp_path / "printer.csv"
    file.touch()
    with pytest.raises(Failure, match="exists already"):
        begun(file)
    begun(tmp_path / "other.csv")
    with pytest.raises(Failure, match="is being written for the batch summer"):
        begun(tmp_path / "other.csv", "winter")

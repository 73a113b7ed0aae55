"""Exports: what is read back is what was written, and whatever cuts one short, no row is lost or doubled."""

import csv
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from cli.exporting import formats
from cli.exporting.columns import BALANCES, CARD_CHANGES, CARDS, CHANGES, Column, Type
from cli.exporting.formats import Format, NoParquet, Row, open_writer
from cli.exporting.parts import MANIFEST, WHOLE, Manifest, Unfit, parts_in

COLUMNS = (
    Column("name", Type.TEXT, "A name."),
    Column("count", Type.INTEGER, "A count."),
    Column("sum", Type.AMOUNT, "A sum."),
    Column("price", Type.MONEY, "A price."),
    Column("at", Type.TIME, "A time."),
)
AT = datetime(2026, 11, 22, 10, 0, 1, 123_000, UTC)
ROWS: list[Row] = [
    ('a "quoted", name\nof é', 2**62, Decimal("-123456789012345678.90"), Decimal("123456789012345678.9012"), AT),
    (None, None, None, None, None),
    ("", 0, Decimal(0), Decimal(0), AT),
]


def written(tmp_path: Path, format_: Format, rows: list[Row]) -> Path:
    """A file with these rows, written in two steps."""
    path = tmp_path / f"part.{format_}"
    writer = open_writer(path, format_, COLUMNS)
    writer.write(rows[:1])
    writer.write(rows[1:])
    writer.close()
    return path


def test_csv(tmp_path: Path) -> None:
    with written(tmp_path, Format.CSV, ROWS).open(newline="", encoding="utf-8") as file:
        assert [*csv.reader(file)] == [
            ["name", "count", "sum", "price", "at"],
            [
                'a "quoted", name\nof é',
                str(2**62),
                "-123456789012345678.90",
                "123456789012345678.9012",
                "2026-11-22T10:00:01.123Z",
            ],
            ["", "", "", "", ""],
            ["", "0", "0", "0", "2026-11-22T10:00:01.123Z"],
        ]


def test_json_lines(tmp_path: Path) -> None:
    lines = written(tmp_path, Format.JSONL, ROWS).read_text().splitlines()
    found = [json.loads(line, parse_float=Decimal) for line in lines]
    sums = Decimal("-123456789012345678.9"), Decimal("123456789012345678.9012")
    assert [*found[0].values()] == [ROWS[0][0], 2**62, *sums, "2026-11-22T10:00:01.123Z"]
    assert [*found[1].values()] == [None] * 5


@pytest.mark.parametrize("rows_a_group", [1, 20_000])
def test_parquet_has_types(tmp_path: Path, rows_a_group: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "_GROUP_ROWS", rows_a_group)
    path = written(tmp_path, Format.PARQUET, ROWS)
    table = pyarrow.parquet.read_table(path)
    assert [str(field.type) for field in table.schema] == [
        "string",
        "int64",
        "decimal128(20, 2)",
        "decimal128(22, 4)",
        "timestamp[ms, tz=UTC]",
    ]
    assert [tuple(row.values()) for row in table.to_pylist()] == ROWS
    assert pyarrow.parquet.ParquetFile(path).num_row_groups == (3 if rows_a_group == 1 else 1)


def test_without_pyarrow_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(NoParquet, match=r"pip install 'fealty\[parquet\]'"):
        open_writer(tmp_path / "part", Format.PARQUET, COLUMNS)


def test_every_column_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "analysts.md").read_text()
    for column in (*CHANGES, *BALANCES, *CARD_CHANGES, *CARDS):
        assert f"| `{column.name}` | {column.type} | {column.description} |" in page


# ── cut short ───────────────────────────────────────────────────────────────────────────────────────────────────────

PAGES = [[(f"r{page}-{row}", row, Decimal(row), Decimal(row), AT) for row in range(3)] for page in range(12)]


def manifest(format_: Format = Format.JSONL, store: str = "default") -> Manifest:
    return Manifest(export="changes", format=format_, store=store)


def export(directory: Path, format_: Format) -> None:
    """Write all pages, two a file, from where it was."""
    with parts_in(directory, manifest(format_), COLUMNS, 5) as parts:
        place = parts.after
        for number in range(int(place or -1) + 1, len(PAGES)):
            place = str(number)
            parts.add(PAGES[number], place)
        parts.complete(place)


def steps(kill_at: int) -> Iterator[None]:
    """Let so many durable steps be done, then kill the process before the next."""
    for _ in range(kill_at):
        yield
    os.kill(os.getpid(), signal.SIGKILL)


def killed_at(step: int, work: Callable[[], None]) -> bool:
    """Whether `work`, in a process of its own, was killed before its `step`th durable step."""
    child = os.fork()
    if child == 0:
        left = steps(step)
        fsync, replace, touch = os.fsync, Path.replace, Path.touch

        def counted(before: Callable[..., object]) -> Callable[..., object]:
            def step_(*arguments: object) -> object:
                next(left)
                return before(*arguments)

            return step_

        os.fsync = counted(fsync)  # type: ignore[assignment]
        Path.replace = counted(replace)  # type: ignore[method-assign, assignment]
        Path.touch = counted(touch)  # type: ignore[method-assign, assignment]
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert status == 0 or os.WIFSIGNALED(status)
    return os.WIFSIGNALED(status)


def names(directory: Path) -> list[str]:
    """The first column of all rows that the export counts, in order."""
    found = Manifest.model_validate_json((directory / MANIFEST).read_bytes())
    lines = [line for part in found.parts for line in (directory / part).read_text().splitlines()]
    assert found.rows == len(lines)
    return [json.loads(line)["name"] for line in lines]


ALL = [str(row[0]) for page in PAGES for row in page]


def test_killed_at_every_step_and_gone_on(tmp_path: Path) -> None:
    """First killed at one step of a fresh export, then gone on with; and killed at a later step each time."""
    for step in range(200):
        directory = tmp_path / str(step)
        if not killed_at(step, partial(export, directory, Format.JSONL)):
            break
        if (directory / WHOLE).exists():  # Killed after the last word.
            assert names(directory) == ALL
            continue
        if (directory / MANIFEST).exists():
            assert names(directory) == ALL[: len(names(directory))]
        export(directory, Format.JSONL)
        assert names(directory) == ALL
        assert sorted(path.name for path in directory.glob("part-*")) == [f"part-{n:05}.jsonl" for n in range(6)]
    else:
        raise AssertionError("it never came to its end")
    assert step > 40
    again = tmp_path / "again"
    for step in range(8, 200):
        if not killed_at(step, partial(export, again, Format.JSONL)):
            break
    assert names(again) == ALL


@pytest.mark.parametrize(
    ("left", "message"),
    [
        ({WHOLE: ""}, "has a complete export"),
        ({"other": ""}, "is not empty"),
        ({MANIFEST: "{"}, "cannot be read"),
        (
            {MANIFEST: manifest(Format.CSV).model_dump_json()},
            "an unfinished export of changes as csv of the store default",
        ),
        ({MANIFEST: manifest(store="b").model_dump_json()}, "of the store b"),
        (
            {MANIFEST: manifest().model_copy(update={"parts": ["part-00000.jsonl"]}).model_dump_json()},
            "lacks part-00000.jsonl",
        ),
    ],
)
def test_what_is_in_the_way_is_told(left: dict[str, str], message: str, tmp_path: Path) -> None:
    for name, text in left.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(Unfit, match=message):
        export(tmp_path, Format.JSONL)
    assert {path.name for path in tmp_path.iterdir()} == left.keys()


def test_two_exports_do_not_write_to_one_directory(tmp_path: Path) -> None:
    with parts_in(tmp_path, manifest(), COLUMNS, 5), pytest.raises(Unfit, match="another export is writing to"):
        export(tmp_path, Format.JSONL)


def test_an_export_without_rows_has_a_file(tmp_path: Path) -> None:
    with parts_in(tmp_path, manifest(Format.CSV), COLUMNS, 5) as parts:
        parts.complete("")
    assert (tmp_path / "part-00000.csv").read_bytes() == b"name,count,sum,price,at\r\n"

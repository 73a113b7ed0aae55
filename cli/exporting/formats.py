"""Writing rows as Parquet, CSV or JSON lines, with bounded memory."""

import csv
import os
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from cli.exporting.columns import AMOUNT_DIGITS, AMOUNT_SCALE, MONEY_DIGITS, MONEY_SCALE, Column, Type
from schemas.base import format_instant
from shared.errors import FealtyError
from shared.hashing import to_json

_GROUP_ROWS = 20_000
"""Rows of one Parquet row group, which lie in memory until it is written."""

Row = Sequence[str | int | Decimal | datetime | None]


class Format(StrEnum):
    """How the files of an export are written."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


class Writer(Protocol):
    """One file that is written from its begin to its end."""

    def write(self, rows: Sequence[Row]) -> None:
        """Append rows."""

    def close(self) -> None:
        """Finish the file; what it holds is on disk then."""


class NoParquet(FealtyError):
    """pyarrow is not installed."""


def open_writer(path: Path, format_: Format, columns: Sequence[Column]) -> Writer:
    """A writer of a new file.

    :raises NoParquet: Parquet is wanted and cannot be written here.
    """
    match format_:
        case Format.CSV:
            return _Csv(path, columns)
        case Format.JSONL:
            return _JsonLines(path, columns)
        case Format.PARQUET:
            return _Parquet(path, columns)


class _Csv:
    """RFC 4180 in UTF-8 with a header line; what is null is empty, amounts have their digits, times are RFC 3339."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._file = path.open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file)
        self._writer.writerow([column.name for column in columns])

    def write(self, rows: Sequence[Row]) -> None:
        """Append rows."""
        self._writer.writerows([[_text(value) for value in row] for row in rows])

    def close(self) -> None:
        """Finish the file."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


class _JsonLines:
    """An object a line; amounts are numbers, digit by digit, times RFC 3339."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._file = path.open("wb")
        self._names = [column.name for column in columns]

    def write(self, rows: Sequence[Row]) -> None:
        """Append rows."""
        for row in rows:
            values = (format_instant(value) if isinstance(value, datetime) else value for value in row)
            self._file.write(to_json(dict(zip(self._names, values, strict=True))) + b"\n")

    def close(self) -> None:
        """Finish the file."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


class _Parquet:
    """Typed columns, compressed with zstd, in row groups of bounded size."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise NoParquet(
                "the format parquet needs pyarrow: run pip install 'fealty[parquet]', or choose csv or jsonl"
            ) from error
        self._arrow: Any = pyarrow
        types = {
            Type.TEXT: pyarrow.string(),
            Type.INTEGER: pyarrow.int64(),
            Type.AMOUNT: pyarrow.decimal128(AMOUNT_DIGITS, AMOUNT_SCALE),
            Type.MONEY: pyarrow.decimal128(MONEY_DIGITS, MONEY_SCALE),
            Type.TIME: pyarrow.timestamp("ms", tz="UTC"),
        }
        fields = [
            pyarrow.field(each.name, types[each.type], metadata={"description": each.description}) for each in columns
        ]
        self._schema: Any = pyarrow.schema(fields)
        self._path = path
        self._writer: Any = pyarrow.parquet.ParquetWriter(path, self._schema, compression="zstd")
        self._rows: list[Row] = []

    def write(self, rows: Sequence[Row]) -> None:
        """Append rows; they are in memory until their row group is whole."""
        self._rows.extend(rows)
        while len(self._rows) >= _GROUP_ROWS:
            self._flush(_GROUP_ROWS)

    def close(self) -> None:
        """Finish the file."""
        if self._rows:
            self._flush(len(self._rows))
        self._writer.close()
        with self._path.open("rb") as file:
            os.fsync(file.fileno())

    def _flush(self, count: int) -> None:
        group, self._rows = self._rows[:count], self._rows[count:]
        arrays = [
            self._arrow.array(values, type=field.type)
            for values, field in zip(zip(*group, strict=True), self._schema, strict=True)
        ]
        self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema), row_group_size=count)


def _text(value: object) -> object:
    if isinstance(value, datetime):
        return format_instant(value)
    return f"{value:f}" if isinstance(value, Decimal) else value

"""The file of refused rows: CSV as the input had it, with the reason before it; to be mended and imported again."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from cli.importing.reading import BECAUSE, Row, Unreadable


class Rejects:
    """Writes refused rows beside `path`, and moves them there when all were written; nothing without a refused row.

    So a file under that name is whole, and none that somebody may have begun to mend is ever written over.
    """

    def __init__(self, path: Path) -> None:
        if path.exists():
            raise Unreadable(f"{path} exists already: choose another file for the refused rows")
        self._path = path
        self._part = path.with_name(f"{path.name}.part")
        self._file: TextIO | None = None
        self._writer: Any = None

    def add(self, columns: Sequence[str], row: Row, reason: str) -> None:
        """Write one refused row, whose cells belong to `columns`."""
        if self._file is None:
            self._part.unlink(missing_ok=True)
            self._part.touch(mode=0o600)  # A refused row may have a scratch code in clear.
            self._file = self._part.open("w", encoding="utf-8", errors="surrogateescape", newline="")
            self._writer = csv.writer(self._file, lineterminator="\n")
            self._writer.writerow([BECAUSE, *(column for column in columns if column != BECAUSE)])
        dropped = columns.index(BECAUSE) if BECAUSE in columns else -1
        self._writer.writerow([reason, *(cell for place, cell in enumerate(row.cells) if place != dropped)])

    def close(self) -> None:
        """All refused rows are written: put the file where it belongs."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None
            self._part.replace(self._path)

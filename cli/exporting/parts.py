"""The directory that an export is: files that are whole, and how far it has come.

A file gets its name when it is whole and on disk; `_export.json`, replaced after that, says which files count and after
which place the next one begins. So whatever is cut short, no row is lost or doubled: a file that was being written, or
that got its name without being counted, is written again. `_SUCCESS` stands there once all is there.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from cli.exporting.columns import Column
from cli.exporting.formats import Format, Row, Writer, open_writer
from shared.errors import FealtyError

MANIFEST = "_export.json"
WHOLE = "_SUCCESS"
_NEXT = f"{MANIFEST}.new"
_BEING_WRITTEN = ".part"


class Unfit(FealtyError):
    """A directory that this export cannot be written to; the message says why, and what to do."""


class Manifest(BaseModel):
    """How far an export has come: its whole `parts`, their rows, and the place `after` which the next one begins."""

    model_config = ConfigDict(extra="forbid")

    export: str
    format: Format
    store: str
    after: str = ""
    rows: int = 0
    parts: list[str] = []


class Parts:
    """The files of one export, one after another, each of about `rows_max` rows."""

    def __init__(self, directory: Path, manifest: Manifest, columns: Sequence[Column], rows_max: int) -> None:
        self._directory = directory
        self._manifest = manifest
        self._columns = columns
        self._rows_max = rows_max
        self._writer: Writer | None = None
        self._written = 0

    @property
    def after(self) -> str:
        """The place after which there is nothing yet."""
        return self._manifest.after

    @property
    def rows(self) -> int:
        """All rows until now, those of the file that is being written included."""
        return self._manifest.rows + self._written

    @property
    def parts(self) -> int:
        """The files that are whole."""
        return len(self._manifest.parts)

    def add(self, rows: Sequence[Row], place: str) -> None:
        """Append all rows up to `place`."""
        if self._writer is None:
            self._writer = open_writer(self._directory / _BEING_WRITTEN, self._manifest.format, self._columns)
        self._writer.write(rows)
        self._written += len(rows)
        if self._written >= self._rows_max:
            self._finish(place)

    def complete(self, place: str) -> None:
        """Finish the last file; an export without rows has one file too."""
        if self._writer is None and not self._manifest.parts:
            self.add((), place)
        if self._writer is not None:
            self._finish(place)
        (self._directory / WHOLE).touch()
        _sync(self._directory)

    def _finish(self, place: str) -> None:
        assert self._writer is not None
        self._writer.close()
        name = f"part-{self.parts:05}.{self._manifest.format}"
        (self._directory / _BEING_WRITTEN).replace(self._directory / name)
        _sync(self._directory)
        self._manifest.parts.append(name)
        self._manifest.rows += self._written
        self._manifest.after = place
        _keep(self._directory, self._manifest)
        self._writer, self._written = None, 0


@contextmanager
def parts_in(directory: Path, wanted: Manifest, columns: Sequence[Column], rows_max: int) -> Iterator[Parts]:
    """The parts of an export in `directory`, as far as an earlier run has come; nobody else writes there meanwhile.

    :raises Unfit: something else is there, or all of it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with _alone(directory):
        yield Parts(directory, _begun(directory, wanted), columns, rows_max)


def _begun(directory: Path, wanted: Manifest) -> Manifest:
    """What an earlier run has left, without what it had not finished."""
    if (directory / WHOLE).exists():
        raise Unfit(f"{directory} has a complete export: choose another directory, or remove this one")
    try:
        found = Manifest.model_validate_json((directory / MANIFEST).read_bytes())
    except FileNotFoundError:
        if any(path.name != _NEXT for path in directory.iterdir()):
            raise Unfit(f"{directory} is not empty: choose another directory") from None
        _keep(directory, wanted)
        return wanted
    except ValidationError as error:
        raise Unfit(f"{directory / MANIFEST} cannot be read: choose another directory") from error
    asked = (wanted.export, wanted.format, wanted.store)
    if (begun := (found.export, found.format, found.store)) != asked:
        what = f"{begun[0]} as {begun[1]} of the store {begun[2]}"
        raise Unfit(f"{directory} has an unfinished export of {what}: continue that one, or choose another directory")
    if missing := [part for part in found.parts if not (directory / part).exists()]:
        raise Unfit(f"{directory} lacks {missing[0]}, which was written before: start again in another directory")
    return found


def _keep(directory: Path, manifest: Manifest) -> None:
    temporary = directory / _NEXT
    with temporary.open("w", encoding="utf-8") as file:
        file.write(manifest.model_dump_json(indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(directory / MANIFEST)
    _sync(directory)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    held = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unfit(f"another export is writing to {directory}") from None
        yield
    finally:
        os.close(held)


def _sync(directory: Path) -> None:
    held = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)

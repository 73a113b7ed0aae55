"""`fealty giftcards batch export`: what a printer needs of a batch, once, in a private file (rules 4.4.7).

The service decides first whether there may be an export. The file is then written, and only when it is on disk the
export is confirmed. Its id stands beside the file until then, so that the same command continues after a crash.
"""

import csv
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

from cli.commands.batches import ask, find
from cli.commands.commander import commander
from cli.commands.console import Failure
from cli.commands.progress import progress_bar
from cli.commands.stores import journal_of
from cli.giftcards import card_of
from schemas.giftcard_batches import BatchState, BeginBatchExport, ConfirmBatchExport
from schemas.key_sets import KeySet
from schemas.scratch_codes import CodeKeyUnknown, derived_code
from services.giftcard.batches import drawn_at
from services.giftcard.state import Batch, card_stream
from shared.ids import new_id
from shared.runtime.journal import Journal
from shared.settings import Settings

COLUMNS = ("card_id", "serial_number", "scratch_code")
_PAGE_CARDS = 500


class _Place(NamedTuple):
    """The file of an export, the one that is being written, and the one that says which export it is."""

    file: Path
    part: Path
    note: Path

    @classmethod
    def of(cls, file: Path) -> "_Place":
        return cls(file, file.with_name(f"{file.name}.part"), file.with_name(f"{file.name}.export"))

    @property
    def is_written(self) -> bool:
        """Whether the file is whole and on disk."""
        return self.file.exists()


async def export(batch_id: str, file: Path, resume: str | None, settings: Settings) -> int:
    """Write the cards of a full batch with their codes to `file`, and confirm that; how many there are.

    `resume` is the id of an open export whose files are lost.

    :raises Failure: the service refuses, the file is there already, or a card's key of codes is not in the settings.
    :raises Unavailable: a server is away; the same command continues.
    """
    place = _Place.of(file)
    async with journal_of("giftcard", settings) as journal, commander(settings) as requester:
        export_id, is_new = _export_of(place, batch_id, resume)
        batch = await find(journal, batch_id, settings)
        if batch.state is BatchState.EXPORTED and batch.export_id == export_id and place.is_written:
            place.note.unlink()  # It was confirmed, and then something was killed.
            return batch.created
        begin = BeginBatchExport(batch_id=batch_id, export_id=export_id)
        try:
            await ask(requester, settings, "giftcard.begin_export.v1", batch_id, begin)
        except Failure:
            if is_new and (await find(journal, batch_id, settings)).export_id != export_id:
                place.note.unlink()
            raise
        count = await _write(place, journal, batch, settings)
        confirm = ConfirmBatchExport(batch_id=batch_id, export_id=export_id)
        await ask(requester, settings, "giftcard.confirm_export.v1", batch_id, confirm)
        place.note.unlink()
    return count


def _export_of(place: _Place, batch_id: str, resume: str | None) -> tuple[str, bool]:
    """The id of the export into a file, and whether it begins now.

    :raises Failure: the file is that of something else.
    """
    if place.note.exists():
        found = json.loads(place.note.read_bytes())
        if found["batch"] != batch_id:
            raise Failure(f"{place.file} is being written for the batch {found['batch']}: choose another file")
        return str(found["exportId"]), False
    if place.file.exists():
        raise Failure(f"{place.file} exists already: choose another file")
    export_id = resume or new_id()
    _write_private(place.note, json.dumps({"batch": batch_id, "exportId": export_id}))
    return export_id, True


async def _write(place: _Place, journal: Journal, batch: Batch, settings: Settings) -> int:
    """Write all cards, for the owner's eyes only, and put the file where it belongs when it is on disk.

    :raises Failure: a card is missing, or its key.
    """
    place.part.unlink(missing_ok=True)
    count = 0
    descriptor = os.open(place.part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as written, progress_bar("exporting") as progress:
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(COLUMNS)
        async for rows in _pages(journal, batch, settings.store, settings.code_key_set):
            writer.writerows(rows)
            progress(count := count + len(rows), batch.wanted)
        written.flush()
        os.fsync(written.fileno())
    if count != batch.wanted:
        raise Failure(f"{count:,} of {batch.wanted:,} cards were found: run `fealty verify --service giftcard`")
    place.part.replace(place.file)
    _sync(place.file.parent)
    return count


async def _pages(
    journal: Journal, batch: Batch, store: str, keys: KeySet
) -> AsyncIterator[list[tuple[str, str, str | None]]]:
    """The batch's cards, by the numbers that its seed gives; those that were taken by others are left out."""
    for first in range(0, batch.position, _PAGE_CARDS):
        drawn = [drawn_at(store, batch, at) for at in range(first, min(first + _PAGE_CARDS, batch.position))]
        streams = [card_stream(store, each.card_id) for each in drawn]
        found = (await journal.load([], streams)).streams
        cards = [card_of(stream, found[stream]) for stream in streams if stream in found]
        try:
            yield [
                (card.card_id, card.serial_number, derived_code(keys, store, card.card_id, card.code))
                for card in cards
                if card is not None and card.batch == batch.batch_id and card.code is not None
            ]
        except CodeKeyUnknown as error:
            raise Failure(f"{error}: set FEALTY_CODE_KEYS to all keys that were ever used") from error


def _write_private(path: Path, text: str) -> None:
    """A file that only its owner reads, as a whole or not at all."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as written:
        written.write(text)
        written.flush()
        os.fsync(written.fileno())
    temporary.replace(path)
    _sync(path.parent)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

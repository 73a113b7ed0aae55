"""Importing a file of opening balances or gift cards, each row booked once (docs/migration.md)."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from cli.commands.console import Failure, complain, out
from cli.commands.output import Form, Sheet
from cli.commands.output import show as print_sheet
from cli.commands.progress import progress_bar
from cli.commands.stores import journal_of
from cli.importing import Format, Importer, Rejects, Row, RowKind, Tally, count_rows, opened
from shared.errors import FealtyError
from shared.runtime.kafka import Producer
from shared.settings import Settings

_PAGES_UNDER_WAY = 2


@dataclass(frozen=True, slots=True)
class Job:
    """What to import, and how: rows of a `kind`. `label` names them: under another label the same rows are others."""

    path: Path
    form: Format
    label: str
    kind: RowKind
    strict: bool = False
    rejects: Path | None = None
    concurrency: int = 1_000


def job_of(
    path: Path, form: str | None, label: str, kind: RowKind, strict: bool, rejects: Path | None, concurrency: int
) -> Job:
    """A job as the command line names it.

    :raises Failure: there is no such file or format.
    :raises Unreadable: the format is not given, and cannot be told by the file's name.
    """
    if not path.is_file():
        raise Failure(f"there is no file {path}")
    if form is not None and form not in list(Format):
        raise Failure(f"--format must be {' or '.join(Format)}")
    return Job(path, Format(form) if form else Format.of(path), label, kind, strict, rejects, concurrency)


async def check(job: Job, settings: Settings) -> Tally:
    """Say what would become of each row, and send nothing.

    :raises Unreadable: the file as a whole is wrong.
    :raises Unavailable: the database is away.
    """
    rejects = None if job.rejects is None else Rejects(job.rejects)
    return await _pass(job, settings, rejects, send=False)


async def import_rows(job: Job, settings: Settings) -> Tally:
    """Import the rows; those that cannot be are told, and written to the file of refused rows.

    :raises Failure: strict, and a row is refused; nothing was sent.
    :raises Unreadable: the file as a whole is wrong; nothing was sent.
    :raises Unavailable: a server is away; what was sent is booked, and a later run goes on behind it.
    :raises Unanswered: the service does not answer; as before.
    """
    rejects = None if job.rejects is None else Rejects(job.rejects)
    if job.strict:
        tally = await _pass(job, settings, rejects, send=False)
        if tally.refused:
            raise Failure(f"{tally.refused:,} rows were refused; nothing was sent", code=1)
    return await _pass(job, settings, rejects, send=True)


def show(tally: Tally, kind: RowKind, *, sent: bool, form: Form = Form.TABLE) -> None:
    """Print what is in, by group, in whole units: to be compared with the sums of the system it came from."""
    shown = Sheet((kind.grouped, "imported" if sent else "to import", "value", "imported before", "value before"))
    for name, sums in sorted(tally.groups.items()):
        shown.add(name, sums.new, sums.new_value, sums.known, sums.known_value)
    print_sheet(shown, form)
    if form is Form.JSON:
        return
    done = "imported" if sent else "to import"
    counts = f"{tally.new:,} {done}, {tally.known:,} imported before, {tally.refused:,} refused"
    repeated = f"; {tally.repeated:,} have the account, programme and times of an earlier row" if tally.repeated else ""
    out().print(counts + repeated + ("" if sent else "; nothing was sent"))


async def _pass(job: Job, settings: Settings, rejects: Rejects | None, *, send: bool) -> Tally:
    """One pass over the file, a page at a time, with a progress bar on standard error."""
    total = count_rows(job.path, job.form, job.kind.layout)
    async with AsyncExitStack() as stack:
        progress = stack.enter_context(progress_bar("importing" if send else "checking"))
        journal = await stack.enter_async_context(journal_of(job.kind.service, settings))
        producer = Producer(settings) if send else None
        if producer is not None:
            stack.push_async_callback(producer.stop)
        file = stack.enter_context(opened(job.path, job.form, job.kind.layout))

        def told(row: Row, reason: str) -> None:
            complain(f"{job.path}:{row.line}: {reason}")
            if rejects is not None:
                rejects.add(file.columns, row, reason)

        def noted(row: Row, what: str) -> None:
            if not send:
                complain(f"{job.path}:{row.line}: {what}")

        importer = Importer(settings, job.kind, journal, job.label, told, noted, producer)
        stack.callback(importer.close)
        done = 0
        try:
            while page := list(islice(file.rows, max(1, job.concurrency // _PAGES_UNDER_WAY))):
                await importer.page(page)
                progress(done := done + len(page), total)
            await importer.finish()
        except FealtyError as error:
            counts = f"{importer.tally.new:,} rows were imported by this run, {importer.tally.known:,} by earlier ones"
            raise type(error)(f"{error} ({counts}; run the command again to continue)") from error
    if rejects is not None:
        rejects.close()
    return importer.tally

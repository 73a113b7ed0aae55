"""`fealty giftcards`: batches of cards for sale, cards of files and of other systems, and one card."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.console import execute, one_line
from cli.commands.environment import ROOT, Root, settings_at
from cli.commands.output import Form, FormOption, facts

if TYPE_CHECKING:
    from cli.importing import RowKind
    from shared.settings import Settings

giftcards = typer.Typer(help="Gift cards: batches for sale, import, and a look at one card.")
batches = typer.Typer(help="Batches of gift cards for sale: create, watch, and export for the printer.")
giftcards.add_typer(batches, name="batch")

BatchId = Annotated[str, typer.Argument(metavar="BATCH", help="The batch's id, which you choose, like summer-2026.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check every row, and send nothing.")]
Label = Annotated[
    str | None,
    typer.Option(
        "--label",
        help="Identifies this file, like go-live; by default its name. Keep it for a repeat; cards keep it as batch.",
    ),
]
FileFormat = Annotated[str | None, typer.Option("--format", help="csv or jsonl; by default from the file's extension.")]
Strict = Annotated[bool, typer.Option("--strict", help="Send nothing if a row is refused.")]
RejectsFile = Annotated[
    Path | None, typer.Option("--rejects", help="Write refused rows to this new CSV file, where you can correct them.")
]
Concurrency = Annotated[
    int, typer.Option("--concurrency", min=1, max=10_000, metavar="ROWS", help="How many rows are sent at a time.")
]


@batches.command("create")
def create_batch(
    batch: BatchId,
    card_type: Annotated[str, typer.Option("--type", metavar="CODE", help="The card type, like GIFT-EUR.")],
    count: Annotated[
        int, typer.Option("--count", min=1, max=100_000, metavar="CARDS", help="How many cards to create.")
    ],
    wait: Annotated[bool, typer.Option(help="Wait until all cards are there; the service creates them anyway.")] = True,
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """Have the gift card service create cards for sale, without a balance.

    Example: fealty giftcards batch create summer-2026 --type GIFT-EUR --count 5000
    """
    from cli.commands import batches as command

    with one_line():
        made = execute(command.create(batch, card_type, count, wait, settings_at(root)), waits="for the cards")
        command.show(made, form)


@batches.command("status")
def batch_status(batch: BatchId, form: FormOption = Form.TABLE, root: Root = ROOT) -> None:
    """Show how many cards of a batch are there, and whether it was exported.

    Example: fealty giftcards batch status summer-2026
    """
    from cli.commands import batches as command

    with one_line():
        command.show(execute(command.status(batch, settings_at(root))), form)


@batches.command("export")
def export_batch(
    batch: BatchId,
    file: Annotated[Path, typer.Option("--file", help="The new CSV file, which only you can read.")],
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume", metavar="ID", help="An open export, like 019ab2c4-…, if its files are lost; see status."
        ),
    ] = None,
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """Write card ids, serial numbers and scratch codes for the printer, once. After a crash run the same command again.

    Example: fealty giftcards batch export summer-2026 --file summer-2026.csv
    """
    from cli.commands import batch_export as command

    with one_line():
        count = execute(command.export(batch, file, resume, settings_at(root)))
        facts({"batch": batch, "cards": count, "file": str(file)}, form)


@giftcards.command("create")
def create_cards(
    file: Annotated[Path, typer.Argument(help="The file: card_id, serial_number and, if you like, scratch_code.")],
    card_type: Annotated[str, typer.Option("--type", metavar="CODE", help="The card type, like GIFT-EUR.")],
    dry_run: DryRun = False,
    label: Label = None,
    file_format: FileFormat = None,
    strict: Strict = False,
    rejects: RejectsFile = None,
    concurrency: Concurrency = 1_000,
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """Create cards for sale that were printed already, each once, also if run again. Exit status as for import.

    Example: fealty giftcards create printed.csv --type GIFT-EUR
    """
    from cli.importing.cards import CreatedCards

    with one_line(code=2):
        settings = settings_at(root)
        kind = CreatedCards(settings.store, settings.code_key_set, label or file.name, card_type)
        _import(kind, file, settings, dry_run, label, file_format, strict, rejects, concurrency, form)


@giftcards.command("import")
def import_cards(
    file: Annotated[Path, typer.Argument(help="The file with the cards: .csv with a header line, or .jsonl.")],
    dry_run: DryRun = False,
    label: Label = None,
    file_format: FileFormat = None,
    strict: Strict = False,
    rejects: RejectsFile = None,
    concurrency: Concurrency = 1_000,
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """Take over gift cards with their balances, each once, also if run again.

    Exit status 1: rows were refused, 2: could not run.

    Example: fealty giftcards import cards.csv --rejects rejected.csv
    """
    from cli.importing.cards import ImportedCards

    with one_line(code=2):
        settings = settings_at(root)
        kind = ImportedCards(settings.store, settings.code_key_set, label or file.name)
        _import(kind, file, settings, dry_run, label, file_format, strict, rejects, concurrency, form)


@giftcards.command("show")
def show_card(
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help="A card id or a serial number, like 9900000000000000017.")
    ],
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """Show one gift card: status, balance, expiry and batch. Scratch codes are never shown.

    Example: fealty giftcards show 9900000000000000017
    """
    from cli.commands import giftcard as command

    with one_line():
        execute(command.show_card(number, settings_at(root), form))


def _import(
    kind: "RowKind",
    file: Path,
    settings: "Settings",
    dry_run: bool,
    label: str | None,
    file_format: str | None,
    strict: bool,
    rejects: Path | None,
    concurrency: int,
    form: Form,
) -> None:
    from cli.commands import imports as command

    job = command.job_of(file, file_format, label or file.name, kind, strict, rejects, concurrency)
    work = command.check if dry_run else command.import_rows
    tally = execute(work(job, settings), code=2, waits="")
    command.show(tally, kind, sent=not dry_run, form=form)
    if tally.refused:
        raise typer.Exit(1)

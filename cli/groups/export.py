"""`fealty export changes|balances|giftcard-changes|giftcards`; registered in cli/main.py."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.console import execute, one_line
from cli.commands.environment import ROOT, Root, settings_at
from cli.commands.output import Form, FormOption
from cli.exporting.formats import Format

exports = typer.Typer(help="Export data into files, for analysts.")

Directory = Annotated[
    Path,
    typer.Argument(metavar="DIRECTORY", help="A new directory, or one with an interrupted export, which is continued."),
]
FormatOption = Annotated[
    Format, typer.Option("--format", help="csv, jsonl, or parquet, which needs pip install 'fealty\\[parquet]'.")
]


@exports.command("changes")
def export_changes(
    directory: Directory, format_: FormatOption = Format.CSV, form: FormOption = Form.TABLE, root: Root = ROOT
) -> None:
    """Export every balance change of the store (FEALTY_STORE); docs/analysts.md describes the columns.

    Example: fealty export changes changes-2026-11-28 --format parquet
    """
    _export("changes", directory, format_, form, root)


@exports.command("balances")
def export_balances(
    directory: Directory, format_: FormatOption = Format.CSV, form: FormOption = Form.TABLE, root: Root = ROOT
) -> None:
    """Export every balance of the store (FEALTY_STORE); docs/analysts.md describes the columns.

    Example: fealty export balances balances-2026-11-28 --format csv
    """
    _export("balances", directory, format_, form, root)


@exports.command("giftcard-changes")
def export_giftcard_changes(
    directory: Directory, format_: FormatOption = Format.CSV, form: FormOption = Form.TABLE, root: Root = ROOT
) -> None:
    """Export every change of the store's gift cards (FEALTY_STORE); docs/analysts.md describes the columns.

    Example: fealty export giftcard-changes giftcard-changes-2026-11-28 --format parquet
    """
    _export("giftcard-changes", directory, format_, form, root)


@exports.command("giftcards")
def export_giftcards(
    directory: Directory, format_: FormatOption = Format.CSV, form: FormOption = Form.TABLE, root: Root = ROOT
) -> None:
    """Export every gift card of the store (FEALTY_STORE); docs/analysts.md describes the columns.

    Example: fealty export giftcards giftcards-2026-11-28 --format csv
    """
    _export("giftcards", directory, format_, form, root)


def _export(what: str, directory: Path, format_: Format, form: Form, root: Path) -> None:
    from cli.commands import export as command

    with one_line():
        work = command.export(command.What(what), directory, format_, settings_at(root))
        command.show(execute(work, waits=""), form)

"""`fealty import`, `fealty report` and `fealty account`: what comes in once, and what operators want to see."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.console import execute, one_line
from cli.commands.environment import ROOT, Root, settings_at
from cli.commands.output import Form, FormOption

imports = typer.Typer(help="Import data from another system.")
reports = typer.Typer(help="Financial reports.")


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(imports, name="import")
    app.add_typer(reports, name="report")
    app.command("account")(account)


@imports.callback()
def _imports() -> None:
    """A callback, so that one command of a family still has its name."""


@reports.callback()
def _reports() -> None:
    """As above."""


@imports.command("accounts")
def import_accounts(
    file: Annotated[
        Path, typer.Argument(help="The file with the opening balances: .csv with a header line, or .jsonl.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row, and send nothing.")] = False,
    label: Annotated[
        str | None,
        typer.Option(
            "--label",
            help="Identifies this import, like go-live; by default the file's name. Keep it when you run it again.",
        ),
    ] = None,
    file_format: Annotated[
        str | None, typer.Option("--format", help="csv or jsonl; by default from the file's extension.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Send nothing if a row is refused.")] = False,
    rejects: Annotated[
        Path | None,
        typer.Option("--rejects", help="Write refused rows to this new CSV file, where you can correct them."),
    ] = None,
    concurrency: Annotated[
        int, typer.Option("--concurrency", min=1, max=10_000, metavar="ROWS", help="How many rows are sent at a time.")
    ] = 1_000,
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """Book opening balances, each row once, also if run again. Exit status 1: rows were refused, 2: could not run.

    Example: fealty import accounts opening_balances.csv --rejects rejected.csv
    """
    from cli.commands import imports as command
    from cli.importing.accounts import AccountRows

    with one_line(code=2):
        settings = settings_at(root)
        kind = AccountRows(settings.store)
        job = command.job_of(file, file_format, label or file.name, kind, strict, rejects, concurrency)
        work = command.check if dry_run else command.import_rows
        tally = execute(work(job, settings), code=2, waits="")
        command.show(tally, kind, sent=not dry_run, form=form)
        if tally.refused:
            raise typer.Exit(1)


@reports.command("liability")
def liability(
    since: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="The first day to report, like 2026-01-31.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DAY", help="The last day to report, like 2026-12-31.")
    ] = None,
    programme: Annotated[
        str | None, typer.Option("--programme", metavar="ID", help="Only this programme, like CASHBACK.")
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option(
            "--of",
            metavar="WHAT",
            help="Only what is owed on one of them, like points or giftcards. CSV has points without it.",
        ),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="table, csv or json.")] = "table",
    root: Root = ROOT,
) -> None:
    """Report what is owed in points by day and programme, and on gift cards by day, card type and currency.

    Exit status 1: it differs from the balances, 2: could not run.

    Example: fealty report liability --from 2026-01-01 --until 2026-01-31 --format csv
    """
    from cli.commands import liability as command

    with one_line(code=2):
        asked = command.asked_of(since, until, programme, form, subject)
        report = execute(command.report(asked, settings_at(root)), code=2)
        command.show(report, asked.form)
        command.complain_of(report)


def account(
    number: Annotated[str, typer.Argument(help="The account number, like 6299000000000000017.")],
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """Show one account: its state, balances, lots, latest balance changes and dead letters.

    Example: fealty account 6299000000000000017
    """
    from cli.commands import account as command

    with one_line():
        execute(command.show_account(number, settings_at(root), form))

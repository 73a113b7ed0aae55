"""The commands for operators who put a store and its topics right; registered in cli/main.py."""

from datetime import datetime
from typing import Annotated

import typer

from cli.commands.console import Failure, execute, one_line
from cli.commands.environment import ROOT, Root, settings_at
from cli.commands.output import Form, FormOption
from schemas.base import to_instant
from services.registry import JOURNALED, one_of

Service = Annotated[str, typer.Argument(help=f"{one_of(JOURNALED)}.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (rebuild, republish, rewind):
        app.command()(command)


def instant(text: str) -> datetime:
    """An instant as given on the command line: RFC 3339, with an offset.

    :raises typer.BadParameter: it is none.
    """
    try:
        return to_instant(datetime.fromisoformat(text))
    except ValueError as error:
        raise typer.BadParameter(f"{error}; write it as 2026-11-22T10:00:00Z") from error


def rebuild(
    service: Service,
    force: Annotated[bool, typer.Option("--force", help="Do not check that the service is stopped.")] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Start from the beginning, although an earlier run was interrupted.")
    ] = False,
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """Recreate all snapshots of a stopped service from its journal. Exit status 1: some could not be recreated.

    Example: fealty rebuild points
    """
    from cli.commands import rebuild as command

    with one_line(code=2):
        report = execute(
            command.rebuild_service(service, settings_at(root), force=force, restart=restart), code=2, waits=""
        )
        command.show(report, form)
        if not report.ok:
            raise Failure(f"the journal entries of {report.unfoldable_streams} streams cannot be applied", code=1)


def republish(
    service: Service,
    snapshots: Annotated[bool, typer.Option(help="Publish the current snapshot of every stream.")] = True,
    changes: Annotated[bool, typer.Option(help="Publish every change of the journal, from the first.")] = True,
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=instant,
            metavar="INSTANT",
            help="RFC 3339: only what was booked since then, like 2026-11-22T00:00:00Z.",
        ),
    ] = None,
    root: Root = ROOT,
) -> None:
    """Publish snapshots and balance changes again, unchanged. The service may run.

    Example: fealty republish points --no-changes --since 2026-11-22T00:00:00Z
    """
    from cli.commands import republish as command

    with one_line():
        execute(
            command.republish(service, settings_at(root), snapshots=snapshots, changes=changes, since=since), waits=""
        )


def rewind(
    service: Service,
    to: Annotated[
        datetime,
        typer.Option(
            "--to",
            parser=instant,
            metavar="INSTANT",
            help="RFC 3339: an instant before the backup, like 2026-11-22T03:00:00Z.",
        ),
    ],
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """After a restore: move a stopped service back to an instant, or earlier if its database needs that.

    Example: fealty rewind points --to 2026-11-22T03:00:00Z
    """
    from cli.commands import rewind as command

    with one_line():
        execute(command.rewind(service, settings_at(root), to, form))

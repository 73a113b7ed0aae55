"""`fealty apply` and `fealty programmes list|show|diff`; registered in cli/main.py."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from cli.commands.console import Failure, complain, execute, one_line
from cli.commands.environment import ROOT, Root, settings_at
from cli.commands.output import Form, FormOption
from shared.clock import instant, now_ms

if TYPE_CHECKING:
    from cli.commands.cross_checks import Known
    from cli.commands.declarations import Files

programmes = typer.Typer(help="The programmes that are declared now: list, show and compare them.")

FilesOption = Annotated[
    list[str], typer.Option("--file", "-f", metavar="FILE", help="A YAML file, or - for standard input; repeatable.")
]


def apply(
    files: FilesOption,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only check the files; needs no server, and sends nothing.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Treat warnings as errors: send nothing if there are any.")
    ] = False,
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """Declare vouchers, programmes, tier sets and account numbers; if anything is wrong, nothing is sent.

    All files are checked together, and against everything declared already. Probable mistakes are warnings.

    Example: fealty apply -f vouchers.yaml -f programmes.yaml
    """
    from cli.commands import apply as command
    from cli.commands.declared import declared

    with one_line():
        given = _read(files, code=1)
        known = None if dry_run else execute(declared(settings_at(root)))
        _check(given, known, code=1, strict=strict)
        if dry_run:
            command.show_valid(given.declarations, form)
            return
        outcomes = execute(command.apply(given.declarations, settings_at(root)), waits="for replies of the services")
        command.show(outcomes, form)
        if bad := [outcome.id for outcome in outcomes if not outcome.good]:
            raise Failure(f"not applied: {', '.join(bad)}")


@programmes.command("list")
def list_programmes(form: FormOption = Form.TABLE, root: Root = ROOT) -> None:
    """List the programmes of the store (FEALTY_STORE), by id.

    Example: fealty programmes list
    """
    from cli.commands import programmes as command

    with one_line():
        execute(command.list_programmes(settings_at(root), form))


@programmes.command("show")
def show_programme(
    programme: Annotated[str, typer.Argument(metavar="ID", help="The id of a programme, like CASHBACK.")],
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """Show one programme as YAML for `fealty apply`, without default values.

    Example: fealty programmes show CASHBACK > cashback.yaml
    """
    from cli.commands import programmes as command

    with one_line():
        execute(command.show_programme(programme, settings_at(root), form))


@programmes.command("diff")
def diff(files: FilesOption, form: FormOption = Form.TABLE, root: Root = ROOT) -> None:
    """Show what files would change in programmes and order numbers. Exit status 1: something, 2: could not compare.

    For vouchers and tier sets, `fealty apply` shows whether they are unchanged.

    Example: fealty programmes diff -f programmes.yaml
    """
    from cli.commands import programmes as command

    with one_line(code=2):
        given = _read(files, code=2)
        if execute(command.diff(given.declarations, settings_at(root), form), code=2):
            raise typer.Exit(1)


def _read(files: list[str], code: int) -> "Files":
    """The files; where they are wrong, each fault is a line."""
    from cli.commands import declarations

    try:
        return declarations.read(files)
    except declarations.Invalid as invalid:
        _end(invalid.lines, code)


def _check(given: "Files", known: "Known | None", code: int, strict: bool) -> None:
    """Hold the files against each other and what is known; warnings are shown."""
    from cli.commands import declarations

    try:
        warnings = given.against(known, instant(now_ms()))
    except declarations.Invalid as invalid:
        _end(invalid.lines, code)
    for each in warnings:
        complain(f"warning: {each}")
    if strict and warnings:
        raise Failure(f"{len(warnings)} warnings, which --strict takes for errors; nothing was sent")


def _end(lines: Sequence[str], code: int) -> NoReturn:
    for line in lines:
        complain(line)
    raise typer.Exit(code)
